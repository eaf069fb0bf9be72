-- +goose Up

-- How many records an ingestion has taken in within an hour, and when it last did.
CREATE TABLE volume (
    ingestion_id TEXT NOT NULL REFERENCES ingestion (id) ON DELETE CASCADE,
    hour         BIGINT NOT NULL, -- hours since 1970
    records      BIGINT NOT NULL,
    last_at      BIGINT NOT NULL,
    PRIMARY KEY (ingestion_id, hour)
) WITHOUT ROWID;
CREATE INDEX volume_hour ON volume (hour);
INSERT INTO volume (ingestion_id, hour, records, last_at)
    SELECT ingestion_id, closed_at / 3600000, sum(records), max(closed_at) FROM batch
    WHERE closed_at > 0 GROUP BY ingestion_id, closed_at / 3600000;

-- The overview looks for what is not as it should be by index alone: whether an
-- authorization has an ingestion, and how many destinations that has, is written
-- down where it is looked for.
ALTER TABLE app_authorization ADD COLUMN ingestion_id TEXT NOT NULL DEFAULT ''; -- the one that reads with it; empty: none
UPDATE app_authorization SET ingestion_id = coalesce((SELECT i.id FROM ingestion i
    WHERE i.bundle_id = app_authorization.bundle_id AND i.app = app_authorization.app AND i.tenant_id = app_authorization.tenant_id), '');
ALTER TABLE ingestion ADD COLUMN destinations BIGINT NOT NULL DEFAULT 0;
UPDATE ingestion SET destinations = (SELECT count(*) FROM ingestion_destination d WHERE d.ingestion_id = ingestion.id);
CREATE INDEX app_authorization_status ON app_authorization (account, region, status, id, ingestion_id);
CREATE INDEX app_authorization_order ON app_authorization (account, region, id);
CREATE INDEX app_authorization_unused ON app_authorization (account, region, status, id) WHERE ingestion_id = '';
CREATE INDEX app_authorization_ingestion ON app_authorization (ingestion_id, status, id);
CREATE INDEX ingestion_state ON ingestion (account, region, state, destinations, id, created_at);
CREATE INDEX ingestion_destination_failed ON ingestion_destination (account, region, ingestion_id) WHERE status = 'Failed';
CREATE INDEX stream_failing ON stream (ingestion_id, watermark) WHERE last_error <> '';
