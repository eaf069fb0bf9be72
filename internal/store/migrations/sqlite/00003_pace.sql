-- +goose Up

-- How fast each tenant of an application may be called: what its calls have used
-- up, and what the provider asked for. All accounts that name the tenant share
-- the row. Times are the database's own.
CREATE TABLE pace (
    id             TEXT PRIMARY KEY, -- a hash of the two below
    app            TEXT NOT NULL,
    tenant         TEXT NOT NULL,    -- its origin, where it has one of its own
    spent_until    BIGINT NOT NULL,  -- microseconds: when all permits will have come back
    blocked_until  BIGINT NOT NULL,  -- nothing is called before
    reserved_until BIGINT NOT NULL,  -- nothing is backfilled before
    strikes        BIGINT NOT NULL,  -- refusals in a row for which the provider named no time
    used_at        BIGINT NOT NULL
);
