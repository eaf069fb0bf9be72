-- +goose Up

-- What a stream has learned of how late its provider shows records, when it last
-- began to read old windows again, and what the walk under way has read.
ALTER TABLE stream ADD COLUMN lateness TEXT NOT NULL DEFAULT ''; -- JSON; opaque to the store
ALTER TABLE stream ADD COLUMN learned_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE stream ADD COLUMN wide_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE stream ADD COLUMN walk_pages BIGINT NOT NULL DEFAULT 0;
ALTER TABLE stream ADD COLUMN walk_records BIGINT NOT NULL DEFAULT 0;

-- A short name of each stream, for the rows of which there are many.
CREATE TABLE stream_number (
    no        INTEGER PRIMARY KEY AUTOINCREMENT,
    stream_id TEXT NOT NULL UNIQUE REFERENCES stream (id) ON DELETE CASCADE
);
INSERT INTO stream_number (stream_id) SELECT id FROM stream;

-- Ids are filed under the hour of their record, in a table that has nothing
-- else. Those whose record has no such hour (no time, or one that lies behind
-- all that is kept) are filed as all of them were before: under the hour to which
-- their stream was read.
ALTER TABLE seen RENAME TO seen_odd;
CREATE TABLE seen (
    stream_no BIGINT NOT NULL,
    hour      BIGINT NOT NULL, -- hours since 1970
    id        BLOB NOT NULL,   -- 16 bytes
    PRIMARY KEY (stream_no, hour, id)
) WITHOUT ROWID;

-- How often each record that has no id of its provider's was met in the walk
-- under way: equal records of one window are told apart by their number.
CREATE TABLE walk (
    walk_id TEXT NOT NULL, -- of the stream or backfill
    id      BLOB NOT NULL, -- 16 bytes
    times   BIGINT NOT NULL,
    PRIMARY KEY (walk_id, id)
) WITHOUT ROWID;

-- A closed window to be read beside the live tail, and the duty to read it.
CREATE TABLE backfill (
    id           TEXT PRIMARY KEY, -- UUID
    run_id       TEXT NOT NULL,    -- UUID of what was asked for, one row for each stream of it; empty: nobody asked
    stream_id    TEXT NOT NULL REFERENCES stream (id) ON DELETE CASCADE,
    kind         TEXT NOT NULL,    -- 'asked', 'late' or 'gap'
    from_at      BIGINT NOT NULL,
    to_at        BIGINT NOT NULL,
    again        BIGINT NOT NULL,  -- 1: read what was read before, and take it in again
    gap_seq      BIGINT NOT NULL,  -- the gap that it heals; 0: none
    at           BIGINT NOT NULL,  -- all before it is done
    cursor       TEXT NOT NULL DEFAULT '', -- JSON; empty: no interval is being read
    read_from    BIGINT NOT NULL DEFAULT 0, -- where the interval being read begins
    denied       BIGINT NOT NULL DEFAULT 0,
    stuck_since  BIGINT NOT NULL DEFAULT 0,
    batch_id     TEXT NOT NULL DEFAULT '',
    walk_pages   BIGINT NOT NULL DEFAULT 0,
    walk_records BIGINT NOT NULL DEFAULT 0,
    pages        BIGINT NOT NULL DEFAULT 0,
    records      BIGINT NOT NULL DEFAULT 0,
    created_at   BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL DEFAULT 0, -- 0: it goes on
    due_at       BIGINT,
    lease_owner  TEXT NOT NULL DEFAULT '',
    lease_until  BIGINT NOT NULL DEFAULT 0,
    fence        BIGINT NOT NULL DEFAULT 0,
    attempt      BIGINT NOT NULL DEFAULT 0,
    crashes      BIGINT NOT NULL DEFAULT 0,
    last_error   TEXT NOT NULL DEFAULT ''
);
CREATE INDEX backfill_due ON backfill (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX backfill_stream ON backfill (stream_id);
CREATE INDEX backfill_run ON backfill (run_id);

-- When a gap is next tried; -1: no more.
ALTER TABLE gap ADD COLUMN try_at BIGINT NOT NULL DEFAULT 0;
