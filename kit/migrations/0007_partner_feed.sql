-- R14: what an organization was told of things it has lost access to since: its facts up to `upto`. Partners hear them no more: they are taken out of the feed,
-- and should the stream lose its memory, they are told again to our own services alone.
CREATE TABLE outbox_withdrawn (
    organization_id uuid NOT NULL,
    aggregate text NOT NULL,
    aggregate_id uuid NOT NULL,
    upto bigint NOT NULL CHECK (upto > 0),
    PRIMARY KEY (organization_id, aggregate, aggregate_id)
);

-- How often the stream came back shorter than it was: a mirror of it from before is not to be trusted.
ALTER TABLE outbox_stream ADD COLUMN cut integer NOT NULL DEFAULT 0;
