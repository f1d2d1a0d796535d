"""Offices that close with moves, and records of a provider that are merged."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from kit.auth import Viewer
from proto.directory.v1.events_pb2 import PlacementEnded, PlacementMoved, ProviderMerged
from tests.service.insurance.asking import ADD, END, a_plan, mutate, rows, wanted
from tests.service.insurance.conftest import Insurance, Practice, new_practice, placed
from tests.service.insurance.test_copies import copy, preview, to_office

MOVES = """{ movesToReview { edges { node { effectiveFrom provider { id } fromOffice { id } toOffice { id } } } } }"""
CERTAINTY = """query($id: ID!) { participations(providerId: $id) { edges { node {
    effectiveFrom effectiveUntil lastVerifiedOn copiedFrom plan { id } office { id } } } } }"""
NOON = datetime(2031, 6, 1, 12, tzinfo=UTC)


async def moved(insurance: Insurance, practice: Practice, to: UUID, on: str) -> None:
    """Directory tells that the practice's office closes, and the provider goes to another."""
    placement = await placed(insurance, practice, office_id=to, first=on)
    fact = PlacementMoved(
        placement_id=str(placement),
        provider_id=str(practice.provider_id),
        from_office_id=str(practice.office_id),
        to_office_id=str(to),
        effective_from=on,
    )
    await insurance.neighbours.say(fact, practice.organization_id, "placement", placement, NOON)


async def to_review(insurance: Insurance, viewer: Viewer) -> list[dict[str, Any]]:
    data = await insurance.running.data(MOVES, viewer=viewer)
    return [edge["node"] for edge in data["movesToReview"]["edges"]]


async def test_what_is_accepted_is_not_taken_along_to_a_new_address_but_waits_for_somebody(
    insurance: Insurance, practice: Practice
) -> None:
    """R19, R27"""
    there = uuid4()
    await placed(insurance, practice)
    plan = await a_plan(insurance)
    await mutate(insurance, ADD, wanted(practice, plan, "2026-01-01"), practice.manager)

    await moved(insurance, practice, there, "2031-07-01")

    assert await rows(insurance, practice.manager, officeId=there) == []
    (move,) = await to_review(insurance, practice.manager)
    assert move == {
        "effectiveFrom": "2031-07-01",
        "provider": {"id": str(practice.provider_id)},
        "fromOffice": {"id": str(practice.office_id)},
        "toOffice": {"id": str(there)},
    }
    assert await to_review(insurance, new_practice(insurance).manager) == []
    elsewhere = practice.staff(office_admin_of=frozenset({uuid4()}))
    assert await to_review(insurance, elsewhere) == []


async def test_a_move_is_done_when_something_is_listed_at_the_new_office(
    insurance: Insurance, practice: Practice
) -> None:
    """R19, R27"""
    there = uuid4()
    await placed(insurance, practice)
    plan = await a_plan(insurance)
    await mutate(insurance, ADD, wanted(practice, plan, "2026-01-01"), practice.manager)
    await moved(insurance, practice, there, "2031-07-01")
    asked = to_office(practice, there, "2031-07-01")

    seen = await preview(insurance, asked, practice.manager)
    await copy(insurance, asked, seen["token"], practice.manager)

    assert await to_review(insurance, practice.manager) == []
    (row,) = await rows(insurance, practice.manager, officeId=there)
    assert (row["effectiveFrom"], row["lastVerifiedOn"]) == ("2031-07-01", None)


