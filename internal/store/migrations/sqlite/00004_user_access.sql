-- +goose Up

-- The search for one user by one authorization, and the duty to make it. Who is
-- searched for and who was found are sealed under the bundle's data key.
CREATE TABLE user_access_task (
    id               TEXT PRIMARY KEY,
    bundle_id        TEXT NOT NULL REFERENCES app_bundle (id) ON DELETE CASCADE,
    authorization_id TEXT NOT NULL REFERENCES app_authorization (id) ON DELETE CASCADE,
    account          TEXT NOT NULL,
    region           TEXT NOT NULL,
    app              TEXT NOT NULL,
    tenant_id        TEXT NOT NULL, -- with tenant_name: as it was when the task was started
    tenant_name      TEXT NOT NULL,
    email            BLOB NOT NULL, -- sealed
    status           TEXT NOT NULL,
    error            TEXT NOT NULL, -- code of the last failure; empty: none
    found            BLOB NOT NULL, -- sealed: the user; empty: none was found
    denied           BIGINT NOT NULL, -- version of the grant that was not accepted when last asked; 0: it was not that
    denied_at        BIGINT NOT NULL, -- since when denied is what it is
    created_at       BIGINT NOT NULL,
    ended_at         BIGINT NOT NULL, -- 0: in progress
    due_at           BIGINT,
    lease_owner      TEXT NOT NULL DEFAULT '',
    lease_until      BIGINT NOT NULL DEFAULT 0,
    fence            BIGINT NOT NULL DEFAULT 0,
    attempt          BIGINT NOT NULL DEFAULT 0,
    crashes          BIGINT NOT NULL DEFAULT 0,
    last_error       TEXT NOT NULL DEFAULT ''
);
CREATE INDEX user_access_task_due ON user_access_task (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX user_access_task_bundle ON user_access_task (bundle_id);
CREATE INDEX user_access_task_authorization ON user_access_task (authorization_id);
CREATE INDEX user_access_task_age ON user_access_task (ended_at, created_at);
