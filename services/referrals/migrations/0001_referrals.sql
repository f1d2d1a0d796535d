-- Referrals, and the only patients' data of the suite. Types and CHECKs state the rules; README.md tells the story.

CREATE TYPE referral_status AS ENUM
    ('DRAFT', 'PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP', 'COMPLETED', 'DECLINED', 'CANCELLED');
CREATE TYPE urgency AS ENUM ('ROUTINE', 'URGENT', 'ASAP', 'STAT');
CREATE TYPE plan_acceptance AS ENUM ('ACCEPTED', 'NOT_LISTED', 'UNKNOWN');
CREATE TYPE authorization_status AS ENUM ('REQUIRED', 'PENDING', 'OBTAINED', 'DECLINED');
CREATE TYPE reason_kind AS ENUM ('DECLINE', 'CANCEL', 'NO_SHOW');
CREATE TYPE appointment_state AS ENUM ('BOOKED', 'PASSED', 'CANCELLED', 'FULFILLED', 'NO_SHOW');
CREATE TYPE hop_end AS ENUM ('FORWARDED', 'RESENT');
CREATE TYPE happened AS ENUM
    ('DRAFTED', 'DRAFT_CHANGED', 'SENT', 'ACKNOWLEDGED', 'CLAIMED', 'RELEASED', 'SCHEDULED', 'RESCHEDULED',
     'APPOINTMENT_CANCELLED', 'APPOINTMENT_PASSED', 'COMPLETED', 'NO_SHOW', 'DECLINED', 'REASSIGNED', 'FORWARDED', 'RESENT',
     'CANCELLED');
CREATE TYPE fence_kind AS ENUM ('PROVIDER', 'OFFICE', 'GROUP');

-- Why something was declined, cancelled or missed. A code is usable from a day until the day before another; it is never
-- deleted, because history names it.
CREATE TABLE reasons (
    kind reason_kind NOT NULL,
    code text NOT NULL CHECK (code ~ '^[A-Z][A-Z_]+$'),
    text text NOT NULL,
    valid_from date NOT NULL,
    valid_until date CHECK (valid_until > valid_from),
    PRIMARY KEY (kind, code)
);

CREATE TABLE referrals (
    id uuid PRIMARY KEY,
    version integer NOT NULL CHECK (version >= 1),
    status referral_status NOT NULL,
    sending_organization_id uuid NOT NULL,
    sending_office_id uuid NOT NULL,
    sending_provider_id uuid,
    sending_group_id uuid,
    receiving_organization_id uuid,
    receiving_office_id uuid,
    receiving_provider_id uuid,
    receiving_group_id uuid,
    specialty_code text NOT NULL CHECK (specialty_code ~ '^[0-9A-Z]{9}X$'),
    urgency urgency NOT NULL,
    plan_id uuid,
    plan_acceptance plan_acceptance,
    plan_asked integer NOT NULL DEFAULT 0,
    plan_accepting integer NOT NULL DEFAULT 0,
    "authorization" authorization_status,
    hop integer NOT NULL DEFAULT 1 CHECK (hop BETWEEN 1 AND 100),
    claimed_by uuid,
    callback_at timestamptz,
    appointment_at timestamptz,
    reason_kind reason_kind,
    reason_code text,
    created_at timestamptz NOT NULL,
    sent_at timestamptz,
    changed_at timestamptz NOT NULL,

    FOREIGN KEY (reason_kind, reason_code) REFERENCES reasons (kind, code),
    -- R22: without a provider only a group sends.
    CONSTRAINT sender_named CHECK (sending_provider_id IS NOT NULL OR sending_group_id IS NOT NULL),
    CONSTRAINT draft_is_unsent CHECK (status <> 'DRAFT' OR sent_at IS NULL),
    CONSTRAINT unsent_is_draft_or_cancelled CHECK (sent_at IS NOT NULL OR status IN ('DRAFT', 'CANCELLED')),
    CONSTRAINT sent_has_receiver CHECK (sent_at IS NULL OR (
        receiving_organization_id IS NOT NULL AND receiving_office_id IS NOT NULL
        AND (receiving_provider_id IS NOT NULL OR receiving_group_id IS NOT NULL))),
    CONSTRAINT scheduled_has_time CHECK (status <> 'SCHEDULED' OR (
        appointment_at IS NOT NULL AND receiving_provider_id IS NOT NULL)),
    CONSTRAINT time_has_status CHECK (appointment_at IS NULL OR status IN ('SCHEDULED', 'FOLLOW_UP', 'COMPLETED')),
    -- R21: only a group's referral is claimed, and for a provider.
    CONSTRAINT claim_has_provider CHECK (claimed_by IS NULL OR (
        receiving_group_id IS NOT NULL AND receiving_provider_id IS NOT NULL)),
    -- R13: declined and cancelled say why, with a reason of their own kind; nothing else does.
    CONSTRAINT reason_complete CHECK ((reason_kind IS NULL) = (reason_code IS NULL)),
    CONSTRAINT reason_fits_status CHECK (reason_kind IS NOT DISTINCT FROM CASE status
        WHEN 'DECLINED' THEN 'DECLINE'::reason_kind WHEN 'CANCELLED' THEN 'CANCEL'::reason_kind END),
    CONSTRAINT plan_counts CHECK (plan_accepting BETWEEN 0 AND plan_asked)
);
CREATE INDEX referrals_sending_office ON referrals (sending_organization_id, sending_office_id, status, id);
CREATE INDEX referrals_sending_group ON referrals (sending_organization_id, sending_group_id, status, id)
    WHERE sending_group_id IS NOT NULL;
