"""SQL of a referral itself: its row, its patient, hops, appointments and steps."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.referrals.domain import (
    Appointment,
    AppointmentState,
    Hop,
    HopEnd,
    OrganizationId,
    Referral,
    ReferralId,
    UserId,
)


# any-organization: a referral concerns two organizations; policy decides who sees it
async def find(tx: Connection, ids: Sequence[ReferralId]) -> dict[ReferralId, Referral]:
    """The referrals with these ids."""
    found = await db.many(
        tx, Referral, "SELECT * FROM referrals WHERE id = ANY((SELECT $1::uuid[])::uuid[])", ids
    )
    return {referral.id: referral for referral in found}


# any-organization: as `find`; the row stays locked until the transaction ends
async def lock(tx: Connection, referral_id: ReferralId) -> Referral | None:
    """The referral, so that nobody else changes it meanwhile."""
    return await db.maybe(
        tx, Referral, "SELECT * FROM referrals WHERE id = $1 FOR UPDATE", referral_id
    )


# any-organization: as `find`; the rows stay locked until the transaction ends, taken in one order
async def lock_all(tx: Connection, ids: Sequence[ReferralId]) -> dict[ReferralId, Referral]:
    """The referrals, so that nobody else changes them meanwhile."""
    found = await db.many(
        tx,
        Referral,
        "SELECT * FROM referrals WHERE id = ANY((SELECT $1::uuid[])::uuid[]) ORDER BY id FOR UPDATE",
        ids,
    )
    return {referral.id: referral for referral in found}


async def insert(tx: Connection, referral: Referral) -> None:
    """A new referral."""
    await db.run(
        tx,
        "INSERT INTO referrals SELECT * FROM jsonb_populate_record(NULL::referrals, $1)",
        _columns(referral),
    )


async def update(tx: Connection, referral: Referral) -> None:
    """The referral's next version; its row is locked by this transaction."""
    changed = await db.run(
        tx,
        """
        UPDATE referrals SET (
            version, status, sending_office_id, sending_provider_id, sending_group_id,
            receiving_organization_id, receiving_office_id, receiving_provider_id, receiving_group_id,
            specialty_code, urgency, plan_id, second_plan_id, plan_acceptance, plan_asked, plan_accepting, outside_plan_reason,
            externally_managed, "authorization",
            hop, claimed_by, callback_at, appointment_at, reason_kind, reason_code, outcome, outcome_at,
            sent_at, received_at, status_since, changed_at
        ) = (SELECT
            version, status, sending_office_id, sending_provider_id, sending_group_id,
            receiving_organization_id, receiving_office_id, receiving_provider_id, receiving_group_id,
            specialty_code, urgency, plan_id, second_plan_id, plan_acceptance, plan_asked, plan_accepting, outside_plan_reason,
            externally_managed, "authorization",
            hop, claimed_by, callback_at, appointment_at, reason_kind, reason_code, outcome, outcome_at,
            sent_at, received_at, status_since, changed_at
        FROM jsonb_populate_record(NULL::referrals, $1))
        WHERE id = $2 AND version = $3
        """,
        _columns(referral),
        referral.id,
        referral.version - 1,
    )
    if changed != 1:
        raise LookupError("a locked referral changed under its lock")


def _columns(referral: Referral) -> dict[str, object]:
    """The row as JSON can carry it."""
    row = {column.name: getattr(referral, column.name) for column in fields(referral)}
    return {name: str(cell) if isinstance(cell, UUID) else cell for name, cell in row.items()}


# Hops -----------------------------------------------------------------------------------------------------------------


# any-organization: policy reads the hops to decide who sees the referral
async def hops(tx: Connection, ids: Sequence[ReferralId]) -> dict[ReferralId, tuple[Hop, ...]]:
    """Every receiver each of these referrals was sent to, in order."""
    rows = await db.many(
        tx,
        Hop,
        "SELECT * FROM hops WHERE referral_id = ANY((SELECT $1::uuid[])::uuid[]) ORDER BY referral_id, hop",
        ids,
    )
    found: dict[ReferralId, tuple[Hop, ...]] = dict.fromkeys(ids, ())
    for hop in rows:
        found[hop.referral_id] = (*found[hop.referral_id], hop)
    return found


async def put_hop(tx: Connection, referral: Referral, at: datetime) -> None:
    """The current hop as the referral says: a new one, or another receiver of the same."""
    await db.run(
        tx,
        "INSERT INTO hops (referral_id, hop, organization_id, office_id, provider_id, group_id, received_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (referral_id, hop) DO UPDATE SET"
        " organization_id = excluded.organization_id, office_id = excluded.office_id,"
        " provider_id = excluded.provider_id, group_id = excluded.group_id",
        referral.id,
        referral.hop,
        referral.receiving_organization_id,
        referral.receiving_office_id,
        referral.receiving_provider_id,
        referral.receiving_group_id,
        at,
    )


