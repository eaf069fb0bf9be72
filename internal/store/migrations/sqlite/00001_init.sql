-- +goose Up

-- Times are milliseconds since 1970 in UTC; zero or NULL where there is none.
-- A duty is six columns of the row that it serves: due_at (NULL: nothing to
-- do), lease_owner, lease_until, fence, attempt, last_error; crashes counts
-- the claims in a row that never finished.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

CREATE TABLE app_bundle (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    key_arn    TEXT NOT NULL,
    data_key   BLOB NOT NULL, -- wrapped under the key-encryption key
    created_at BIGINT NOT NULL
);
CREATE INDEX app_bundle_list ON app_bundle (account, region, created_at, id);

CREATE TABLE app_authorization (
    id           TEXT PRIMARY KEY,
    bundle_id    TEXT NOT NULL REFERENCES app_bundle (id) ON DELETE CASCADE,
    account      TEXT NOT NULL,
    region       TEXT NOT NULL,
    app          TEXT NOT NULL,
    tenant_id    TEXT NOT NULL,
    tenant_name  TEXT NOT NULL,
    auth_type    TEXT NOT NULL,
    status       TEXT NOT NULL,
    reason       TEXT NOT NULL,
    generation   BIGINT NOT NULL,
    credential   BLOB NOT NULL, -- sealed: what the user gave for this generation
    verifier     BLOB NOT NULL, -- sealed: the PKCE verifier of this generation; empty where none
    verifier_no  BIGINT NOT NULL, -- counts the verifiers of the authorization; part of the state
    credential_mark TEXT NOT NULL DEFAULT '', -- keyed hash of the credential: the same one given again is no new one
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    UNIQUE (bundle_id, app, tenant_id)
);
CREATE INDEX app_authorization_list ON app_authorization (bundle_id, created_at, id);

-- What a provider gave us. The row is made with the authorization, and its own
-- table keeps unrelated writes away from tokens.
CREATE TABLE app_grant (
    id          TEXT PRIMARY KEY REFERENCES app_authorization (id) ON DELETE CASCADE,
    generation  BIGINT NOT NULL, -- of the credentials that tokens were obtained with; 0: none yet
    version     BIGINT NOT NULL, -- counts the token sets; swaps compare it
    tokens      BLOB NOT NULL,   -- sealed: in use; empty: none
    previous    BLOB NOT NULL,   -- sealed: the set before, until tokens has worked once
    expires_at  BIGINT NOT NULL, -- of the access token in use; 0: it does not end
    facts       TEXT NOT NULL,   -- JSON object
    intent      TEXT NOT NULL,   -- '', 'exchange' or 'refresh': a request is, or may be, on its way
    intent_key  TEXT NOT NULL,   -- keyed hash of the code or token that the request carries
    intent_at   BIGINT NOT NULL,
    request     BLOB NOT NULL DEFAULT x'', -- sealed: what an exchange needs to be sent once more
    answer      BLOB NOT NULL,   -- sealed: the answer to intent, not yet taken in
    code_key    TEXT NOT NULL,   -- keyed hash of the code exchanged last
    due_at      BIGINT,
    lease_owner TEXT NOT NULL DEFAULT '',
    lease_until BIGINT NOT NULL DEFAULT 0,
    fence       BIGINT NOT NULL DEFAULT 0,
    attempt     BIGINT NOT NULL DEFAULT 0,
    crashes     BIGINT NOT NULL DEFAULT 0,
    last_error  TEXT NOT NULL DEFAULT ''
);
CREATE INDEX app_grant_due ON app_grant (due_at) WHERE due_at IS NOT NULL;