CREATE INDEX referrals_sending_provider ON referrals (sending_organization_id, sending_provider_id, status, id);
CREATE INDEX referrals_receiving_office ON referrals (receiving_organization_id, receiving_office_id, status, id);
CREATE INDEX referrals_receiving_group ON referrals (receiving_organization_id, receiving_group_id, status, id)
    WHERE receiving_group_id IS NOT NULL;
CREATE INDEX referrals_receiving_provider ON referrals (receiving_organization_id, receiving_provider_id, status, id);
CREATE INDEX referrals_claimed ON referrals (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX referrals_appointments ON referrals (appointment_at) WHERE status = 'SCHEDULED';

-- PHI: the least the receiver needs. One row per referral, so that it is seen and deleted with it.
CREATE TABLE patients (
    referral_id uuid PRIMARY KEY REFERENCES referrals (id),
    given_name text NOT NULL CHECK (length(given_name) BETWEEN 1 AND 100),
    family_name text NOT NULL CHECK (length(family_name) BETWEEN 1 AND 100),
    born_on date NOT NULL,
    phone text CHECK (length(phone) <= 40),
    postal_code text CHECK (length(postal_code) <= 20),
    member_number text CHECK (length(member_number) <= 60),
    clinical_note text CHECK (length(clinical_note) <= 4000)
);

-- Every receiver a referral was sent to. The one that has not left is the current one. A decline is written on its hop, so
-- that it is still known after the sender sent the referral again.
CREATE TABLE hops (
    referral_id uuid NOT NULL REFERENCES referrals (id),
    hop integer NOT NULL CHECK (hop >= 1),
    organization_id uuid NOT NULL,
    office_id uuid NOT NULL,
    provider_id uuid,
    group_id uuid,
    received_at timestamptz NOT NULL,
    left_at timestamptz,
    left_as hop_end,
    declined_code text,
    PRIMARY KEY (referral_id, hop),
    CONSTRAINT receiver_named CHECK (provider_id IS NOT NULL OR group_id IS NOT NULL),
    CONSTRAINT left_complete CHECK ((left_at IS NULL) = (left_as IS NULL))
);
CREATE UNIQUE INDEX hops_one_current ON hops (referral_id) WHERE left_at IS NULL;

CREATE TABLE appointments (
    id uuid PRIMARY KEY,
    referral_id uuid NOT NULL REFERENCES referrals (id),
    at timestamptz NOT NULL,
    state appointment_state NOT NULL,
    no_show_code text,
    booked_at timestamptz NOT NULL,
    -- Always NO_SHOW beside a code: half of the key of its reason.
    no_show_kind reason_kind GENERATED ALWAYS AS
        (CASE WHEN no_show_code IS NOT NULL THEN 'NO_SHOW'::reason_kind END) STORED,
    FOREIGN KEY (no_show_kind, no_show_code) REFERENCES reasons (kind, code),
    CONSTRAINT no_show_says_why CHECK ((state = 'NO_SHOW') = (no_show_code IS NOT NULL))
);
CREATE INDEX appointments_of ON appointments (referral_id, booked_at);
CREATE UNIQUE INDEX appointments_one_standing ON appointments (referral_id) WHERE state IN ('BOOKED', 'PASSED');

-- What was done, by whom, in the transaction that did it. The comment may speak of the patient: it is PHI.
CREATE TABLE steps (
    referral_id uuid NOT NULL REFERENCES referrals (id),
    version integer NOT NULL,
    happened happened NOT NULL,
    status referral_status NOT NULL,
    by_user_id uuid,
    by_organization_id uuid,
    comment text CHECK (length(comment) <= 2000),
    taken_at timestamptz NOT NULL,
    PRIMARY KEY (referral_id, version)
);

-- Per user, and never hiding work from anybody else.
CREATE TABLE archived (
    user_id uuid NOT NULL,
    referral_id uuid NOT NULL REFERENCES referrals (id),
    archived_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, referral_id)
);

-- Raised by directory around what is leaving (R15, R19, R24). Every send takes the shared lock of its subjects and then looks
-- here; raising takes the exclusive one. A fence stays after a removal was done.
CREATE TABLE fences (
    kind fence_kind NOT NULL,
    subject_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    raised_at timestamptz NOT NULL,
    PRIMARY KEY (kind, subject_id, organization_id)
);

-- R14: the organization reads none of the provider's referrals any more.
CREATE TABLE removed_providers (
    organization_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    removed_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, provider_id)
);

-- Heard from directory: who works for a group, and who is in it.
CREATE TABLE group_staff (
    group_id uuid NOT NULL,
    user_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_staff_of ON group_staff (organization_id, user_id);

CREATE TABLE group_members (
    group_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    PRIMARY KEY (group_id, provider_id)
);
