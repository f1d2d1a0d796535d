"""Verification and its 90-day clock, from GraphQL to PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from kit.auth import Viewer
from proto.identity.v1.events_pb2 import OrganizationAdded, RoleGranted
from tests.service.insurance.asking import (
    ADD,
    END,
    PROBLEM,
    VERIFY,
    a_plan,
    mutate,
    wanted,
)
from tests.service.insurance.conftest import Insurance, Practice, new_practice

VERIFY_MANY = f"""mutation($input: VerifyParticipationsInput!) {{ verifyParticipations(input: $input) {{
    __typename {PROBLEM} ... on ParticipationsVerified {{ verified outcomes {{
        participationId problem {{ code message remedy }}
        participation {{ id version lastVerifiedOn certainty }} }} }} }} }}"""
DUE = """query($within: Int! = 0, $officeId: ID, $first: Int, $after: String) {
    participationsDue(within: $within, officeId: $officeId, first: $first, after: $after) {
        edges { node { id certainty verifyBy verifiedDaysAgo } } pageInfo { hasNextPage endCursor } } }"""
HISTORY = """query($officeId: ID!) { participations(officeId: $officeId) { edges { node {
    id verifications { on means effectiveUntil by { id } } } } } }"""
STANDING = "{ verificationStanding { verified stale unverified managerMissing } }"


async def rows_of(insurance: Insurance, practice: Practice, *sources: str) -> list[dict[str, Any]]:
    """Fresh rows at the practice's place, one for each source."""
    return [
        await mutate(
            insurance,
            ADD,
            wanted(practice, await a_plan(insurance), "2020-01-01") | {"source": source},
            practice.manager,
        )
        for source in sources
    ]


async def due(insurance: Insurance, viewer: Viewer, **asked: object) -> list[dict[str, Any]]:
    data = await insurance.running.data(DUE, asked, viewer=viewer)
    return [edge["node"] for edge in data["participationsDue"]["edges"]]


def as_seen(row: dict[str, Any], version: int = 1) -> dict[str, object]:
    return {"participationId": row["id"], "expectedVersion": version}