async def leave_hop(tx: Connection, referral_id: ReferralId, left_as: HopEnd, at: datetime) -> None:
    """The current receiver is one of the past."""
    await db.run(
        tx,
        "UPDATE hops SET left_at = $2, left_as = $3 WHERE referral_id = $1 AND left_at IS NULL",
        referral_id,
        at,
        left_as,
    )


async def mark_declined(tx: Connection, referral: Referral) -> None:
    """Keep the coded reason on the hop that declined."""
    await db.run(
        tx,
        "UPDATE hops SET declined_code = $2 WHERE referral_id = $1 AND left_at IS NULL",
        referral.id,
        referral.reason_code,
    )


# Appointments ---------------------------------------------------------------------------------------------------------


async def book(tx: Connection, appointment: Appointment, booked_at: datetime) -> None:
    """A new appointment; none may stand on the referral."""
    await db.run(
        tx,
        "INSERT INTO appointments (id, referral_id, at, state, booked_at) VALUES ($1, $2, $3, $4, $5)",
        appointment.id,
        appointment.referral_id,
        appointment.at,
        appointment.state,
        booked_at,
    )


async def end_appointment(
    tx: Connection, referral_id: ReferralId, state: AppointmentState, no_show_code: str | None
) -> None:
    """Say what became of the standing appointment; harmless when none stands."""
    await db.run(
        tx,
        "UPDATE appointments SET state = $2, no_show_code = $3 WHERE referral_id = $1 AND state IN ('BOOKED', 'PASSED')",
        referral_id,
        state,
        no_show_code,
    )


# any-organization: asked only for referrals whose policy answered FULL
async def appointments(
    tx: Connection, ids: Sequence[ReferralId]
) -> dict[ReferralId, list[Appointment]]:
    """Every appointment of these referrals, in the order of booking."""
    rows = await db.many(
        tx,
        Appointment,
        "SELECT * FROM appointments WHERE referral_id = ANY((SELECT $1::uuid[])::uuid[]) ORDER BY booked_at, id",
        ids,
    )
    found: dict[ReferralId, list[Appointment]] = {one: [] for one in ids}
    for appointment in rows:
        found[appointment.referral_id].append(appointment)
    return found


# any-organization: a job looks at everybody's appointments
async def lock_passed(
    tx: Connection, now: datetime, left: Sequence[ReferralId], limit: int
) -> list[Referral]:
    """Scheduled referrals whose appointment's time has come, but for some, locked; those somebody else holds are left to them."""
    return await db.many(
        tx,
        Referral,
        "SELECT * FROM referrals WHERE status = 'SCHEDULED' AND appointment_at <= $1 AND id <> ALL($2)"
        " ORDER BY appointment_at LIMIT $3 FOR UPDATE SKIP LOCKED",
        now,
        left,
        limit,
    )


# any-organization: a job looks at everybody's declined referrals
async def lock_lapsing(
    tx: Connection,
    codes: Sequence[str],
    until: datetime,
    left: Sequence[ReferralId],
    limit: int,
) -> list[Referral]:
    """Referrals declined until an instant for one of these reasons, but for some, locked; those somebody else holds are left to them."""
    return await db.many(
        tx,
        Referral,
        "SELECT * FROM referrals WHERE status = 'DECLINED' AND reason_code = ANY($1) AND status_since <= $2"
        " AND id <> ALL($3) ORDER BY status_since LIMIT $4 FOR UPDATE SKIP LOCKED",
        codes,
        until,
        left,
        limit,
    )


# any-organization: a job looks at everybody's referrals to offline receivers
async def lock_unreported(
    tx: Connection, until: datetime, left: Sequence[ReferralId], limit: int
) -> list[Referral]:
    """Referrals that wait at an offline receiver since an instant, but for some, locked; those somebody else holds are left to them."""
    return await db.many(
        tx,
        Referral,
        "SELECT * FROM referrals WHERE status = 'PENDING' AND externally_managed AND received_at <= $1"
        " AND id <> ALL($2) ORDER BY received_at LIMIT $3 FOR UPDATE SKIP LOCKED",
        until,
        left,
        limit,
    )


async def lock_claimed(
    tx: Connection, organization_id: OrganizationId, user_id: UserId
) -> list[Referral]:
    """Open referrals the user has claimed for the organization, locked."""
    return await db.many(
        tx,
        Referral,
        "SELECT * FROM referrals WHERE receiving_organization_id = $1 AND claimed_by = $2"
        " AND status IN ('PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP') ORDER BY id FOR UPDATE",
        organization_id,
        user_id,
    )
