"""Copies of what is accepted, from GraphQL to PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from kit.auth import Viewer
from services.insurance import actions, store
from services.insurance.actions import copying
from services.insurance.domain import OrganizationId, PlanId
from tests.service.insurance.asking import ADD, ADD_MANY, END, PROBLEM, a_plan, mutate, rows, wanted
from tests.service.insurance.conftest import Insurance, Practice, new_practice, placed
from tests.support.facts import PATIENCE, eventually

PREVIEW = """query($source: PlaceInput!, $target: PlaceInput!, $effectiveFrom: Date!, $planIds: [ID!]) {
    copyParticipationsPreview(source: $source, target: $target, effectiveFrom: $effectiveFrom, planIds: $planIds) {
        total added token items { sourceId outcome effectiveFrom effectiveUntil participationId
            provider { id } office { id } plan { id } } } }"""
COPY = f"""mutation($input: CopyParticipationsInput!) {{ copyParticipations(input: $input) {{
    __typename {PROBLEM} ... on StalePreviewProblem {{ moved }}
    ... on ParticipationCopy {{ id total done finishedAt
        items(first: 100) {{ edges {{ node {{ sourceId outcome participationId }} }} }} }} }} }}"""
COPIES = "{ participationCopies { edges { node { id total done } } } }"
ROWS = """query($providerId: ID!) { participations(providerId: $providerId, first: 100) { edges { node {
    id effectiveFrom effectiveUntil certainty copiedFrom source plan { id } } } } }"""


def to_office(practice: Practice, office_id: UUID, first: str = "2031-01-01") -> dict[str, Any]:
    return {
        "source": {"providerId": str(practice.provider_id), "officeId": str(practice.office_id)},
        "target": {"officeId": str(office_id)},
        "effectiveFrom": first,
    }


async def preview(insurance: Insurance, asked: dict[str, Any], viewer: Viewer) -> dict[str, Any]:
    data = await insurance.running.data(PREVIEW, asked, viewer=viewer)
    found: dict[str, Any] = data["copyParticipationsPreview"]
    return found


async def copy(
    insurance: Insurance, asked: dict[str, Any], token: str, viewer: Viewer, key: str = ""
) -> dict[str, Any]:
    input_ = asked | {"token": token, "idempotencyKey": key or str(uuid4())}
    return await mutate(insurance, COPY, input_, viewer)


async def rows_at(
    insurance: Insurance, practice: Practice, office_id: UUID
) -> list[dict[str, Any]]:
    return await rows(insurance, practice.manager, officeId=office_id)


async def accepting(insurance: Insurance, practice: Practice, *plans: str) -> list[dict[str, Any]]:
    """The practice's provider accepts these plans at its office."""
    return [
        await mutate(insurance, ADD, wanted(practice, plan, "2026-01-01"), practice.manager)
        for plan in plans
    ]


