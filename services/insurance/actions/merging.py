"""Two records of a provider that were one person: what the one accepted, the other does (R11, R27)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime

from kit.auth import service_viewer
from kit.db import Connection
from kit.ids import new_id
from services.insurance import domain, store
from services.insurance.actions.telling import tell_added, tell_ended
from services.insurance.domain import (
    BatchId,
    OfficeId,
    OrganizationId,
    Participation,
    ParticipationId,
    Period,
    Place,
    ProviderId,
)


async def provider_merged(
    tx: Connection,
    organization_id: OrganizationId,
    merged: tuple[ProviderId, ProviderId],
    day: date,
    at: datetime,
) -> None:
    """From the day on, the survivor's rows take over from those of the duplicate (`merged`: duplicate, survivor), as sure as they
    were and for as long: it is the same person. Where the survivor accepts the plan already, nothing is added."""
    duplicate, survivor = merged
    await store.hold_campaigns(tx, organization_id)
    await store.hold_every_place(tx, organization_id)
    rows = await store.of_provider(tx, organization_id, duplicate)
    wanted = await _wanted(tx, organization_id, rows, survivor, day)
    known = await store.of_provider(tx, organization_id, survivor)
    added = _added(wanted, known, survivor, at)
    await store.add_rows(tx, BatchId(new_id()), added)
    by = service_viewer("insurance")
    for row in added:
        await tell_added(tx, row, by)
    for row in await store.lasting(tx, organization_id, day, Place(provider_id=duplicate)):
        last = row.period.clipped(day).until or day
        await store.end(tx, row, last, at, by=None)
        await tell_ended(tx, replace(row, effective_until=last), at, by)


_Wanted = tuple[Participation, Period]


async def _wanted(
    tx: Connection,
    organization_id: OrganizationId,
    rows: Sequence[Participation],
    survivor: ProviderId,
    day: date,
) -> list[_Wanted]:
    """Which rows go on at the survivor, and on which days: no longer than the survivor works there, or the plan is offered."""
    spots = {(survivor, row.office_id) for row in rows}
    working: dict[OfficeId, list[Period]] = {}
    for placed in await store.placements_at(tx, organization_id, spots):
        working.setdefault(placed.office_id, []).append(placed.period)
    plans = await store.hold_plans(tx, {row.plan_id for row in rows})
    found = [
        (row, days.clipped(plans[row.plan_id].effective_until))
        for row in rows
        for days in domain.goes_on(row, day, working.get(row.office_id, []))
    ]
    return [(row, days) for row, days in found if not days.empty]


def _added(
    wanted: Sequence[_Wanted], known: Sequence[Participation], survivor: ProviderId, at: datetime
) -> list[Participation]:
    added: list[Participation] = []
    for row, days in wanted:
        if not any(taken.overlaps(days) for taken in _taken(row, [*known, *added])):
            added.append(_follower(row, survivor, days, at))
    return added


def _taken(row: Participation, rows: Sequence[Participation]) -> Iterator[Period]:
    """The days on which the row's plan is accepted at its office already."""
    for one in rows:
        if (one.office_id, one.plan_id) == (row.office_id, row.plan_id):
            yield one.period


def _follower(
    row: Participation, survivor: ProviderId, days: Period, at: datetime
) -> Participation:
    return replace(
        row,
        id=ParticipationId(new_id()),
        provider_id=survivor,
        effective_from=days.first,
        effective_until=days.until,
        added_at=at,
        ended_at=None,
        ended_by=None,
        said_until=None,
        version=1,
        copied_from=row.id,
    )
