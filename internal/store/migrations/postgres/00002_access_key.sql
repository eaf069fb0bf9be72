-- +goose Up

-- The keys that callers sign with, beside the root key, which is in no
-- database. A revoked key keeps its row for a while, without its secret.
CREATE TABLE access_key (
    id         TEXT COLLATE "C" PRIMARY KEY, -- the access key id
    account    TEXT COLLATE "C" NOT NULL,
    secret     BYTEA NOT NULL,    -- sealed under the server's own key; empty once revoked
    policy     TEXT COLLATE "C" NOT NULL,    -- JSON, or the name of a managed policy
    created_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL   -- 0: in use
);
CREATE INDEX access_key_list ON access_key (account, created_at, id);
CREATE INDEX access_key_all ON access_key (created_at, id);
