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
    after, change = step.after, step.after.change
    await db.run(
        tx,
        """WITH ended AS (
                UPDATE standings SET until = $4 WHERE organization_id = $1 AND referral_id = $2 AND until = 'infinity'
            ), stands AS (
                INSERT INTO standings (organization_id, referral_id, sequence, at, status, holder, since, acted, scheduled,
                    appointment, loop_closed, worked_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            )
            INSERT INTO moments (organization_id, referral_id, sequence, at, movement, group_id, waited, until_appointment,
                told_sequence)
            SELECT $1, $2, $3, $4, * FROM unnest($13::referral_movement[], $14::uuid[], $15::interval[], $16::interval[],
                $17::bigint[])""",
        organization_id,
        change.referral_id,
        change.sequence,
        step.at,
        change.status,
        change.holder,
        after.since,
        after.acted,
        after.scheduled,
        after.appointment,
        after.loop_closed,
        after.worked_at,
        [moment.movement for moment in moments],
        [moment.group_id for moment in moments],
        [moment.waited for moment in moments],
        [moment.until_appointment for moment in moments],
        [moment.told.sequence for moment in moments],
    )
