-- +goose Up

-- When records that nobody had asked for were last taken in; 0: never. Of streams
-- that are older than this column, when they were last read is the nearest known.
ALTER TABLE stream ADD COLUMN heard_at BIGINT NOT NULL DEFAULT 0;
UPDATE stream SET heard_at = watermark;

-- Since when an ingestion is silent, once that has been told; 0: it is not.
ALTER TABLE ingestion ADD COLUMN silent_since BIGINT NOT NULL DEFAULT 0;

-- Count how often the status has changed: with the id they name each change.
ALTER TABLE app_authorization ADD COLUMN status_no BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ingestion_destination ADD COLUMN status_no BIGINT NOT NULL DEFAULT 0;

-- A change that somebody is still to be told of, and the duty to do so. Of one
-- subject only the oldest is due, so that they arrive in order.
CREATE TABLE notification (
    seq         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          TEXT COLLATE "C" NOT NULL UNIQUE,
    subject     TEXT COLLATE "C" NOT NULL, -- ARN of what has changed
    type        TEXT COLLATE "C" NOT NULL,
    data        TEXT COLLATE "C" NOT NULL, -- JSON
    created_at  BIGINT NOT NULL,
    due_at      BIGINT,
    lease_owner TEXT COLLATE "C" NOT NULL DEFAULT '',
    lease_until BIGINT NOT NULL DEFAULT 0,
    fence       BIGINT NOT NULL DEFAULT 0,
    attempt     BIGINT NOT NULL DEFAULT 0,
    crashes     BIGINT NOT NULL DEFAULT 0,
    last_error  TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX notification_subject ON notification (subject, seq);
CREATE INDEX notification_due ON notification (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX notification_age ON notification (created_at);
