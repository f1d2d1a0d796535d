"""What siblings ask insurance, and what insurance hears of them."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from kit.clock import Clock
from kit.db import read_clock
from kit.errors import Invalid
from kit.rpc import Peer
from proto.directory.v1.events_pb2 import (
    OfficeClosed,
    PlacementChanged,
    PlacementEnded,
    ProviderRemoved,
)
from proto.insurance.v1.insurance_pb2 import AcceptsReply, AcceptsRequest
from proto.insurance.v1.insurance_pb2_grpc import InsuranceStub
from tests.service.insurance.asking import ADD, END, a_plan, mutate, rows, wanted
from tests.service.insurance.conftest import Insurance, Practice, placed
from tests.support.facts import eventually
from tests.support.running import VIEWER_KEY

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


async def accepts(insurance: Insurance, **request: Any) -> AcceptsReply:  # noqa: ANN401 - its fields
    """What a sibling is told."""
    parts = insurance.running.parts
    clock = Clock(lambda: read_clock(parts.db))
    await clock.sync()
    peer = Peer(
        "insurance",
        f"127.0.0.1:{parts.grpc_port}",
        me="referrals",
        key=bytes.fromhex(VIEWER_KEY),
        clock=clock,
    )
    try:
        return await peer.ask(InsuranceStub(peer.channel).Accepts, AcceptsRequest(**request))
    finally:
        await peer.close()


def question(practice: Practice, plan_id: str, on: str) -> dict[str, object]:
    return {
        "provider_ids": [str(practice.provider_id), str(uuid4())],
        "office_id": str(practice.office_id),
        "plan_id": plan_id,
        "on": on,
    }


async def test_a_sibling_learns_who_accepts_the_plan_on_the_day(
    insurance: Insurance, practice: Practice
) -> None:
    """R27, R28"""
    plan_id = await a_plan(insurance)
    input_ = wanted(practice, plan_id, "2026-01-01", "2027-01-01")
    await mutate(insurance, ADD, input_, practice.manager)

    on_the_last = await accepts(insurance, **question(practice, plan_id, "2026-12-31"))
    after = await accepts(insurance, **question(practice, plan_id, "2027-01-01"))

    assert on_the_last.plan_known
    assert list(on_the_last.accepting_provider_ids) == [str(practice.provider_id)]
    assert on_the_last.verified_on == insurance.running.parts.clock.now().date().isoformat()
    assert (after.plan_known, list(after.accepting_provider_ids)) == (True, [])
    assert after.verified_on == ""


async def test_of_an_unknown_plan_nothing_is_said(insurance: Insurance, practice: Practice) -> None:
    """R28"""
    reply = await accepts(insurance, **question(practice, str(uuid4()), "2026-06-01"))

    assert not reply.plan_known
    assert list(reply.accepting_provider_ids) == []


async def test_a_row_that_nobody_verified_leaves_the_answer_unverified(
    insurance: Insurance, practice: Practice
) -> None:
    """R28"""
    plan_id = await a_plan(insurance)
    input_ = wanted(practice, plan_id, "2026-01-01") | {"source": "IMPORT"}
    await mutate(insurance, ADD, input_, practice.manager)

    reply = await accepts(insurance, **question(practice, plan_id, "2026-06-01"))

    assert list(reply.accepting_provider_ids) == [str(practice.provider_id)]
    assert reply.verified_on == ""


async def test_a_plan_that_is_not_offered_on_the_day_is_accepted_by_nobody(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    plan_id = await a_plan(insurance, effectiveUntil="2026-07-01")
    await mutate(insurance, ADD, wanted(practice, plan_id, "2026-01-01"), practice.manager)

    reply = await accepts(insurance, **question(practice, plan_id, "2026-07-01"))

    assert (reply.plan_known, list(reply.accepting_provider_ids)) == (True, [])


@pytest.mark.parametrize("broken", [{"on": "tomorrow"}, {"office_id": "x"}, {"plan_id": ""}])
async def test_a_malformed_question_is_refused(
    insurance: Insurance, practice: Practice, broken: dict[str, str]
) -> None:
    with pytest.raises(Invalid) as refused:
        await accepts(insurance, **question(practice, str(uuid4()), "2026-06-01") | broken)

    assert refused.value.field == next(iter(broken))


async def test_a_question_about_too_many_providers_is_refused(
    insurance: Insurance, practice: Practice
) -> None:
    asked = question(practice, str(uuid4()), "2026-06-01")

    with pytest.raises(Invalid) as refused:
        await accepts(insurance, **asked | {"provider_ids": [str(uuid4())] * 1001})

    assert refused.value.field == "provider_ids"


async def accepted(insurance: Insurance, practice: Practice, first: str = "2026-01-01") -> UUID:
    """The id of a fresh participation at the practice's place."""
    row = await mutate(
        insurance, ADD, wanted(practice, await a_plan(insurance), first), practice.manager
    )
    return UUID(row["id"])


