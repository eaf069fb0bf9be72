-- +goose Up

-- Ids taken in, many to a row: what a database adds to each row would outweigh
-- them. The rows of an hour are filled one after the other; all but the last are
-- full, see seen.go.
ALTER TABLE seen RENAME TO seen_single;
ALTER INDEX seen_pkey RENAME TO seen_single_pkey;
CREATE TABLE seen (
    stream_no BIGINT NOT NULL,
    hour      BIGINT NOT NULL, -- hours since 1970
    seq       BIGINT NOT NULL, -- from 0 in each hour
    changed   BIGINT NOT NULL, -- stream_number.taken when it was last added to
    ids       BYTEA NOT NULL, -- 16 bytes each
    PRIMARY KEY (stream_no, hour, seq)
);
INSERT INTO seen (stream_no, hour, seq, changed, ids)
SELECT stream_no, hour, seq, 0, string_agg(id, ''::bytea ORDER BY id)
FROM (SELECT stream_no, hour, id, (row_number() OVER (PARTITION BY stream_no, hour ORDER BY id) - 1) / 120 AS seq FROM seen_single) AS numbered
GROUP BY stream_no, hour, seq;
DROP TABLE seen_single;

-- How often ids of the stream were added: two readers take turns by it.
ALTER TABLE stream_number ADD COLUMN taken BIGINT NOT NULL DEFAULT 0;

-- When each old window was last begun to be read again. wide_at is the oldest of
-- them.
ALTER TABLE stream ADD COLUMN looked TEXT COLLATE "C" NOT NULL DEFAULT ''; -- JSON; opaque to the store
ALTER TABLE stream DROP COLUMN learned_at;
