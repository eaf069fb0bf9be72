-- +goose Up

-- The twin of sqlite/00001_init.sql. Text sorts by its bytes, as on SQLite, so
-- that no index depends on the collations of the machine's libraries.

-- Times are milliseconds since 1970 in UTC; zero or NULL where there is none.
-- A duty is six columns of the row that it serves: due_at (NULL: nothing to
-- do), lease_owner, lease_until, fence, attempt, last_error; crashes counts
-- the claims in a row that never finished.

CREATE TABLE meta (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE app_bundle (
    id         TEXT COLLATE "C" PRIMARY KEY,
    account    TEXT COLLATE "C" NOT NULL,
    region     TEXT COLLATE "C" NOT NULL,
    key_arn    TEXT COLLATE "C" NOT NULL,
    data_key   BYTEA NOT NULL, -- wrapped under the key-encryption key
    created_at BIGINT NOT NULL
);
CREATE INDEX app_bundle_list ON app_bundle (account, region, created_at, id);

CREATE TABLE app_authorization (
    id           TEXT COLLATE "C" PRIMARY KEY,
    bundle_id    TEXT COLLATE "C" NOT NULL REFERENCES app_bundle (id) ON DELETE CASCADE,
    account      TEXT COLLATE "C" NOT NULL,
    region       TEXT COLLATE "C" NOT NULL,
    app          TEXT COLLATE "C" NOT NULL,
    tenant_id    TEXT COLLATE "C" NOT NULL,
    tenant_name  TEXT COLLATE "C" NOT NULL,
    auth_type    TEXT COLLATE "C" NOT NULL,
    status       TEXT COLLATE "C" NOT NULL,
    reason       TEXT COLLATE "C" NOT NULL,
    generation   BIGINT NOT NULL,
    credential   BYTEA NOT NULL, -- sealed: what the user gave for this generation
    verifier     BYTEA NOT NULL, -- sealed: the PKCE verifier of this generation; empty where none
    verifier_no  BIGINT NOT NULL, -- counts the verifiers of the authorization; part of the state
    credential_mark TEXT COLLATE "C" NOT NULL DEFAULT '', -- keyed hash of the credential: the same one given again is no new one
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);
-- By its hash: an index entry has room for fewer bytes than a tenant identifier.
CREATE UNIQUE INDEX app_authorization_tenant ON app_authorization (bundle_id, app, md5(tenant_id));
CREATE INDEX app_authorization_list ON app_authorization (bundle_id, created_at, id);

-- What a provider gave us. The row is made with the authorization, and its own
-- table keeps unrelated writes away from tokens.
CREATE TABLE app_grant (
    id          TEXT COLLATE "C" PRIMARY KEY REFERENCES app_authorization (id) ON DELETE CASCADE,
    generation  BIGINT NOT NULL, -- of the credentials that tokens were obtained with; 0: none yet
    version     BIGINT NOT NULL, -- counts the token sets; swaps compare it
    tokens      BYTEA NOT NULL,   -- sealed: in use; empty: none
    previous    BYTEA NOT NULL,   -- sealed: the set before, until tokens has worked once
    expires_at  BIGINT NOT NULL, -- of the access token in use; 0: it does not end
    facts       TEXT COLLATE "C" NOT NULL,   -- JSON object
    intent      TEXT COLLATE "C" NOT NULL,   -- '', 'exchange' or 'refresh': a request is, or may be, on its way
    intent_key  TEXT COLLATE "C" NOT NULL,   -- keyed hash of the code or token that the request carries
    intent_at   BIGINT NOT NULL,
    request     BYTEA NOT NULL DEFAULT '', -- sealed: what an exchange needs to be sent once more
    answer      BYTEA NOT NULL,   -- sealed: the answer to intent, not yet taken in
    code_key    TEXT COLLATE "C" NOT NULL,   -- keyed hash of the code exchanged last
    due_at      BIGINT,
    lease_owner TEXT COLLATE "C" NOT NULL DEFAULT '',
    lease_until BIGINT NOT NULL DEFAULT 0,
    fence       BIGINT NOT NULL DEFAULT 0,
    attempt     BIGINT NOT NULL DEFAULT 0,
    crashes     BIGINT NOT NULL DEFAULT 0,
    last_error  TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX app_grant_due ON app_grant (due_at) WHERE due_at IS NOT NULL;

-- The lineage of grants: what became of each, without secrets.
CREATE TABLE grant_event (
    seq              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    authorization_id TEXT COLLATE "C" NOT NULL REFERENCES app_authorization (id) ON DELETE CASCADE,
    generation       BIGINT NOT NULL,
    version          BIGINT NOT NULL,
    at               BIGINT NOT NULL,
    replica          TEXT COLLATE "C" NOT NULL,
    event            TEXT COLLATE "C" NOT NULL, -- 'exchanged', 'refreshed', 'refused', 'revoked', 'lost'
    detail           TEXT COLLATE "C" NOT NULL
);
CREATE INDEX grant_event_list ON grant_event (authorization_id, seq);

CREATE TABLE ingestion (
    id         TEXT COLLATE "C" PRIMARY KEY,
    bundle_id  TEXT COLLATE "C" NOT NULL REFERENCES app_bundle (id) ON DELETE CASCADE,
    account    TEXT COLLATE "C" NOT NULL,
    region     TEXT COLLATE "C" NOT NULL,
    app        TEXT COLLATE "C" NOT NULL,
    tenant_id  TEXT COLLATE "C" NOT NULL,
    type       TEXT COLLATE "C" NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,
    bare_since BIGINT NOT NULL DEFAULT 0, -- since when it has no destination, as the sweep saw it; 0: it has one
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX ingestion_tenant ON ingestion (bundle_id, app, md5(tenant_id));
CREATE INDEX ingestion_list ON ingestion (bundle_id, created_at, id);

CREATE TABLE ingestion_destination (
    id           TEXT COLLATE "C" PRIMARY KEY,
    bundle_id    TEXT COLLATE "C" NOT NULL,
    ingestion_id TEXT COLLATE "C" NOT NULL REFERENCES ingestion (id) ON DELETE CASCADE,
    account      TEXT COLLATE "C" NOT NULL,
    region       TEXT COLLATE "C" NOT NULL,
    schema_name  TEXT COLLATE "C" NOT NULL,
    format       TEXT COLLATE "C" NOT NULL,
    bucket       TEXT COLLATE "C" NOT NULL,
    prefix       TEXT COLLATE "C" NOT NULL,
    stream       TEXT COLLATE "C" NOT NULL,
    status       TEXT COLLATE "C" NOT NULL,
    reason       TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    due_at       BIGINT,
    lease_owner  TEXT COLLATE "C" NOT NULL DEFAULT '',
    lease_until  BIGINT NOT NULL DEFAULT 0,
    fence        BIGINT NOT NULL DEFAULT 0,
    attempt      BIGINT NOT NULL DEFAULT 0,
    crashes      BIGINT NOT NULL DEFAULT 0,
    last_error   TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX ingestion_destination_list ON ingestion_destination (ingestion_id, created_at, id);
CREATE INDEX ingestion_destination_due ON ingestion_destination (due_at) WHERE due_at IS NOT NULL;

-- One feed of an ingestion: the duty to poll it, and where reading stands.
CREATE TABLE stream (
    id           TEXT COLLATE "C" PRIMARY KEY, -- <ingestion id>/<stream name>
    ingestion_id TEXT COLLATE "C" NOT NULL REFERENCES ingestion (id) ON DELETE CASCADE,
    name         TEXT COLLATE "C" NOT NULL,
    cursor       TEXT COLLATE "C" NOT NULL,    -- JSON; opaque to the store
    read_from    BIGINT NOT NULL,  -- where the poll under way began
    watermark    BIGINT NOT NULL,  -- all before it is read
    denied       BIGINT NOT NULL,  -- version of the grant that was last not accepted; 0: none
    stuck_since  BIGINT NOT NULL,  -- since when the page at the cursor cannot be decoded; 0: it can
    batch_id     TEXT COLLATE "C" NOT NULL,    -- the open batch; empty: none
    due_at       BIGINT,
    lease_owner  TEXT COLLATE "C" NOT NULL DEFAULT '',
    lease_until  BIGINT NOT NULL DEFAULT 0,
    fence        BIGINT NOT NULL DEFAULT 0,
    attempt      BIGINT NOT NULL DEFAULT 0,
    crashes      BIGINT NOT NULL DEFAULT 0,
    last_error   TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX stream_ingestion ON stream (ingestion_id);
CREATE INDEX stream_due ON stream (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE batch (
    id           TEXT COLLATE "C" PRIMARY KEY, -- UUID
    ingestion_id TEXT COLLATE "C" NOT NULL REFERENCES ingestion (id) ON DELETE CASCADE,
    stream       TEXT COLLATE "C" NOT NULL,
    closed_at    BIGINT NOT NULL,  -- 0: open
    records      BIGINT NOT NULL,
    bytes        BIGINT NOT NULL   -- of the records, before compression
);
CREATE INDEX batch_ingestion ON batch (ingestion_id, closed_at);

CREATE TABLE page (
    seq      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id TEXT COLLATE "C" NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    records  BIGINT NOT NULL,
    body     BYTEA NOT NULL -- sealed: the records, compressed
);
CREATE INDEX page_batch ON page (batch_id, seq);

-- A closed batch owed to a destination, or delivered. Bucket and key are frozen
-- before the first attempt.
CREATE TABLE delivery (
    destination_id TEXT COLLATE "C" NOT NULL REFERENCES ingestion_destination (id) ON DELETE CASCADE,
    batch_id       TEXT COLLATE "C" NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    closed_at      BIGINT NOT NULL, -- the batch's
    bucket         TEXT COLLATE "C" NOT NULL,   -- empty: not begun
    object_key     TEXT COLLATE "C" NOT NULL,
    done_at        BIGINT NOT NULL, -- 0: owed
    PRIMARY KEY (destination_id, batch_id)
);
CREATE INDEX delivery_owed ON delivery (destination_id, closed_at, batch_id) WHERE done_at = 0;
CREATE INDEX delivery_batch ON delivery (batch_id);

CREATE TABLE seen (
    stream_id TEXT COLLATE "C" NOT NULL,
    hour      BIGINT NOT NULL, -- hours since 1970
    id        BYTEA NOT NULL,   -- 16 bytes
    PRIMARY KEY (stream_id, id)
);
CREATE INDEX seen_hour ON seen (stream_id, hour);

-- The ledger: the closed intervals that were read, and those that were not.
CREATE TABLE coverage (
    stream_id TEXT COLLATE "C" NOT NULL REFERENCES stream (id) ON DELETE CASCADE,
    from_at   BIGINT NOT NULL,
    to_at     BIGINT NOT NULL,
    pages     BIGINT NOT NULL,
    records   BIGINT NOT NULL,
    PRIMARY KEY (stream_id, from_at)
);

CREATE TABLE gap (
    seq       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream_id TEXT COLLATE "C" NOT NULL REFERENCES stream (id) ON DELETE CASCADE,
    from_at   BIGINT NOT NULL,
    to_at     BIGINT NOT NULL,
    reason    TEXT COLLATE "C" NOT NULL,
    body      BYTEA NOT NULL, -- sealed: what could not be decoded; empty where nothing came
    found_at  BIGINT NOT NULL
);
CREATE INDEX gap_stream ON gap (stream_id, from_at);

CREATE TABLE tag (
    resource_id TEXT COLLATE "C" NOT NULL, -- UUID of the resource
    tag_key     TEXT COLLATE "C" NOT NULL,
    tag_value   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (resource_id, tag_key)
);

CREATE TABLE client_token (
    account     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    operation   TEXT COLLATE "C" NOT NULL,
    token       TEXT COLLATE "C" NOT NULL,
    request_key TEXT COLLATE "C" NOT NULL, -- keyed hash of the request
    resource_id TEXT COLLATE "C" NOT NULL, -- UUID of what it made
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (account, region, operation, token)
);
CREATE INDEX client_token_resource ON client_token (resource_id);
CREATE INDEX client_token_age ON client_token (created_at);

-- The account that first named a bucket or stream owns the name.
CREATE TABLE place_owner (
    kind    TEXT COLLATE "C" NOT NULL, -- 'bucket' or 'stream'
    name    TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, name)
);

CREATE TABLE sweep (
    id          TEXT COLLATE "C" PRIMARY KEY,
    due_at      BIGINT,
    lease_owner TEXT COLLATE "C" NOT NULL DEFAULT '',
    lease_until BIGINT NOT NULL DEFAULT 0,
    fence       BIGINT NOT NULL DEFAULT 0,
    attempt     BIGINT NOT NULL DEFAULT 0,
    crashes     BIGINT NOT NULL DEFAULT 0,
    last_error  TEXT COLLATE "C" NOT NULL DEFAULT ''
);
INSERT INTO sweep (id, due_at) VALUES ('sweep', 0);
