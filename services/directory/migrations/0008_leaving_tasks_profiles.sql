-- How things leave, what admins are to look after, and what a provider's profile says besides.

ALTER TABLE providers
    -- A removal that ends the placements itself, once nothing is open (R15).
    ADD COLUMN ends_placements boolean NOT NULL DEFAULT false,
    -- ISO 639 codes of the languages in which the provider can be spoken to, the best one first.
    ADD COLUMN languages text[] NOT NULL DEFAULT '{}' CHECK (array_position(languages, NULL) IS NULL),
    ADD COLUMN gender text CHECK (gender IN ('FEMALE', 'MALE', 'OTHER')),
    ADD COLUMN email text NOT NULL DEFAULT '' CHECK (char_length(email) <= 254),
    -- What the national register says of the NPI: a deactivated one still has a right check digit (R11).
    ADD COLUMN npi_status text NOT NULL DEFAULT 'UNKNOWN' CHECK (npi_status IN ('UNKNOWN', 'ACTIVE', 'DEACTIVATED')),
    ADD COLUMN npi_checked_at timestamptz,
    -- When somebody last looked at an approved profile and found it right.
    ADD COLUMN verified_at timestamptz,
    -- The record in which this one has been merged.
    ADD COLUMN merged_into uuid,
    -- The import that brought it.
    ADD COLUMN import_batch uuid,
    ADD FOREIGN KEY (organization_id, merged_into) REFERENCES providers (organization_id, id),
    ADD CHECK (merged_into IS NULL OR (state = 'REMOVED' AND merged_into <> id)),
    ADD CHECK (NOT ends_placements OR fence IS NOT NULL);
UPDATE providers SET verified_at = approved_at;
CREATE INDEX providers_merged ON providers (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX providers_batch ON providers (import_batch) WHERE import_batch IS NOT NULL;

ALTER TABLE groups
    -- Which open referral goes to which member when the group is removed, as [{"referral_id": ..., "provider_id": ...}] (R24).
    ADD COLUMN redistribution jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(redistribution) = 'array'),
    -- Since when nobody who has confirmed works for it (R23).
    ADD COLUMN unstaffed_since timestamptz;
UPDATE groups SET unstaffed_since = added_at WHERE state = 'INCOMPLETE';

-- Something that admins of the organization are to look after. It is about a subject and, where that comes again, an occasion:
-- what was dismissed once is not raised again for the same occasion.
CREATE TABLE tasks (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN (
        'PROVIDER_WITHOUT_OFFICE', 'IMPORT_WITHOUT_OFFICES', 'GROUP_WITHOUT_STAFF', 'ROSTER_NOT_ATTESTED', 'GO_LIVE_MISSED',
        'PROFILE_TO_VERIFY')),
    subject_id uuid NOT NULL,
    occasion text NOT NULL DEFAULT '',
    raised_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_because text CHECK (closed_because IN ('DONE', 'DISMISSED')),
    closed_by uuid,
    reason text CHECK (char_length(reason) BETWEEN 1 AND 500),
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    CHECK ((closed_at IS NULL) = (closed_because IS NULL)),
    CHECK ((closed_because = 'DISMISSED') = (reason IS NOT NULL AND closed_by IS NOT NULL) OR closed_at IS NULL)
);
CREATE UNIQUE INDEX tasks_open ON tasks (kind, subject_id) WHERE closed_at IS NULL;
CREATE INDEX tasks_dismissed ON tasks (kind, subject_id, occasion) WHERE closed_because = 'DISMISSED';
CREATE INDEX tasks_of ON tasks (organization_id, raised_at, id) WHERE closed_at IS NULL;

ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tasks USING (in_scope(organization_id));