-- The lineage of grants: what became of each, without secrets.
CREATE TABLE grant_event (
    seq              INTEGER PRIMARY KEY AUTOINCREMENT,
    authorization_id TEXT NOT NULL REFERENCES app_authorization (id) ON DELETE CASCADE,
    generation       BIGINT NOT NULL,
    version          BIGINT NOT NULL,
    at               BIGINT NOT NULL,
    replica          TEXT NOT NULL,
    event            TEXT NOT NULL, -- 'exchanged', 'refreshed', 'refused', 'revoked', 'lost'
    detail           TEXT NOT NULL
);
CREATE INDEX grant_event_list ON grant_event (authorization_id, seq);

CREATE TABLE ingestion (
    id         TEXT PRIMARY KEY,
    bundle_id  TEXT NOT NULL REFERENCES app_bundle (id) ON DELETE CASCADE,
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    app        TEXT NOT NULL,
    tenant_id  TEXT NOT NULL,
    type       TEXT NOT NULL,
    state      TEXT NOT NULL,
    bare_since BIGINT NOT NULL DEFAULT 0, -- since when it has no destination, as the sweep saw it; 0: it has one
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (bundle_id, app, tenant_id)
);
CREATE INDEX ingestion_list ON ingestion (bundle_id, created_at, id);

CREATE TABLE ingestion_destination (
    id           TEXT PRIMARY KEY,
    bundle_id    TEXT NOT NULL,
    ingestion_id TEXT NOT NULL REFERENCES ingestion (id) ON DELETE CASCADE,
    account      TEXT NOT NULL,
    region       TEXT NOT NULL,
    schema_name  TEXT NOT NULL,
    format       TEXT NOT NULL,
    bucket       TEXT NOT NULL,
    prefix       TEXT NOT NULL,
    stream       TEXT NOT NULL,
    status       TEXT NOT NULL,
    reason       TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    due_at       BIGINT,
    lease_owner  TEXT NOT NULL DEFAULT '',
    lease_until  BIGINT NOT NULL DEFAULT 0,
    fence        BIGINT NOT NULL DEFAULT 0,
    attempt      BIGINT NOT NULL DEFAULT 0,
    crashes      BIGINT NOT NULL DEFAULT 0,
    last_error   TEXT NOT NULL DEFAULT ''
);
CREATE INDEX ingestion_destination_list ON ingestion_destination (ingestion_id, created_at, id);
CREATE INDEX ingestion_destination_due ON ingestion_destination (due_at) WHERE due_at IS NOT NULL;