async def test_many_rows_are_verified_in_one_call_and_each_refusal_is_told_by_itself(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    good, stale, ended = await rows_of(insurance, practice, "PAYER", "PAYER", "PAYER")
    ending = as_seen(ended) | {"effectiveUntil": "2021-01-01"}
    await mutate(insurance, END, ending, practice.manager)
    unknown = {"id": str(uuid4())}

    answer = await mutate(
        insurance,
        VERIFY_MANY,
        {
            "participations": [
                as_seen(stale, 7), as_seen(good), as_seen(ended, 2), as_seen(unknown),
            ],
            "idempotencyKey": "once",
        },
        practice.manager,
    )  # fmt: skip

    told = {one["participationId"]: one for one in answer["outcomes"]}
    codes = [one["problem"] and one["problem"]["code"] for one in answer["outcomes"]]
    assert codes == ["STALE_VERSION", None, "PARTICIPATION_ENDED", "NOT_FOUND"]
    assert answer["verified"] == 1
    assert told[good["id"]]["participation"]["certainty"] == "VERIFIED"
    assert told[stale["id"]]["participation"]["certainty"] == "UNVERIFIED"
    assert told[unknown["id"]]["participation"] is None


async def test_a_repeated_call_gets_the_first_answer_and_verifies_nothing_twice(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    (row,) = await rows_of(insurance, practice, "IMPORT")
    input_ = {"participations": [as_seen(row)], "idempotencyKey": str(uuid4())}

    first, again = [
        await mutate(insurance, VERIFY_MANY, input_, practice.manager) for _ in range(2)
    ]

    assert first == again
    assert again["outcomes"][0]["participation"]["version"] == 2


async def test_an_office_admin_verifies_the_rows_of_own_offices_and_no_others(
    insurance: Insurance, practice: Practice
) -> None:
    """R26"""
    (row,) = await rows_of(insurance, practice, "PAYER")
    other = practice.staff(office_admin_of=frozenset({uuid4()}))
    input_ = {"participations": [as_seen(row)], "idempotencyKey": "k"}

    refused = await mutate(insurance, VERIFY_MANY, input_, other)
    here = practice.staff(office_admin_of=frozenset({practice.office_id}))
    allowed = await mutate(insurance, VERIFY_MANY, input_, here)

    assert refused["outcomes"][0]["problem"]["code"] == "FORBIDDEN"
    assert allowed["verified"] == 1


async def test_rows_of_another_organization_are_unknown_to_who_would_verify_them(
    insurance: Insurance, practice: Practice
) -> None:
    """R26, R27"""
    other = new_practice(insurance)
    (theirs,) = await rows_of(insurance, other, "PAYER")
    input_ = {
        "participations": [as_seen(theirs), as_seen({"id": str(uuid4())})],
        "idempotencyKey": "k",
    }

    answer = await mutate(insurance, VERIFY_MANY, input_, practice.manager)

    foreign, unknown = (one["problem"] for one in answer["outcomes"])
    assert foreign == unknown


async def test_rows_are_due_after_ninety_days_those_never_verified_first(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    await insurance.running.set_time(datetime(2031, 1, 1, 12, tzinfo=UTC))
    own, imported = await rows_of(insurance, practice, "ORGANIZATION", "IMPORT")
    assert [one["id"] for one in await due(insurance, practice.manager)] == [imported["id"]]
    ahead = await due(insurance, practice.manager, within=90)

    await insurance.running.set_time(datetime(2031, 4, 1, 12, tzinfo=UTC))
    on_the_ninetieth = await due(insurance, practice.manager)
    await insurance.running.set_time(datetime(2031, 4, 2, 12, tzinfo=UTC))
    after = await due(insurance, practice.manager)

    assert [one["id"] for one in ahead] == [imported["id"]]
    assert [one["id"] for one in on_the_ninetieth] == [imported["id"]]
    assert [(one["id"], one["certainty"]) for one in after] == [
        (imported["id"], "UNVERIFIED"),
        (own["id"], "STALE"),
    ]
    assert (after[1]["verifyBy"], after[1]["verifiedDaysAgo"]) == ("2031-04-01", 91)


async def test_the_list_of_what_is_due_comes_in_pages_and_is_an_office_admins_own(
    insurance: Insurance, practice: Practice
) -> None:
    """R26, R27"""
    await insurance.running.set_time(datetime(2032, 1, 1, 12, tzinfo=UTC))
    await rows_of(insurance, practice, "ORGANIZATION", "IMPORT", "PAYER", "ORGANIZATION")
    await insurance.running.set_time(datetime(2032, 6, 1, 12, tzinfo=UTC))
    whole = await due(insurance, practice.manager)

    paged: list[dict[str, Any]] = []
    after = None
    while True:
        data = await insurance.running.data(
            DUE, {"first": 1, "after": after}, viewer=practice.manager
        )
        page = data["participationsDue"]
        paged += [edge["node"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert len(whole) == 4
    assert paged == whole
    here = practice.staff(office_admin_of=frozenset({practice.office_id}))
    elsewhere = practice.staff(office_admin_of=frozenset({uuid4()}))
    assert len(await due(insurance, here)) == 4
    assert await due(insurance, elsewhere) == []
    assert await due(insurance, elsewhere, officeId=str(practice.office_id)) == []


async def test_who_answers_for_nothing_is_not_told_what_is_due(
    insurance: Insurance, practice: Practice
) -> None:
    """R26"""
    answer = await insurance.running.gql(DUE, viewer=practice.staff())
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_the_history_of_a_row_says_who_when_and_how_and_only_at_home(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    (row,) = await rows_of(insurance, practice, "ORGANIZATION")
    admin = practice.staff(client_admin=True)
    await mutate(insurance, VERIFY, as_seen(row), admin)
    await insurance.show(practice)
    office = {"officeId": str(practice.office_id)}

    at_home = await insurance.running.data(HISTORY, office, viewer=practice.manager)
    stranger = new_practice(insurance).manager
    elsewhere = await insurance.running.data(HISTORY, office, viewer=stranger)

    (seen,) = (edge["node"]["verifications"] for edge in at_home["participations"]["edges"])
    assert [(one["means"], one["by"]["id"]) for one in seen] == [
        ("VERIFIED", str(admin.user_id)),
        ("ADDED", str(practice.manager.user_id)),
    ]
    (hidden,) = (edge["node"]["verifications"] for edge in elsewhere["participations"]["edges"])
    assert hidden == []


async def test_the_day_is_that_of_the_organizations_calendar(
    insurance: Insurance, practice: Practice
) -> None:
    """R27: at noon UTC it is tomorrow already on Kiritimati."""
    at = datetime(2033, 2, 28, 12, tzinfo=UTC)
    organization = practice.organization_id
    fact = OrganizationAdded(
        organization_id=str(organization), name="Atoll", time_zone="Pacific/Kiritimati"
    )
    await insurance.neighbours.say(fact, organization, "organization", organization, at)
    await insurance.running.set_time(at)

    (row,) = await rows_of(insurance, practice, "ORGANIZATION")

    assert row["lastVerifiedOn"] == "2033-03-01"


async def test_a_clock_that_goes_back_makes_no_verification_earlier(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    await insurance.running.set_time(datetime(2034, 5, 1, 12, tzinfo=UTC))
    (row,) = await rows_of(insurance, practice, "ORGANIZATION")
    await insurance.running.set_time(datetime(2034, 4, 1, 12, tzinfo=UTC))

    again = await mutate(insurance, VERIFY, as_seen(row), practice.manager)

    assert (again["lastVerifiedOn"], again["version"]) == ("2034-05-01", 2)


async def test_of_two_who_verify_and_end_a_row_at_once_the_second_sees_a_stale_version(
    insurance: Insurance, practice: Practice
) -> None:
    """R27"""
    for _ in range(5):
        (row,) = await rows_of(insurance, practice, "PAYER")
        ending = as_seen(row) | {"effectiveUntil": "2040-01-01"}
        answers = await asyncio.gather(
            mutate(insurance, VERIFY, as_seen(row), practice.manager),
            mutate(insurance, END, ending, practice.manager),
        )
        kinds = sorted(one["__typename"] for one in answers)
        assert kinds == ["Participation", "StaleVersionProblem"]


@pytest.mark.parametrize("managed", [True, False])
async def test_the_standing_counts_how_sure_the_lists_are_and_whether_a_manager_is_missing(
    insurance: Insurance,
    practice: Practice,
    managed: bool,  # noqa: FBT001
) -> None:
    """R26, R27"""
    await insurance.running.set_time(datetime(2035, 1, 1, 12, tzinfo=UTC))
    await rows_of(insurance, practice, "ORGANIZATION")
    await insurance.running.advance(timedelta(days=91))
    await rows_of(insurance, practice, "ORGANIZATION", "IMPORT")
    if managed:
        user = practice.manager.user_id
        assert user is not None
        fact = RoleGranted(user_id=str(user), role="INSURANCE_MANAGER")
        now = insurance.running.parts.clock.now()
        await insurance.neighbours.say(fact, practice.organization_id, "user", user, now)

    data = await insurance.running.data(STANDING, viewer=practice.manager)

    assert data["verificationStanding"] == {
        "verified": 1, "stale": 1, "unverified": 1, "managerMissing": not managed,
    }  # fmt: skip


async def test_an_office_tells_who_keeps_its_plans_how_many_are_due(
    insurance: Insurance, practice: Practice
) -> None:
    """R27: nobody else is told, and of an office where nothing is listed there is nothing to tell."""
    await rows_of(insurance, practice, "PAYER", "PAYER")
    query = "query($keys: [_Any!]!) { _entities(representations: $keys) { ... on Office { plansDue } } }"

    async def told(viewer: Viewer, office_id: object = practice.office_id) -> int | None:
        keys = [{"__typename": "Office", "id": str(office_id)}]
        data = await insurance.running.data(query, {"keys": keys}, viewer=viewer)
        found: int | None = data["_entities"][0]["plansDue"]
        return found

    assert await told(practice.manager) == 2
    assert await told(practice.manager, uuid4()) is None
    row = (await due(insurance, practice.manager))[0]
    await mutate(insurance, VERIFY, as_seen(row), practice.manager)
    assert await told(practice.manager) == 1
    assert await told(new_practice(insurance).manager) is None
