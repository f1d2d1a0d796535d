"""The facts of participations, and of plans that end, recorded in the transaction that made them true."""

from datetime import date, datetime

from kit.auth import Viewer
from kit.db import Connection
from kit.outbox import record
from proto.insurance.v1.events_pb2 import (
    ParticipationAdded,
    ParticipationEnded,
    ParticipationVerified,
    PlanEnded,
)
from services.insurance.domain import OrganizationId, Participation, PlanEnding


async def tell_added(tx: Connection, row: Participation, by: Viewer) -> None:
    """The plan is accepted there from a day on."""
    fact = ParticipationAdded(
        participation_id=str(row.id),
        provider_id=str(row.provider_id),
        office_id=str(row.office_id),
        plan_id=str(row.plan_id),
        effective_from=row.effective_from.isoformat(),
        effective_until=_iso(row.effective_until),
        verified_on=_iso(row.last_verified_on),
        copied_from=str(row.copied_from) if row.copied_from else "",
    )
    await _record(tx, row, fact, row.added_at, by)


async def tell_ended(tx: Connection, row: Participation, at: datetime, by: Viewer) -> None:
    """It ends, or will end, before the day in the row."""
    fact = ParticipationEnded(
        participation_id=str(row.id),
        provider_id=str(row.provider_id),
        office_id=str(row.office_id),
        plan_id=str(row.plan_id),
        effective_from=row.effective_from.isoformat(),
        effective_until=_iso(row.effective_until),
        verified_on=_iso(row.last_verified_on),
    )
    await _record(tx, row, fact, at, by)


async def tell_verified(tx: Connection, row: Participation, at: datetime, by: Viewer) -> None:
    """Somebody said that it is still true."""
    fact = ParticipationVerified(
        participation_id=str(row.id),
        verified_on=_iso(row.last_verified_on),
        provider_id=str(row.provider_id),
        office_id=str(row.office_id),
        plan_id=str(row.plan_id),
        effective_from=row.effective_from.isoformat(),
        effective_until=_iso(row.effective_until),
    )
    await _record(tx, row, fact, at, by)


async def tell_plan_ended(
    tx: Connection, ending: PlanEnding, organization_id: OrganizationId, at: datetime, by: Viewer
) -> None:
    """A plan that is accepted somewhere in the organization ends, or is merged into another."""
    fact = PlanEnded(
        plan_id=str(ending.plan_id),
        ends_on=ending.ends_on.isoformat(),
        successor_id=str(ending.successor_id) if ending.successor_id else "",
    )
    await record(
        tx,
        fact,
        organization_id=organization_id,
        aggregate="plan",
        aggregate_id=ending.plan_id,
        at=at,
        by=by,
    )


async def _record(
    tx: Connection,
    row: Participation,
    fact: ParticipationAdded | ParticipationEnded | ParticipationVerified,
    at: datetime,
    by: Viewer,
) -> None:
    await record(
        tx,
        fact,
        organization_id=row.organization_id,
        aggregate="participation",
        aggregate_id=row.id,
        at=at,
        by=by,
    )


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
