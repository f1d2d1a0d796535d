-- A status is no condition of an index: behind a wall PostgreSQL asks an index only what is leak-proof, and to compare an enum is not.
-- A queue read all that had ever been at its office. What an index is made of may say the status: so there are two in place of each,
-- of what is open and of what has ended, in the order in which queues are read. Their greatest(...) is the id itself, but no order of
-- the primary key: by that key PostgreSQL, which uses no figures of a status behind a wall, would look for the office's referrals
-- among everybody's.
CREATE INDEX referrals_open_of_sending_office ON referrals
    (sending_organization_id, sending_office_id, (greatest(id, '00000000-0000-0000-0000-000000000000')))
    WHERE status IN ('DRAFT', 'PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP', 'DECLINED');
CREATE INDEX referrals_open_of_sending_group ON referrals
    (sending_organization_id, sending_group_id, (greatest(id, '00000000-0000-0000-0000-000000000000')))
    WHERE status IN ('DRAFT', 'PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP', 'DECLINED') AND sending_group_id IS NOT NULL;
CREATE INDEX referrals_open_of_sending_provider ON referrals
    (sending_organization_id, sending_provider_id, (greatest(id, '00000000-0000-0000-0000-000000000000')))
    WHERE status IN ('DRAFT', 'PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP', 'DECLINED');
CREATE INDEX referrals_open_of_receiving_office ON referrals
    (receiving_organization_id, receiving_office_id, (greatest(id, '00000000-0000-0000-0000-000000000000')))
    WHERE status IN ('DRAFT', 'PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP', 'DECLINED');
CREATE INDEX referrals_open_of_receiving_group ON referrals
    (receiving_organization_id, receiving_group_id, (greatest(id, '00000000-0000-0000-0000-000000000000')))
    WHERE status IN ('DRAFT', 'PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP', 'DECLINED') AND receiving_group_id IS NOT NULL;
CREATE INDEX referrals_open_of_receiving_provider ON referrals
    (receiving_organization_id, receiving_provider_id, (greatest(id, '00000000-0000-0000-0000-000000000000')))
    WHERE status IN ('DRAFT', 'PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP', 'DECLINED');
CREATE INDEX referrals_ended_of_sending_office ON referrals
    (sending_organization_id, sending_office_id, (greatest(id, '00000000-0000-0000-0000-000000000000')))
    WHERE status IN ('COMPLETED', 'CANCELLED');
CREATE INDEX referrals_ended_of_sending_group ON referrals
    (sending_organization_id, sending_group_id, (greatest(id, '00000000-0000-0000-0000-000000000000')))
    WHERE status IN ('COMPLETED', 'CANCELLED') AND sending_group_id IS NOT NULL;
CREATE INDEX referrals_ended_of_sending_provider ON referrals
    (sending_organization_id, sending_provider_id, (greatest(id, '00000000-0000-0000-0000-000000000000')))
    WHERE status IN ('COMPLETED', 'CANCELLED');
CREATE INDEX referrals_ended_of_receiving_office ON referrals
    (receiving_organization_id, receiving_office_id, (greatest(id, '00000000-0000-0000-0000-000000000000')))
    WHERE status IN ('COMPLETED', 'CANCELLED');
CREATE INDEX referrals_ended_of_receiving_group ON referrals
    (receiving_organization_id, receiving_group_id, (greatest(id, '00000000-0000-0000-0000-000000000000')))
    WHERE status IN ('COMPLETED', 'CANCELLED') AND receiving_group_id IS NOT NULL;
CREATE INDEX referrals_ended_of_receiving_provider ON referrals
    (receiving_organization_id, receiving_provider_id, (greatest(id, '00000000-0000-0000-0000-000000000000')))
    WHERE status IN ('COMPLETED', 'CANCELLED');
DROP INDEX referrals_sending_office, referrals_sending_group, referrals_sending_provider,
    referrals_receiving_office, referrals_receiving_group, referrals_receiving_provider;

-- All of a sender, open or not: what is sealed anew with another key.
CREATE INDEX referrals_of_sender ON referrals (sending_organization_id, id);