-- One feed of an ingestion: the duty to poll it, and where reading stands.
CREATE TABLE stream (
    id           TEXT PRIMARY KEY, -- <ingestion id>/<stream name>
    ingestion_id TEXT NOT NULL REFERENCES ingestion (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    cursor       TEXT NOT NULL,    -- JSON; opaque to the store
    read_from    BIGINT NOT NULL,  -- where the poll under way began
    watermark    BIGINT NOT NULL,  -- all before it is read
    denied       BIGINT NOT NULL,  -- version of the grant that was last not accepted; 0: none
    stuck_since  BIGINT NOT NULL,  -- since when the page at the cursor cannot be decoded; 0: it can
    batch_id     TEXT NOT NULL,    -- the open batch; empty: none
    due_at       BIGINT,
    lease_owner  TEXT NOT NULL DEFAULT '',
    lease_until  BIGINT NOT NULL DEFAULT 0,
    fence        BIGINT NOT NULL DEFAULT 0,
    attempt      BIGINT NOT NULL DEFAULT 0,
    crashes      BIGINT NOT NULL DEFAULT 0,
    last_error   TEXT NOT NULL DEFAULT ''
);
CREATE INDEX stream_ingestion ON stream (ingestion_id);
CREATE INDEX stream_due ON stream (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE batch (
    id           TEXT PRIMARY KEY, -- UUID
    ingestion_id TEXT NOT NULL REFERENCES ingestion (id) ON DELETE CASCADE,
    stream       TEXT NOT NULL,
    closed_at    BIGINT NOT NULL,  -- 0: open
    records      BIGINT NOT NULL,
    bytes        BIGINT NOT NULL   -- of the records, before compression
);
CREATE INDEX batch_ingestion ON batch (ingestion_id, closed_at);

CREATE TABLE page (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    batch_id TEXT NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    records  BIGINT NOT NULL,
    body     BLOB NOT NULL -- sealed: the records, compressed
);
CREATE INDEX page_batch ON page (batch_id, seq);

-- A closed batch owed to a destination, or delivered. Bucket and key are frozen
-- before the first attempt.
CREATE TABLE delivery (
    destination_id TEXT NOT NULL REFERENCES ingestion_destination (id) ON DELETE CASCADE,
    batch_id       TEXT NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    closed_at      BIGINT NOT NULL, -- the batch's
    bucket         TEXT NOT NULL,   -- empty: not begun
    object_key     TEXT NOT NULL,
    done_at        BIGINT NOT NULL, -- 0: owed
    PRIMARY KEY (destination_id, batch_id)
);
CREATE INDEX delivery_owed ON delivery (destination_id, closed_at, batch_id) WHERE done_at = 0;
CREATE INDEX delivery_batch ON delivery (batch_id);

CREATE TABLE seen (
    stream_id TEXT NOT NULL,
    hour      BIGINT NOT NULL, -- hours since 1970
    id        BLOB NOT NULL,   -- 16 bytes
    PRIMARY KEY (stream_id, id)
) WITHOUT ROWID;
CREATE INDEX seen_hour ON seen (stream_id, hour);

-- The ledger: the closed intervals that were read, and those that were not.
CREATE TABLE coverage (
    stream_id TEXT NOT NULL REFERENCES stream (id) ON DELETE CASCADE,
    from_at   BIGINT NOT NULL,
    to_at     BIGINT NOT NULL,
    pages     BIGINT NOT NULL,
    records   BIGINT NOT NULL,
    PRIMARY KEY (stream_id, from_at)
);

CREATE TABLE gap (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    stream_id TEXT NOT NULL REFERENCES stream (id) ON DELETE CASCADE,
    from_at   BIGINT NOT NULL,
    to_at     BIGINT NOT NULL,
    reason    TEXT NOT NULL,
    body      BLOB NOT NULL, -- sealed: what could not be decoded; empty where nothing came
    found_at  BIGINT NOT NULL
);
CREATE INDEX gap_stream ON gap (stream_id, from_at);

CREATE TABLE tag (
    resource_id TEXT NOT NULL, -- UUID of the resource
    tag_key     TEXT NOT NULL,
    tag_value   TEXT NOT NULL,
    PRIMARY KEY (resource_id, tag_key)
);

CREATE TABLE client_token (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    operation   TEXT NOT NULL,
    token       TEXT NOT NULL,
    request_key TEXT NOT NULL, -- keyed hash of the request
    resource_id TEXT NOT NULL, -- UUID of what it made
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (account, region, operation, token)
);
CREATE INDEX client_token_resource ON client_token (resource_id);
CREATE INDEX client_token_age ON client_token (created_at);

-- The account that first named a bucket or stream owns the name.
CREATE TABLE place_owner (
    kind    TEXT NOT NULL, -- 'bucket' or 'stream'
    name    TEXT NOT NULL,
    account TEXT NOT NULL,
    PRIMARY KEY (kind, name)
);

CREATE TABLE sweep (
    id          TEXT PRIMARY KEY,
    due_at      BIGINT,
    lease_owner TEXT NOT NULL DEFAULT '',
    lease_until BIGINT NOT NULL DEFAULT 0,
    fence       BIGINT NOT NULL DEFAULT 0,
    attempt     BIGINT NOT NULL DEFAULT 0,
    crashes     BIGINT NOT NULL DEFAULT 0,
    last_error  TEXT NOT NULL DEFAULT ''
);
INSERT INTO sweep (id, due_at) VALUES ('sweep', 0);
