-- What every service's database holds besides its own tables: the outbox, the inbox, the clock's offset, answers to retries.

-- Facts waiting to be told, and those told already (kept for replay). `id` is taken while the aggregate's row in
-- outbox_sequences is locked, so within one aggregate the order of ids is the order of commits.
CREATE TABLE outbox_sequences (
    organization_id uuid NOT NULL,
    aggregate text NOT NULL,
    aggregate_id uuid NOT NULL,
    last bigint NOT NULL CHECK (last > 0),
    PRIMARY KEY (organization_id, aggregate, aggregate_id)
);

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL UNIQUE,
    organization_id uuid NOT NULL,
    aggregate text NOT NULL,
    aggregate_id uuid NOT NULL,
    sequence bigint NOT NULL CHECK (sequence > 0),
    subject text NOT NULL,
    body text NOT NULL,
    recorded_at timestamptz NOT NULL,
    sent_at timestamptz,
    UNIQUE (organization_id, aggregate, aggregate_id, sequence)
);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;

-- What the relay last saw of the stream: a younger or shorter stream has lost its memory and is told everything again.
CREATE TABLE outbox_stream (
    stream text PRIMARY KEY,
    created_at timestamptz NOT NULL,
    last_sequence bigint NOT NULL
);

CREATE TABLE inbox (
    event_id uuid PRIMARY KEY,
    heard_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- How far each aggregate was heard. `source` is who tells it and what it is ("directory.provider"): an office of directory and
-- the insurance plans of that office may have the same id, and count their facts apart.
CREATE TABLE inbox_sequences (
    organization_id uuid NOT NULL,
    source text NOT NULL,
    aggregate_id uuid NOT NULL,
    last bigint NOT NULL,
    PRIMARY KEY (organization_id, source, aggregate_id)
);

-- Facts that could not be applied, with the cause, and those of the same aggregate that wait behind them. Setting redrive_at of
-- the first open one of an aggregate has it applied once more, and what waits behind it after it.
CREATE TABLE dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid,
    organization_id uuid,
    source text,
    aggregate_id uuid,
    sequence bigint,
    subject text NOT NULL,
    body text NOT NULL,
    cause text NOT NULL,
    died_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    redrive_at timestamptz,
    redriven_at timestamptz
);
CREATE INDEX dead_letters_open ON dead_letters (organization_id, source, aggregate_id, sequence) WHERE redriven_at IS NULL;

-- How far development and tests have moved the suite's clock from the database's. Production never writes it.
CREATE TABLE clock_offset (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    shift interval NOT NULL
);

-- The answers of creates and sends, so that a retry with the same key gets the first answer and does nothing again.
CREATE TABLE idempotency (
    user_id uuid NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    request_hash bytea NOT NULL,
    result_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, key)
);