@pytest.mark.parametrize("placement_first", [True, False])
async def test_what_a_duplicate_record_accepted_the_survivor_accepts_as_surely(
    insurance: Insurance,
    practice: Practice,
    placement_first: bool,  # noqa: FBT001
) -> None:
    """R11, R27: whichever of the facts is heard first."""
    placement, survivor = await placed(insurance, practice), uuid4()
    plan, standing = await a_plan(insurance), await a_plan(insurance)
    added = [
        await mutate(insurance, ADD, wanted(practice, one, "2026-01-01"), practice.manager)
        for one in (plan, standing)
    ]
    await placed(insurance, practice, provider_id=survivor)
    own = wanted(practice, standing, "2026-01-01") | {"providerId": str(survivor)}
    await mutate(insurance, ADD, own, practice.manager)
    ended = PlacementEnded(
        placement_id=str(placement),
        provider_id=str(practice.provider_id),
        office_id=str(practice.office_id),
        effective_until="2031-06-01",
    )
    merged = ProviderMerged(provider_id=str(practice.provider_id), survivor_id=str(survivor))

    organization, say = practice.organization_id, insurance.neighbours.say
    if placement_first:
        await say(ended, organization, "placement", placement, NOON)
    event = await say(merged, organization, "provider", practice.provider_id, NOON)
    if not placement_first:
        await say(ended, organization, "placement", placement, NOON)
    await insurance.neighbours.repeat(event)

    asked = {"id": str(survivor)}
    data = await insurance.running.data(CERTAINTY, asked, viewer=practice.manager)
    found = {edge["node"]["plan"]["id"]: edge["node"] for edge in data["participations"]["edges"]}
    assert found.keys() == {plan, standing}
    row = found[plan]
    assert (row["effectiveFrom"], row["effectiveUntil"]) == ("2031-06-01", None)
    assert (row["copiedFrom"], row["lastVerifiedOn"]) == (
        added[0]["id"],
        added[0]["lastVerifiedOn"],
    )
    left = await rows(insurance, practice.manager, providerId=practice.provider_id)
    assert [one["effectiveUntil"] for one in left] == ["2031-06-01"] * 2


async def merge(insurance: Insurance, practice: Practice, placement: UUID, survivor: UUID) -> None:
    """Directory tells, in the order in which it does, that the practice's provider is another record's person."""
    organization, say = practice.organization_id, insurance.neighbours.say
    ended = PlacementEnded(
        placement_id=str(placement),
        provider_id=str(practice.provider_id),
        office_id=str(practice.office_id),
        effective_until="2031-06-01",
    )
    merged = ProviderMerged(provider_id=str(practice.provider_id), survivor_id=str(survivor))
    await say(ended, organization, "placement", placement, NOON)
    await placed(insurance, practice, provider_id=survivor, first="2031-06-01")
    await say(merged, organization, "provider", practice.provider_id, NOON)


async def test_the_survivor_of_a_merger_accepts_a_plan_for_no_longer_than_the_duplicate_said(
    insurance: Insurance, practice: Practice
) -> None:
    """R11, R27"""
    placement, survivor = await placed(insurance, practice), uuid4()
    until_new_year = wanted(practice, await a_plan(insurance), "2026-01-01", "2032-01-01")
    await mutate(insurance, ADD, until_new_year, practice.manager)
    ran_out = wanted(practice, await a_plan(insurance), "2026-01-01", "2031-06-01")
    await mutate(insurance, ADD, ran_out, practice.manager)

    await merge(insurance, practice, placement, survivor)

    (row,) = await rows(insurance, practice.manager, providerId=survivor)
    assert row["plan"]["id"] == until_new_year["planId"]
    assert (row["effectiveFrom"], row["effectiveUntil"]) == ("2031-06-01", "2032-01-01")


async def test_what_somebody_ended_on_the_day_of_a_merger_stays_ended(
    insurance: Insurance, practice: Practice
) -> None:
    """R11, R27"""
    placement, survivor = await placed(insurance, practice), uuid4()
    added = await mutate(
        insurance, ADD, wanted(practice, await a_plan(insurance), "2026-01-01"), practice.manager
    )
    ending = {"participationId": added["id"], "effectiveUntil": "2031-06-01", "expectedVersion": 1}
    await mutate(insurance, END, ending, practice.manager)

    await merge(insurance, practice, placement, survivor)

    assert await rows(insurance, practice.manager, providerId=survivor) == []
