-- +goose Up

-- The search for one user by one authorization, and the duty to make it. Who is
-- searched for and who was found are sealed under the bundle's data key.
CREATE TABLE user_access_task (
    id               TEXT COLLATE "C" PRIMARY KEY,
    bundle_id        TEXT COLLATE "C" NOT NULL REFERENCES app_bundle (id) ON DELETE CASCADE,
    authorization_id TEXT COLLATE "C" NOT NULL REFERENCES app_authorization (id) ON DELETE CASCADE,
    account          TEXT COLLATE "C" NOT NULL,
    region           TEXT COLLATE "C" NOT NULL,
    app              TEXT COLLATE "C" NOT NULL,
    tenant_id        TEXT COLLATE "C" NOT NULL, -- with tenant_name: as it was when the task was started
    tenant_name      TEXT COLLATE "C" NOT NULL,
    email            BYTEA NOT NULL, -- sealed
    status           TEXT COLLATE "C" NOT NULL,
    error            TEXT COLLATE "C" NOT NULL, -- code of the last failure; empty: none
    found            BYTEA NOT NULL, -- sealed: the user; empty: none was found
    denied           BIGINT NOT NULL, -- version of the grant that was not accepted when last asked; 0: it was not that
    denied_at        BIGINT NOT NULL, -- since when denied is what it is
    created_at       BIGINT NOT NULL,
    ended_at         BIGINT NOT NULL, -- 0: in progress
    due_at           BIGINT,
    lease_owner      TEXT COLLATE "C" NOT NULL DEFAULT '',
    lease_until      BIGINT NOT NULL DEFAULT 0,
    fence            BIGINT NOT NULL DEFAULT 0,
    attempt          BIGINT NOT NULL DEFAULT 0,
    crashes          BIGINT NOT NULL DEFAULT 0,
    last_error       TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX user_access_task_due ON user_access_task (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX user_access_task_bundle ON user_access_task (bundle_id);
CREATE INDEX user_access_task_authorization ON user_access_task (authorization_id);
CREATE INDEX user_access_task_age ON user_access_task (ended_at, created_at);
