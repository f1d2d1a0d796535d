"""The table behind the search: always what follows from the rest, read by its indexes, in one order (R28)."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from kit import db
from proto.identity.v1 import events_pb2 as identity_facts
from proto.insurance.v1 import events_pb2 as insurance_facts
from services.directory.domain.listings import Wanted
from services.directory.domain.nouns import Place, PlanId, Point
from services.directory.store import receivers
from tests.service.directory.world import BOSTON, FAMILY, Directory, Organization
from tests.support.servers import PostgresServer

SUGGEST = """query($input: SuggestReceiversInput!) { suggestReceivers(input: $input) {
    widening insuranceUnknown insuranceHeardAt receivers {
        provider { id name } group { id } office { id } planCertainty acceptedPlanIds planStale
        factors { name score reason } } } }"""
COLUMNS = """organization_id, office_id, provider_id, group_id, code, name, latitude, longitude, city, region, effective_from,
    effective_until, accepting_new_patients, languages, changed_on, members"""
NEUROLOGY, SKIN, BONES = "2084N0400X", "207N00000X", "207X00000X"


async def _suggest(viewer: Organization, **given: Any) -> Any:  # noqa: ANN401
    asked = {"near": BOSTON, "first": 100, **given}
    return (await viewer.ask(SUGGEST, input=asked))["suggestReceivers"]


def _mine(found: Any, *providers: dict[str, Any]) -> list[str]:  # noqa: ANN401
    """Those of the providers who were found, in the order they were found in."""
    ids = {one["id"]: one["id"] for one in providers}
    rows = [one["provider"]["id"] for one in found["receivers"] if one["provider"]]
    return [ids[one] for one in rows if one in ids]


async def _wrong(directory: Directory) -> list[Any]:
    """What is listed and should not be, and the other way round."""
    rows = await directory.running.sql.fetch(
        f"(SELECT {COLUMNS} FROM listings EXCEPT ALL SELECT {COLUMNS} FROM listable)"  # noqa: S608 - a constant
        f" UNION ALL (SELECT {COLUMNS} FROM listable EXCEPT ALL SELECT {COLUMNS} FROM listings)"
    )
    names = await directory.running.sql.fetch(
        """SELECT office_id, receiver_id, name FROM listed_names
            EXCEPT SELECT office_id, coalesce(provider_id, group_id), name FROM listable"""
    )
    return [*rows, *names]


async def _listed(directory: Directory, office: dict[str, Any]) -> int:
    return int(
        await directory.running.sql.fetchval(
            "SELECT count(*) FROM listings WHERE office_id = $1", UUID(office["id"])
        )
    )


async def _accepts(
    directory: Directory, organization: Organization, provider: str, office: str, plan: str,
    **given: str,
) -> UUID:  # fmt: skip
    row, today = uuid4(), directory.today()
    days = {"effective_from": str(today - timedelta(days=30)), "verified_on": str(today)}
    fact = insurance_facts.ParticipationAdded(
        participation_id=str(row), provider_id=provider, office_id=office, plan_id=plan, **days | given
    )  # fmt: skip
    now = directory.running.parts.clock.now()
    await directory.neighbours.say(fact, organization.id, "participation", row, now)
    return row


async def test_listings_follow_every_change_in_its_transaction(
    directory: Directory, organization: Organization
) -> None:
    """R11, R16, R23, R28."""
    one, two = [await organization.approved(languages=["es"]) for _ in range(2)]
    office = await organization.live_office(one)
    assert (await _listed(directory, office), await _wrong(directory)) == (1, [])

    placed = await organization.place(two, office)
    assert (await _listed(directory, office), await _wrong(directory)) == (2, [])
    await _accepts(directory, organization, one["id"], office["id"], str(uuid4()))
    assert await _wrong(directory) == []
    await organization.do(
        "setAcceptingNewPatients",
        "SetAcceptingNewPatientsInput",
        "__typename",
        {"placementId": placed["id"], "expectedVersion": placed["version"], "accepting": False},
    )
    assert await _wrong(directory) == []

    user = await organization.user()
    group = await organization.add_group(
        officeIds=[office["id"]], providerIds=[one["id"], two["id"]], staffUserIds=[user]
    )
    assert (await _listed(directory, office), await _wrong(directory)) == (3, [])
    await organization.versioned("startOffboarding", await organization.provider(two["id"]))
    assert (await _listed(directory, office), await _wrong(directory)) == (2, [])
    given = {"groupId": group["id"], "expectedVersion": group["version"], "maySend": True, "mayReceive": False}  # fmt: skip
    flags = await organization.do(
        "changeGroupFlags",
        "ChangeGroupFlagsInput",
        "__typename ... on Problem { code message }",
        given,
    )
    assert flags["__typename"] == "Group", flags
    assert (await _listed(directory, office), await _wrong(directory)) == (1, [])


async def test_an_office_without_staff_lists_nobody_until_somebody_works_there_again(
    directory: Directory, organization: Organization
) -> None:
    """R18, R28."""
    provider = await organization.approved()
    office = await organization.live_office(provider)
    rows = await directory.running.sql.fetch(
        "SELECT user_id FROM office_users_heard WHERE office_id = $1", UUID(office["id"])
    )
    now = directory.running.parts.clock.now()
    for row in rows:
        gone = identity_facts.RoleRevoked(
            user_id=str(row["user_id"]), role="OFFICE_STAFF", office_id=office["id"]
        )
        await directory.neighbours.say(gone, organization.id, "user", row["user_id"], now)
    without = await _listed(directory, office)
    await organization.staff(office["id"])

    assert (without, await _listed(directory, office)) == (0, 1)
    assert await _wrong(directory) == []


async def test_changes_of_one_office_at_once_are_all_listed_whoever_commits_last(
    directory: Directory, organization: Organization
) -> None:
    """R28."""
    providers = [await organization.approved() for _ in range(6)]
    office = await organization.live_office()
    for _ in range(3):
        placed = await asyncio.gather(*(organization.place(one, office) for one in providers))
        assert await _wrong(directory) == []
        assert await _listed(directory, office) == len(providers)
        await asyncio.gather(*(organization.end_placements(one) for one in providers))
        assert await _wrong(directory) == []
        assert {one["__typename"] for one in placed} == {"Placement"}


async def test_the_same_question_gives_the_same_order_also_when_listings_were_made_anew(
    directory: Directory, organization: Organization
) -> None:
    """R28: many at one door, alike in everything."""
    providers = [await organization.approved(specialtyCodes=[BONES]) for _ in range(8)]
    office = await organization.live_office(*providers)
    first = await _suggest(organization, specialtyCode=BONES)
    await directory.running.sql.fetch("SELECT list_again($1, '{}', '{}', true)", UUID(office["id"]))
    again = await _suggest(organization, specialtyCode=BONES)

    assert len(_mine(first, *providers)) == 8
    assert first["receivers"] == again["receivers"]


@pytest.mark.parametrize(
    "asked", ["Quillfeather", "quilfether", "QUILLFEATHR", "Zebedee Quillfeather"]
)
async def test_a_name_is_found_in_spite_of_wrong_letters(
    organization: Organization, asked: str
) -> None:
    """R28."""
    wanted = await organization.approved(firstName="Zebedee", lastName="Quillfeather")
    other = await organization.approved(firstName="Zoe", lastName="Grasmere")
    await organization.live_office(wanted, other)
    found = await _suggest(organization, name=asked)

    assert _mine(found, wanted, other) == [wanted["id"]]
    factor = found["receivers"][0]["factors"][0]
    assert (factor["name"], factor["score"] >= 0.45) == ("NAME", True)


async def test_a_name_and_a_specialty_must_both_fit(organization: Organization) -> None:
    """R28."""
    one = await organization.approved(lastName="Ottoline", specialtyCodes=[FAMILY])
    await organization.live_office(one)

    assert _mine(await _suggest(organization, name="Ottoline", specialtyCode=FAMILY), one)
    assert not _mine(await _suggest(organization, name="Ottoline", specialtyCode=NEUROLOGY), one)


async def test_a_group_is_found_by_its_name(organization: Organization) -> None:
    """R21, R28."""
    member, user = await organization.approved(), await organization.user()
    office = await organization.live_office(member)
    group = await organization.add_group(
        name="Harbourlight Heart Team", officeIds=[office["id"]], providerIds=[member["id"]],
        staffUserIds=[user],
    )  # fmt: skip
    found = await _suggest(organization, name="harborlight")

    assert [one["group"]["id"] for one in found["receivers"] if one["group"]] == [group["id"]]


async def test_only_those_who_speak_the_language_or_take_new_patients_when_that_is_asked(
    organization: Organization,
) -> None:
    """R28."""
    spanish = await organization.approved(specialtyCodes=[SKIN], languages=["en", "es"])
    english = await organization.approved(specialtyCodes=[SKIN], languages=["en"])
    office = await organization.live_office(english)
    await organization.place(spanish, office, acceptingNewPatients=False)
    both = (spanish, english)

    spoken = await _suggest(organization, specialtyCode=SKIN, language="ES")
    accepting = await _suggest(organization, specialtyCode=SKIN, onlyAcceptingNewPatients=True)

    assert _mine(spoken, *both) == [spanish["id"]]
    assert _mine(accepting, *both) == [english["id"]]


async def test_the_patient_s_second_plan_counts_and_an_old_verification_is_told(
    directory: Directory, organization: Organization
) -> None:
    """R28."""
    old, fresh, none = [await organization.approved(specialtyCodes=[NEUROLOGY]) for _ in range(3)]
    office, plans = await organization.live_office(old, fresh, none), [str(uuid4()), str(uuid4())]
    long_ago = str(directory.today() - timedelta(days=91))
    await _accepts(directory, organization, old["id"], office["id"], plans[0], verified_on=long_ago)
    await _accepts(directory, organization, fresh["id"], office["id"], plans[1])
    found = await _suggest(organization, specialtyCode=NEUROLOGY, planIds=plans)
    rows = {one["provider"]["id"]: one for one in found["receivers"] if one["provider"]}

    assert _mine(found, old, fresh, none) == [fresh["id"], old["id"], none["id"]]
    assert [rows[one["id"]]["planStale"] for one in (old, fresh, none)] == [True, False, False]
    assert rows[fresh["id"]]["acceptedPlanIds"] == [plans[1]]
    assert found["insuranceUnknown"] is False
    assert found["insuranceHeardAt"] is not None


async def test_the_day_of_the_visit_decides_which_plans_are_accepted(
    directory: Directory, organization: Organization
) -> None:
    """R27, R28: half-open days."""
    provider, plan = await organization.approved(specialtyCodes=[BONES]), str(uuid4())
    office = await organization.live_office(provider)
    ends = directory.today() + timedelta(days=10)
    await _accepts(
        directory, organization, provider["id"], office["id"], plan, effective_until=str(ends)
    )

    async def certainty(on: date) -> str:
        found = await _suggest(organization, specialtyCode=BONES, planId=plan, on=str(on))
        rows = {one["provider"]["id"]: one for one in found["receivers"] if one["provider"]}
        return str(rows[provider["id"]]["planCertainty"])

    assert await certainty(ends - timedelta(days=1)) == "ACCEPTED"
    assert await certainty(ends) == "UNKNOWN"


async def test_where_insurance_has_told_nothing_the_plan_is_unknown_and_never_accepted(
    organization: Organization,
) -> None:
    """R28: insuranceUnknown."""
    provider = await organization.approved(lastName="Wintergreen", specialtyCodes=[SKIN])
    await organization.live_office(provider)
    found = await _suggest(organization, name="Wintergreen", planId=str(uuid4()))

    assert found["insuranceUnknown"] is True
    assert [one["planCertainty"] for one in found["receivers"]] == ["UNKNOWN"]


async def test_a_question_for_nothing_or_for_two_places_is_refused(
    directory: Directory, organization: Organization
) -> None:
    for given, field in (
        ({}, "specialtyCode"),
        ({"specialtyCode": FAMILY, "postalCode": "02139", "near": BOSTON}, "near"),
        ({"specialtyCode": FAMILY, "postalCode": "2139"}, "postalCode"),
        ({"specialtyCode": FAMILY, "planIds": [str(uuid4()) for _ in range(11)]}, "planIds"),
        ({"specialtyCode": FAMILY, "region": "Utah"}, "region"),
        ({"name": "x" * 101}, "name"),
    ):
        answer = await directory.running.gql(SUGGEST, {"input": given}, viewer=organization.admin)
        assert answer["errors"][0]["extensions"]["field"] == field, given


# The plans of PostgreSQL ----------------------------------------------------------------------------------------------

_MANY = """INSERT INTO listings (organization_id, office_id, provider_id, code, name, latitude, longitude, city, region,
        effective_from, accepting_new_patients, languages, changed_on, plan_keys, members)
    SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'B0000000' || n % 20 || 'X', 'Made Up' || n,
        25 + n % 200 / 10.0, -120 + n / 200 % 400 / 10.0, 'City', 'MT', '2026-01-01', true, '{}', '2026-01-01', '{}', '[]'
    FROM generate_series(1, 40000) AS n"""
_NAMES = """INSERT INTO listed_names (office_id, receiver_id, name)
    SELECT gen_random_uuid(), gen_random_uuid(), md5(n::text) || ' ' || md5((-n)::text) FROM generate_series(1, 20000) AS n"""


async def _plan(postgres: PostgresServer, wanted: Wanted) -> str:
    """How PostgreSQL answers it for a user of the network, among many."""
    owner = await asyncpg.connect(url := await postgres.database("directory"))
    try:
        await db.migrate(url, "directory")
        await owner.execute("SELECT set_config('suite.scope', 'suite', false)")
        for statement in (_MANY, _NAMES, "VACUUM ANALYZE listings", "VACUUM ANALYZE listed_names"):
            await owner.execute(statement)
        await owner.execute("SELECT set_config('suite.scope', 'network', false)")
        sql, args = receivers.question(wanted, 200.0, 100)
        return "\n".join([row[0] for row in await owner.fetch(f"EXPLAIN {sql}", *args)])
    finally:
        await owner.close()


TODAY = date(2026, 6, 1)


async def test_a_suggestion_reads_an_index_and_never_a_whole_table(
    postgres: PostgresServer,
) -> None:
    """R28."""
    plans, place = frozenset({PlanId(uuid4())}), Place(Point(35.0, -100.0))
    plan = await _plan(postgres, Wanted(("B00000003X",), plans, place, TODAY, TODAY))

    assert "Index Only Scan using listings_near" in plan
    assert (
        "Index Cond: ((code = asked.code) AND (cell >= span.first) AND (cell <= span.last))" in plan
    )
    assert "Seq Scan on listings" not in plan


async def test_a_name_is_looked_up_by_its_letters(postgres: PostgresServer) -> None:
    """R28: a wall in front of it would hide the index of letters from the planner."""
    plan = await _plan(postgres, Wanted((), frozenset(), Place(), TODAY, TODAY, name="Ada"))

    assert "listed_names_like" in plan
    assert "Seq Scan on list" not in plan