async def test_a_copy_adds_at_the_other_office_what_its_preview_said_and_leaves_the_source_alone(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    there, plans = uuid4(), [await a_plan(insurance) for _ in range(2)]
    await placed(insurance, practice, office_id=there)
    source = await accepting(insurance, practice, *plans)
    asked = to_office(practice, there)

    seen = await preview(insurance, asked, practice.manager)
    assert (seen["total"], seen["added"]) == (2, 2)
    assert await rows_at(insurance, practice, there) == []
    done = await copy(insurance, asked, seen["token"], practice.manager)

    assert (done["__typename"], done["total"], done["done"]) == ("ParticipationCopy", 2, 2)
    assert done["finishedAt"] is not None
    added = await rows_at(insurance, practice, there)
    assert {one["plan"]["id"] for one in added} == set(plans)
    assert {one["effectiveFrom"] for one in added} == {"2031-01-01"}
    kept = await rows_at(insurance, practice, practice.office_id)
    assert {one["id"] for one in kept} == {one["id"] for one in source}


async def test_nobody_has_verified_what_a_copy_adds(
    insurance: Insurance, practice: Practice
) -> None:
    """R27: a copy says where it is from, and waits for somebody to look at it."""
    colleague = uuid4()
    await placed(insurance, practice, provider_id=colleague)
    (source,) = await accepting(insurance, practice, await a_plan(insurance))
    asked = to_office(practice, practice.office_id) | {"target": {"providerId": str(colleague)}}

    seen = await preview(insurance, asked, practice.manager)
    await copy(insurance, asked, seen["token"], practice.manager)

    data = await insurance.running.data(
        ROWS, {"providerId": str(colleague)}, viewer=practice.manager
    )
    (row,) = (edge["node"] for edge in data["participations"]["edges"])
    assert (row["certainty"], row["copiedFrom"]) == ("UNVERIFIED", source["id"])


async def test_a_preview_says_what_would_be_left_out_and_why(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    there = uuid4()
    await placed(insurance, practice, office_id=there)
    taken, ended = await a_plan(insurance), await a_plan(insurance, effectiveUntil="2030-01-01")
    await accepting(insurance, practice, taken)
    two_days = wanted(practice, ended, "2026-01-01", "2028-01-01")
    await mutate(insurance, ADD, two_days, practice.manager)
    standing = await mutate(
        insurance, ADD, wanted(practice, taken, "2035-01-01") | {"officeId": str(there)},
        practice.manager,
    )  # fmt: skip

    seen = await preview(insurance, to_office(practice, there, "2027-01-01"), practice.manager)
    nowhere = await preview(insurance, to_office(practice, uuid4()), practice.manager)

    found = {one["plan"]["id"]: (one["outcome"], one["participationId"]) for one in seen["items"]}
    assert found == {taken: ("ALREADY_THERE", standing["id"]), ended: ("ADDED", None)}
    assert [one["outcome"] for one in nowhere["items"]] == ["NOT_AT_OFFICE"]


async def test_a_copied_row_does_not_outlast_the_placement_there(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    there = uuid4()
    await placed(insurance, practice, office_id=there, until="2031-07-01")
    await accepting(insurance, practice, await a_plan(insurance))
    asked = to_office(practice, there)

    seen = await preview(insurance, asked, practice.manager)
    await copy(insurance, asked, seen["token"], practice.manager)

    (row,) = await rows_at(insurance, practice, there)
    assert row["effectiveUntil"] == "2031-07-01"


async def test_a_preview_whose_source_or_target_was_edited_is_refused_and_says_what_moved(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    there = uuid4()
    await placed(insurance, practice, office_id=there)
    first, second = [await a_plan(insurance) for _ in range(2)]
    (row, _) = await accepting(insurance, practice, first, second)
    asked = to_office(practice, there)

    seen = await preview(insurance, asked, practice.manager)
    ending = {
        "participationId": row["id"], "effectiveUntil": "2031-06-01", "expectedVersion": 1,
    }  # fmt: skip
    await mutate(insurance, END, ending, practice.manager)
    source_moved = await copy(insurance, asked, seen["token"], practice.manager)

    seen = await preview(insurance, asked, practice.manager)
    there_too = wanted(practice, second, "2031-01-01") | {"officeId": str(there)}
    await mutate(insurance, ADD, there_too, practice.manager)
    target_moved = await copy(insurance, asked, seen["token"], practice.manager)

    assert (source_moved["__typename"], target_moved["__typename"]) == (
        "StalePreviewProblem",
        "StalePreviewProblem",
    )
    assert source_moved["moved"] == ["outcome", "source"]
    assert target_moved["moved"] == ["outcome"]
    assert len(await rows_at(insurance, practice, there)) == 1


async def test_a_retry_with_the_same_key_copies_once(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    there = uuid4()
    await placed(insurance, practice, office_id=there)
    await accepting(insurance, practice, await a_plan(insurance))
    asked = to_office(practice, there)
    seen = await preview(insurance, asked, practice.manager)

    first, again = [
        await copy(insurance, asked, seen["token"], practice.manager, key="once") for _ in range(2)
    ]

    assert first == again
    assert len(await rows_at(insurance, practice, there)) == 1
    data = await insurance.running.data(COPIES, viewer=practice.manager)
    assert [edge["node"] for edge in data["participationCopies"]["edges"]] == [
        {"id": first["id"], "total": 1, "done": 1}
    ]


async def test_who_may_not_edit_where_a_copy_goes_is_refused(
    insurance: Insurance, practice: Practice
) -> None:
    """R26"""
    there = uuid4()
    await placed(insurance, practice, office_id=there)
    await accepting(insurance, practice, await a_plan(insurance))
    asked = to_office(practice, there)
    source_admin = practice.staff(office_admin_of=frozenset({practice.office_id}))
    target_admin = practice.staff(office_admin_of=frozenset({there}))

    refused = await insurance.running.gql(PREVIEW, asked, viewer=source_admin)
    seen = await preview(insurance, asked, target_admin)
    not_theirs = await copy(insurance, asked, seen["token"], source_admin)
    done = await copy(insurance, asked, seen["token"], target_admin)

    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert not_theirs["code"] == "FORBIDDEN"
    assert done["done"] == 1


async def test_what_another_organization_accepts_is_not_there_to_be_copied(
    insurance: Insurance, practice: Practice
) -> None:
    """R26, R27"""
    other = new_practice(insurance)
    await accepting(insurance, other, await a_plan(insurance))
    await insurance.show(other)
    asked = to_office(other, practice.office_id)

    assert (await preview(insurance, asked, practice.manager))["total"] == 0


async def _many(insurance: Insurance, practice: Practice, count: int) -> list[str]:
    """So many plans accepted at the practice's place."""
    plans = [await a_plan(insurance) for _ in range(count)]
    input_ = wanted(practice, plans[0], "2026-01-01") | {"planIds": plans}
    del input_["planId"]
    await mutate(insurance, ADD_MANY, input_, practice.manager)
    return plans


async def test_a_large_copy_goes_on_by_itself_and_a_crash_in_between_copies_nothing_twice(
    insurance: Insurance,
    practice: Practice,
    monkeypatch: Any,  # noqa: ANN401 - pytest's
) -> None:
    """R27"""
    monkeypatch.setattr(copying, "AT_ONCE", 3)
    there = uuid4()
    await placed(insurance, practice, office_id=there)
    await _many(insurance, practice, 8)
    asked = to_office(practice, there)
    seen = await preview(insurance, asked, practice.manager)

    begun = await copy(insurance, asked, seen["token"], practice.manager)
    call = insurance.running.parts.call()
    await asyncio.gather(*(actions.copy_rows(call) for _ in range(3)))

    assert (begun["total"], begun["done"], begun["finishedAt"]) == (8, 3, None)
    assert len(await rows_at(insurance, practice, there)) == 8
    facts = await insurance.running.parts.db.pool.fetch(
        "SELECT body::json->'data' AS data FROM outbox WHERE organization_id = $1 AND subject LIKE '%.copy.finished'",
        practice.organization_id,
    )
    assert [(one["data"]["added"], one["data"].get("leftOut", 0)) for one in facts] == [(8, 0)]


async def test_a_source_row_that_is_ended_while_the_copy_goes_on_is_left_out(
    insurance: Insurance,
    practice: Practice,
    monkeypatch: Any,  # noqa: ANN401 - pytest's
) -> None:
    """R27"""
    monkeypatch.setattr(copying, "AT_ONCE", 1)
    there, plans = uuid4(), [await a_plan(insurance) for _ in range(3)]
    await placed(insurance, practice, office_id=there)
    (_, second, _) = await accepting(insurance, practice, *plans)
    asked = to_office(practice, there)
    seen = await preview(insurance, asked, practice.manager)
    begun = await copy(insurance, asked, seen["token"], practice.manager)

    ending = {
        "participationId": second["id"], "effectiveUntil": "2031-02-01", "expectedVersion": 1,
    }  # fmt: skip
    await mutate(insurance, END, ending, practice.manager)
    await actions.copy_rows(insurance.running.parts.call())

    assert begun["done"] == 1
    accepted = {row["plan"]["id"] for row in await rows_at(insurance, practice, there)}
    assert accepted == {plans[0], plans[2]}


async def test_of_a_copy_and_somebody_adding_the_same_at_once_one_wins_and_nothing_overlaps(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    there = uuid4()
    await placed(insurance, practice, office_id=there)
    plan = await a_plan(insurance)
    await accepting(insurance, practice, plan)
    asked = to_office(practice, there)
    seen = await preview(insurance, asked, practice.manager)

    copied, added = await asyncio.gather(
        copy(insurance, asked, seen["token"], practice.manager),
        mutate(
            insurance, ADD, wanted(practice, plan, "2031-01-01") | {"officeId": str(there)},
            practice.manager,
        ),
    )  # fmt: skip

    assert len(await rows_at(insurance, practice, there)) == 1
    if added["__typename"] == "Participation":
        assert copied.get("code") == "STALE_PREVIEW" or [
            edge["node"]["outcome"] for edge in copied["items"]["edges"]
        ] == ["ALREADY_THERE"]
    else:
        assert (added["code"], copied["done"]) == ("OVERLAP", 1)


async def test_a_copy_and_whoever_verifies_its_source_do_not_wait_for_one_another(
    insurance: Insurance, practice: Practice
) -> None:
    """R27: or they could wait for one another in turn, and one would be thrown out."""
    there = uuid4()
    await placed(insurance, practice, office_id=there)
    (row,) = await accepting(insurance, practice, await a_plan(insurance))
    asked, organization = to_office(practice, there), OrganizationId(practice.organization_id)
    seen = await preview(insurance, asked, practice.manager)

    async with insurance.running.parts.db.transaction() as tx:
        await store.own_rows(tx, organization, [UUID(row["id"])], lock=True)
        async with asyncio.timeout(PATIENCE):
            copied = await copy(insurance, asked, seen["token"], practice.manager)

    assert copied["done"] == 1


async def test_a_row_that_is_copied_while_its_plan_is_being_ended_ends_with_it(
    insurance: Insurance, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R27"""
    monkeypatch.setattr(copying, "AT_ONCE", 1)
    there, plans = uuid4(), [await a_plan(insurance) for _ in range(2)]
    await placed(insurance, practice, office_id=there)
    await accepting(insurance, practice, *plans)
    asked = to_office(practice, there)
    seen = await preview(insurance, asked, practice.manager)
    await copy(insurance, asked, seen["token"], practice.manager)

    async with insurance.running.parts.db.transaction() as tx:
        known = await store.plan_to_change(tx, PlanId(UUID(plans[1])))
        assert known is not None
        going_on = asyncio.create_task(actions.copy_rows(insurance.running.parts.call()))
        await eventually(lambda: _waiting(insurance), lambda waiting: waiting == 1)
        await store.change_plan(tx, replace(known, effective_until=date(2031, 6, 1)))
    await going_on

    ends = {
        row["plan"]["id"]: row["effectiveUntil"]
        for row in await rows_at(insurance, practice, there)
    }
    assert ends == {plans[0]: None, plans[1]: "2031-06-01"}


async def _waiting(insurance: Insurance) -> int:
    """How many wait for somebody else's lock."""
    found: int = await insurance.running.parts.db.pool.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock' AND wait_event <> 'advisory'"
    )
    return found


async def test_an_office_admin_sees_the_copies_that_go_to_own_offices_and_no_others(
    insurance: Insurance, practice: Practice
) -> None:
    """R26"""
    there = uuid4()
    await placed(insurance, practice, office_id=there)
    await accepting(insurance, practice, await a_plan(insurance))
    asked = to_office(practice, there)
    seen = await preview(insurance, asked, practice.manager)
    done = await copy(insurance, asked, seen["token"], practice.manager)
    query = "query($id: ID!) { participationCopy(id: $id) { id } }"

    for office, ids in ((there, [done["id"]]), (practice.office_id, [])):
        admin = practice.staff(office_admin_of=frozenset({office}))
        listed = await insurance.running.data(COPIES, viewer=admin)
        one = await insurance.running.data(query, {"id": done["id"]}, viewer=admin)

        assert [edge["node"]["id"] for edge in listed["participationCopies"]["edges"]] == ids
        assert one["participationCopy"] == ({"id": done["id"]} if ids else None)