async def until(insurance: Insurance, practice: Practice) -> list[str | None]:
    """When the practice's participations end."""
    found = await rows(insurance, practice.manager)
    return [row["effectiveUntil"] for row in found]


async def ended_facts(insurance: Insurance, practice: Practice) -> int:
    count: int = await insurance.running.sql.fetchval(
        "SELECT count(*) FROM outbox WHERE organization_id = $1 AND subject LIKE '%.participation.ended'",
        practice.organization_id,
    )
    return count


def placement_ended(practice: Practice, day: str) -> PlacementEnded:
    return PlacementEnded(
        provider_id=str(practice.provider_id),
        office_id=str(practice.office_id),
        effective_until=day,
    )


async def test_a_placement_that_ends_takes_its_participations_along(
    insurance: Insurance, practice: Practice
) -> None:
    """R19, R27"""
    await accepted(insurance, practice)
    fact = placement_ended(practice, "2026-07-01")

    await insurance.neighbours.say(fact, practice.organization_id, "placement", uuid4(), NOON)

    assert await until(insurance, practice) == ["2026-07-01"]
    assert await ended_facts(insurance, practice) == 1


async def test_hearing_the_same_fact_again_changes_nothing(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    await accepted(insurance, practice)
    fact = placement_ended(practice, "2026-07-01")
    event = await insurance.neighbours.say(
        fact, practice.organization_id, "placement", uuid4(), NOON
    )

    again = await insurance.neighbours.repeat(event)
    await insurance.neighbours.say(fact, practice.organization_id, "placement", uuid4(), NOON)

    assert not again
    assert await until(insurance, practice) == ["2026-07-01"]
    assert await ended_facts(insurance, practice) == 1


async def test_a_participation_that_ends_earlier_anyway_is_left_alone(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    row_id = await accepted(insurance, practice)
    ending = {
        "participationId": str(row_id),
        "effectiveUntil": "2026-03-01",
        "expectedVersion": 1,
    }
    await mutate(insurance, END, ending, practice.manager)

    fact = placement_ended(practice, "2026-07-01")
    await insurance.neighbours.say(fact, practice.organization_id, "placement", uuid4(), NOON)

    assert await until(insurance, practice) == ["2026-03-01"]


async def test_a_participation_that_has_not_begun_never_takes_effect(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    await accepted(insurance, practice, first="2026-09-01")

    fact = placement_ended(practice, "2026-07-01")
    await insurance.neighbours.say(fact, practice.organization_id, "placement", uuid4(), NOON)

    (row,) = await rows(insurance, practice.manager)
    assert (row["effectiveFrom"], row["effectiveUntil"]) == ("2026-09-01", "2026-09-01")
    assert await rows(insurance, practice.manager, on="2026-09-01") == []


async def test_a_placement_that_is_given_an_end_ends_its_participations_there(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    await accepted(insurance, practice)
    place = {"provider_id": str(practice.provider_id), "office_id": str(practice.office_id)}
    placement = uuid4()

    open_ended = PlacementChanged(**place, effective_from="2026-01-01")
    await insurance.neighbours.say(
        open_ended, practice.organization_id, "placement", placement, NOON
    )
    unchanged = await until(insurance, practice)
    ending = PlacementChanged(**place, effective_until="2026-08-01")
    await insurance.neighbours.say(ending, practice.organization_id, "placement", placement, NOON)

    assert unchanged == [None]
    assert await until(insurance, practice) == ["2026-08-01"]


@pytest.mark.parametrize("kind", [PlacementChanged, PlacementEnded])
async def test_what_belongs_to_a_later_placement_outlives_the_end_of_an_earlier_one(
    insurance: Insurance, practice: Practice, kind: type[PlacementChanged | PlacementEnded]
) -> None:
    """R27: until July, and again from September."""
    earlier = await placed(insurance, practice, first="2026-01-01", until="2026-07-01")
    await placed(insurance, practice, first="2026-09-01")
    await accepted(insurance, practice)
    await accepted(insurance, practice, first="2026-09-01")

    fact = kind(
        provider_id=str(practice.provider_id),
        office_id=str(practice.office_id),
        effective_until="2026-06-15",
    )
    await insurance.neighbours.say(fact, practice.organization_id, "placement", earlier, NOON)

    assert await until(insurance, practice) == ["2026-06-15", None]


async def test_a_removed_provider_accepts_nothing_from_that_day_on(
    insurance: Insurance, practice: Practice
) -> None:
    """R14, R27"""
    await accepted(insurance, practice)

    fact = ProviderRemoved(provider_id=str(practice.provider_id))
    await insurance.neighbours.say(
        fact, practice.organization_id, "provider", practice.provider_id, NOON
    )

    assert await until(insurance, practice) == ["2026-06-01"]


async def test_nothing_is_accepted_at_a_closed_office(
    insurance: Insurance, practice: Practice
) -> None:
    """R19, R27"""
    await accepted(insurance, practice)

    fact = OfficeClosed(office_id=str(practice.office_id))
    await insurance.neighbours.say(
        fact, practice.organization_id, "office", practice.office_id, NOON
    )

    assert await until(insurance, practice) == ["2026-06-01"]


async def test_directory_is_asked_again_when_a_placement_ends_while_a_plan_is_being_added(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    plan = await a_plan(insurance)
    gate = insurance.directory.hold()
    adding = asyncio.create_task(
        mutate(insurance, ADD, wanted(practice, plan, "2026-01-01"), practice.manager)
    )
    await insurance.directory.held.wait()

    fact = placement_ended(practice, "2026-07-01")
    await insurance.neighbours.say(fact, practice.organization_id, "placement", uuid4(), NOON)
    insurance.directory.answer_then_end(practice.provider_id, practice.office_id, "2026-07-01")
    gate.set()

    assert (await adding)["code"] == "PLACEMENT_ENDS"
    assert await until(insurance, practice) == []


@pytest.mark.parametrize("kind", [ProviderRemoved, OfficeClosed])
async def test_nothing_is_added_where_everybody_has_just_left(
    insurance: Insurance, practice: Practice, kind: type[ProviderRemoved | OfficeClosed]
) -> None:
    """R27"""
    plan = await a_plan(insurance)
    gate = insurance.directory.hold()
    adding = asyncio.create_task(
        mutate(insurance, ADD, wanted(practice, plan, "2026-01-01"), practice.manager)
    )
    await insurance.directory.held.wait()

    fact, aggregate = (
        (ProviderRemoved(provider_id=str(practice.provider_id)), "provider")
        if kind is ProviderRemoved
        else (OfficeClosed(office_id=str(practice.office_id)), "office")
    )
    await insurance.neighbours.say(fact, practice.organization_id, aggregate, uuid4(), NOON)
    insurance.directory.answer_then_forget(practice.provider_id, practice.office_id)
    gate.set()

    assert (await adding)["code"] == "PROVIDER_NOT_AT_OFFICE"
    assert await until(insurance, practice) == []


async def test_a_slow_directory_keeps_nobody_from_reading(
    insurance: Insurance, practice: Practice
) -> None:
    """Whoever waits for directory holds no connection meanwhile."""
    plan = await a_plan(insurance)
    gate = insurance.directory.hold()
    adding = [
        asyncio.create_task(
            mutate(insurance, ADD, wanted(practice, plan, "2026-01-01"), practice.manager)
        )
        for _ in range(3)
    ]
    await eventually(lambda: _asked(insurance), lambda asked: asked == len(adding))
    since = await insurance.running.parts.db.pool.fetchval("SELECT clock_timestamp()")
    await eventually(lambda: _in_transactions(insurance, since), lambda found: found == 0)
    gate.set()

    assert sorted(row["__typename"] for row in await asyncio.gather(*adding)) == [
        "OverlapProblem",
        "OverlapProblem",
        "Participation",
    ]


async def _asked(insurance: Insurance) -> int:
    return insurance.directory.waiting


async def _in_transactions(insurance: Insurance, since: datetime) -> int:
    """How many have been in a transaction since then, and wait. The service's background work is in one now and then."""
    found: int = await insurance.running.parts.db.pool.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND state LIKE 'idle in transaction%' AND xact_start < $1",
        since,
    )
    return found


async def test_facts_of_another_organization_touch_nothing_here(
    insurance: Insurance, practice: Practice
) -> None:
    """R02"""
    await accepted(insurance, practice)

    fact = placement_ended(practice, "2026-07-01")
    await insurance.neighbours.say(fact, uuid4(), "placement", uuid4(), NOON)

    assert await until(insurance, practice) == [None]


async def test_facts_reach_insurance_over_the_real_stream(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    await accepted(insurance, practice)
    fact = placement_ended(practice, date(2026, 7, 1).isoformat())
    event = insurance.neighbours.event(fact, practice.organization_id, "placement", uuid4(), NOON)

    await insurance.neighbours.publish(event)

    await eventually(lambda: until(insurance, practice), lambda ends: ends == ["2026-07-01"])
