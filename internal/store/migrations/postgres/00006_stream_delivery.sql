-- +goose Up

-- A batch goes to a bucket under a key, or to a stream record by record. Of a
-- stream that has taken a part of the batch, pending has the rest.
ALTER TABLE delivery ADD COLUMN stream TEXT COLLATE "C" NOT NULL DEFAULT ''; -- frozen like bucket and object_key
ALTER TABLE delivery ADD COLUMN pending TEXT COLLATE "C" NOT NULL DEFAULT ''; -- numbers of the records not yet taken, such as 0-499,703; empty: none was taken

-- Records that a destination can never take, because each is too large for it.
ALTER TABLE ingestion_destination ADD COLUMN undelivered BIGINT NOT NULL DEFAULT 0;
