"""Where referrals stood, and what each change meant for the groups: kept as the changes are heard."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from kit import db
from kit.db import Connection
from services.reporting.domain import (
    Change,
    Moment,
    OrganizationId,
    ReferralId,
    Standing,
    Step,
)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept of a step beside its change."""

    at: datetime
    since: datetime
    acted: bool
    scheduled: bool
    appointment: bool
    loop_closed: bool
    worked_at: datetime


async def last_step(
    tx: Connection, organization_id: OrganizationId, referral_id: ReferralId
) -> Step | None:
    """The last step of a referral, without the standing before it; None of one that was not heard of."""
    kept = await db.maybe(
        tx,
        _Kept,
        """SELECT at, since, acted, scheduled, appointment, loop_closed, worked_at FROM standings
            WHERE organization_id = $1 AND referral_id = $2 AND until = 'infinity'""",
        organization_id,
        referral_id,
    )
    if kept is None:
        return None
    change = await db.one(
        tx,
        Change,
        """SELECT c.* FROM referral_changes c JOIN standings s USING (organization_id, referral_id, sequence)
            WHERE c.organization_id = $1 AND c.referral_id = $2 AND s.until = 'infinity'""",
        organization_id,
        referral_id,
    )
    told = {field.name: getattr(kept, field.name) for field in fields(kept) if field.name != "at"}
    return Step(kept.at, None, Standing(change, **told))


async def add_step(
    tx: Connection, organization_id: OrganizationId, step: Step, moments: Sequence[Moment]
) -> None:
    """Keep a referral's next step, which ends how it stood before, and what it means for the groups."""
    rows = [_moment(moment) for moment in moments]
    columns = [[row[place] for row in rows] for place in range(_OF_A_MOMENT)]
    await db.run(tx, _STEP, organization_id, *_standing(step), *columns)


def _standing(step: Step) -> tuple[object, ...]:
    after, change = step.after, step.after.change
    begun = (change.referral_id, change.sequence, step.at, change.status, change.holder)
    flags = (after.acted, after.scheduled, after.appointment, after.loop_closed)
    return (*begun, after.since, *flags, after.worked_at, *_places(change))


_OF_A_MOMENT = 10


def _moment(moment: Moment) -> tuple[object, ...]:
    waits = (moment.waited, moment.until_appointment)
    ended = (moment.change.reason_code, moment.change.outcome)
    return (moment.movement, moment.group_id, *waits, *ended, *_places(moment.told))


def _places(change: Change) -> tuple[object, ...]:
    sending = (change.sending_office_id, change.sending_group_id)
    return (*sending, change.office_id, change.provider_id)


_STEP = """
WITH ended AS (
    UPDATE standings SET until = $4 WHERE organization_id = $1 AND referral_id = $2 AND until = 'infinity'
), stands AS (
    INSERT INTO standings (organization_id, referral_id, sequence, at, status, holder, since, acted, scheduled, appointment,
        loop_closed, worked_at, sending_office_id, sending_group_id, office_id, provider_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
)
INSERT INTO moments (organization_id, referral_id, sequence, at, movement, group_id, waited, until_appointment, reason_code,
    outcome, sending_office_id, sending_group_id, office_id, provider_id)
SELECT $1, $2, $3, $4, * FROM unnest($17::referral_movement[], $18::uuid[], $19::interval[], $20::interval[], $21::text[],
    $22::referral_outcome[], $23::uuid[], $24::uuid[], $25::uuid[], $26::uuid[])
"""
