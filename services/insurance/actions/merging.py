"""Two records of a provider that were one person: what the one accepted, the other does (R11, R27)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from kit.auth import service_viewer
from kit.db import Connection
from kit.ids import new_id
from services.insurance import store
from services.insurance.actions.telling import tell_added, tell_ended
from services.insurance.domain import (
    BatchId,
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
    were: it is the same person. Where the survivor accepts the plan already, nothing is added."""
    duplicate, survivor = merged
    found = [
        row
        for row in await store.of_provider(tx, organization_id, duplicate)
        if _lasted_until(row, day)
    ]
    for office_id in sorted({row.office_id for row in found}):
        await store.hold_place(tx, organization_id, survivor, office_id)
    known = await store.lasting(tx, organization_id, day, Place(provider_id=survivor), lock=False)
    added = _followers(found, survivor, known, day, at)
    await store.add_rows(tx, BatchId(new_id()), added)
    by = service_viewer("insurance")
    for row in added:
        await tell_added(tx, row, by)
    for row in await store.lasting(tx, organization_id, day, Place(provider_id=duplicate)):
        last = row.period.clipped(day).until or day
        await store.end(tx, row, last, at, by=None)
        await tell_ended(tx, replace(row, effective_until=last), at, by)


def _lasted_until(row: Participation, day: date) -> bool:
    """Whether it holds on the day or later, or did until then: the end of the duplicate's placement may have been heard first."""
    return row.effective_until is None or row.effective_until >= max(day, row.effective_from)


def _followers(
    rows: Sequence[Participation],
    survivor: ProviderId,
    known: Sequence[Participation],
    day: date,
    at: datetime,
) -> list[Participation]:
    added: list[Participation] = []
    for row in rows:
        ended_now = row.effective_until == max(day, row.effective_from)
        days = Period(max(day, row.effective_from), None if ended_now else row.effective_until)
        taken = (
            one.period
            for one in (*known, *added)
            if (one.office_id, one.plan_id) == (row.office_id, row.plan_id)
        )
        if not days.empty and not any(one.overlaps(days) for one in taken):
            added.append(_follower(row, survivor, days, at))
    return added


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
        version=1,
        copied_from=row.id,
    )
