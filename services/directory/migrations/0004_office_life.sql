-- What an office's life needs besides: its hours, who has attested its roster, the first day it missed, and how it closes.
ALTER TABLE offices
    -- When it is open, as [{"weekday": "MONDAY", "opens": "08:00", "closes": "17:00"}] on its own calendar; empty: not said.
    ADD COLUMN hours jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(hours) = 'array'),
    -- Who works for the office, as a person attested it (R18). It holds as long as the same users work there.
    ADD COLUMN roster_attested uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN roster_attested_at timestamptz,
    ADD COLUMN roster_attested_by uuid,
    -- The first day that came and did not find the office ready, once that has been told (R16).
    ADD COLUMN missed_on date,
    -- A closing that is planned (R19): the first day without the office, and the first on which nothing more is sent to it.
    ADD COLUMN closes_on date,
    ADD COLUMN cut_off_on date,
    -- Whether referrals has its fence up: then a closing office only waits for its day and for its open referrals.
    ADD COLUMN fenced boolean NOT NULL DEFAULT false,
    ADD CHECK ((roster_attested_at IS NULL) = (roster_attested_by IS NULL)),
    ADD CHECK ((closes_on IS NULL) = (cut_off_on IS NULL) AND cut_off_on <= closes_on);
CREATE INDEX offices_cut_off ON offices (cut_off_on) WHERE cut_off_on IS NOT NULL AND fence IS NULL;

-- Offices that are closing since before there were planned closings close as soon as they can.
UPDATE offices SET closes_on = (fence_at AT TIME ZONE time_zone)::date, cut_off_on = (fence_at AT TIME ZONE time_zone)::date
    WHERE state = 'CLOSING';

-- Same-looking offices are looked for by postal code and by phone.
CREATE INDEX offices_postal ON offices (organization_id, left(postal_code, 5)) WHERE state <> 'CLOSED';

-- Every role ends with a deactivation.
DELETE FROM office_users_heard w USING users_heard u
    WHERE u.user_id = w.user_id AND u.organization_id = w.organization_id AND NOT u.active;
