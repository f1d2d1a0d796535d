"""Saying that what is listed is still true, one row or many; and which rows wait for it (R27)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from uuid import UUID

from kit.db import Connection
from kit.errors import NotFound, Refusal, stale_version
from kit.idempotency import once
from kit.ids import new_id
from services.insurance import domain, policy, store
from services.insurance.actions.participations import day_of
from services.insurance.actions.peers import Call
from services.insurance.actions.telling import tell_verified
from services.insurance.domain import (
    BatchId,
    ItemId,
    OrganizationId,
    Outcome,
    Participation,
    ParticipationId,
    UserId,
    VerificationMeans,
    VerificationWanted,
)


async def verify_participation(call: Call, wanted: VerificationWanted) -> Participation:
    """Say that a participation is still true today (R27). Refuses PARTICIPATION_ENDED and STALE_VERSION."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.transaction() as tx:
        rows = await _rows(tx, organization_id, [wanted])
        today = await day_of(tx, organization_id, call.clock.now())
        if (refusal := _refusal(call, wanted, rows, today)) is not None:
            raise refusal
        row = rows[wanted.participation_id]
        (verified,) = await keep_verified(call, tx, [row], today, VerificationMeans.VERIFIED)
    return verified


async def verify_participations(
    call: Call, wanted: Sequence[VerificationWanted], key: str
) -> tuple[Outcome, ...]:
    """Say of many participations that they are still true today; answers what became of each, in their order (R27).

    What is wrong with one keeps none of the others back: unknown, not the viewer's to edit, STALE_VERSION, PARTICIPATION_ENDED.
    """
    organization_id = OrganizationId(call.viewer.require_organization())
    cleaned = domain.clean_verifications(wanted)
    async with call.db.transaction() as tx:
        make, at = partial(_verify_all, call, tx, organization_id, cleaned), call.clock.now()
        made = await once(tx, call.viewer, key=key, request=cleaned, at=at, make=make)
        return await store.outcomes_of(tx, organization_id, BatchId(made))


async def _verify_all(
    call: Call,
    tx: Connection,
    organization_id: OrganizationId,
    wanted: Sequence[VerificationWanted],
) -> BatchId:
    at = call.clock.now()
    today = await day_of(tx, organization_id, at)
    rows = await _rows(tx, organization_id, wanted)
    refusals = {one.participation_id: _refusal(call, one, rows, today) for one in wanted}
    good = [rows[row_id] for row_id, refusal in refusals.items() if refusal is None]
    await keep_verified(call, tx, good, today, VerificationMeans.VERIFIED)
    outcomes = [
        Outcome(row_id) if refusal is None else Outcome.refused(row_id, refusal)
        for row_id, refusal in refusals.items()
    ]
    batch_id = BatchId(new_id())
    by = UserId(call.viewer.require_user())
    await store.keep_batch(tx, organization_id, batch_id, by, at, outcomes)
    return batch_id


async def _rows(
    tx: Connection, organization_id: OrganizationId, wanted: Sequence[VerificationWanted]
) -> dict[ParticipationId, Participation]:
    ids = [one.participation_id for one in wanted]
    return {row.id: row for row in await store.own_rows(tx, organization_id, ids, lock=True)}


def _refusal(
    call: Call,
    wanted: VerificationWanted,
    rows: dict[ParticipationId, Participation],
    today: date,
) -> Refusal | None:
    """Why the viewer cannot verify the row now, if not (R26)."""
    row = rows.get(wanted.participation_id)
    try:
        if row is None:
            raise NotFound("There is no such participation.", field="participationId")
        policy.permit_edit(call.viewer, row.organization_id, row.office_id)
        if row.version != wanted.expected_version:
            raise stale_version("participation", row.version)
        domain.refuse_past(row, today)
    except Refusal as refusal:
        return refusal
    return None


async def keep_verified(
    call: Call,
    tx: Connection,
    rows: Sequence[Participation],
    today: date,
    means: VerificationMeans,
    item_id: ItemId | None = None,
) -> list[Participation]:
    """Note that the viewer said of these rows, which are locked, that they are true today. Answers them as they are then: a
    verification never makes the day of the last one earlier, wherever a calendar was read."""
    at: datetime = call.clock.now()
    by = UserId(call.viewer.require_user())
    verified = [
        replace(
            row,
            last_verified_on=max(row.last_verified_on or today, today),
            last_verified_by=by,
            version=row.version + 1,
        )
        for row in rows
    ]
    await store.verify(tx, verified, at, means, item_id)
    for row in verified:
        await tell_verified(tx, row, at, call.viewer)
    return verified


async def due(
    call: Call,
    *,
    within: int,
    place: domain.Place,
    after: tuple[date, UUID] | None,
    limit: int,
) -> list[Participation]:
    """The rows the viewer may verify that are stale, or will be within so many days; longest waiting first (R27)."""
    organization_id = OrganizationId(call.viewer.require_organization())
    offices = policy.offices_to_answer_for(call.viewer)
    if place.office_id is not None:
        offices = (place.office_id,) if offices is None or place.office_id in offices else ()
    async with call.db.reading() as tx:
        today = await day_of(tx, organization_id, call.clock.now())
        wanted = store.Due(domain.due_before(today, within), today, offices, after, limit)
        return await store.due(tx, organization_id, place.provider_id, wanted)


async def due_at(call: Call, office_ids: Sequence[UUID]) -> list[int | None]:
    """How many rows listed at each office are stale or were never verified; None where nothing of the viewer's organization is
    listed, or the viewer does not answer for it."""
    answers_for = policy.answered_for(call.viewer, office_ids)
    if not answers_for:
        return [None for _ in office_ids]
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        today = await day_of(tx, organization_id, call.clock.now())
        before = domain.due_before(today, 0)
        found = await store.due_at(tx, organization_id, answers_for, before, today)
    return [found.get(one) for one in office_ids]
