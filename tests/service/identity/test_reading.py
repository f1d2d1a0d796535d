"""What is read of identity, and what is not."""

from datetime import timedelta
from uuid import uuid4

import pytest

from kit.auth import ANONYMOUS
from tests.service.identity.asking import (
    DEACTIVATE,
    ENTITIES,
    INVITE,
    USER,
    USERS,
    about,
    role,
)
from tests.service.identity.conftest import (
    Identity,
    Organization,
    an_email,
    new_organization,
)

ORGANIZATION = "query($id: ID) { organization(id: $id) { id name allowedActions } }"
ORGANIZATIONS = """query($after: String) { organizations(first: 3, after: $after) {
    edges { node { id } } pageInfo { hasNextPage endCursor } } }"""


async def test_an_organization_is_read_by_its_own_users_and_by_support(
    identity: Identity, here: Organization
) -> None:
    """R02"""
    there = await new_organization(identity, "Hillside Care")

    own = await identity.running.data(ORGANIZATION, viewer=here.admin)
    foreign = await identity.running.data(ORGANIZATION, {"id": str(there.id)}, viewer=here.admin)
    unknown = await identity.running.data(ORGANIZATION, {"id": str(uuid4())}, viewer=here.admin)
    support = await identity.running.data(
        ORGANIZATION, {"id": str(there.id)}, viewer=identity.support
    )

    assert own["organization"]["id"] == str(here.id)
    assert foreign == unknown == {"organization": None}
    assert support["organization"] == {
        "id": str(there.id), "name": "Hillside Care", "allowedActions": ["CHANGE_SIGN_IN", "BREAK_GLASS"],
    }  # fmt: skip


async def test_support_lists_every_organization_in_pages_and_nobody_else_does(
    identity: Identity, here: Organization
) -> None:
    """R02"""
    seen: list[str] = []
    after = None
    while True:
        data = await identity.running.data(ORGANIZATIONS, {"after": after}, viewer=identity.support)
        seen += [edge["node"]["id"] for edge in data["organizations"]["edges"]]
        if not data["organizations"]["pageInfo"]["hasNextPage"]:
            break
        after = data["organizations"]["pageInfo"]["endCursor"]
    refused = await identity.running.gql(ORGANIZATIONS, viewer=here.admin)

    count = await identity.running.sql.fetchval("SELECT count(*) FROM organizations")
    assert len(seen) == len(set(seen)) == count
    assert str(here.id) in seen
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_whoever_sees_a_thing_may_read_which_organization_it_belongs_to(
    identity: Identity, here: Organization
) -> None:
    """A receiver reads who sent a referral; by itself a foreign organization stays unknown (R02)."""
    there = await new_organization(identity, "Hillside Care")
    refs = [{"__typename": "Organization", "id": str(there.id)}]
    query = "query($id: ID!) { organization(id: $id) { name } }"

    named = await identity.running.data(ENTITIES, {"refs": [*refs]}, viewer=here.admin)
    asked = await identity.running.data(query, {"id": str(there.id)}, viewer=here.admin)
    nobody = await identity.running.gql(
        ENTITIES, {"refs": [{"__typename": "Organization", "id": str(there.id)}]}, viewer=ANONYMOUS
    )

    assert named["_entities"][0]["name"] == "Hillside Care"
    assert asked["organization"] is None
    assert nobody["data"]["_entities"] == [None]


async def test_users_of_another_organization_read_like_unknown_ones(
    identity: Identity, here: Organization
) -> None:
    """R02"""
    there = await new_organization(identity, "Hillside Care")
    foreign = await identity.user(there.admin.user_id, there.admin)
    refs = [
        {"__typename": "User", "id": foreign["id"]},
        {"__typename": "User", "id": str(uuid4())},
        {"__typename": "User", "id": str(there.admin.user_id)},
        {"__typename": "Organization", "id": str(uuid4())},
        {"__typename": "User", "id": str(here.admin.user_id)},
        {"__typename": "Organization", "id": str(here.id)},
    ]

    assert await identity.user(foreign["id"], here.admin) is None
    data = await identity.running.data(ENTITIES, {"refs": refs}, viewer=here.admin)
    assert data["_entities"][:4] == [None] * 4
    assert data["_entities"][4]["name"] == "Ada Admin"
    assert data["_entities"][5]["name"] == "Lakeside Care"
    answers = [
        await identity.mutate(DEACTIVATE, about({"id": one, "version": 1}), here.admin)
        for one in (foreign["id"], str(uuid4()))
    ]
    assert answers[0] == answers[1]
    assert answers[0]["__typename"] == "NotFoundProblem"
    listing = await identity.running.gql(USERS, {"here": str(there.id)}, viewer=here.admin)
    unknown = await identity.running.gql(USERS, {"here": str(uuid4())}, viewer=here.admin)
    assert listing == unknown
    assert listing["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_staff_see_who_works_here_but_not_their_addresses(
    identity: Identity, here: Organization
) -> None:
    """R02"""
    member = await identity.member(here, role("OFFICE_STAFF", here.office))

    seen = await identity.user(here.admin.user_id, member)
    me = await identity.user(member.user_id, member)

    assert (seen["name"], seen["email"], seen["allowedActions"]) == ("Ada Admin", None, [])
    assert me["email"] is not None


async def test_support_reads_an_organization_by_naming_it(
    identity: Identity, here: Organization
) -> None:
    user_id = str(here.admin.user_id)

    named = await identity.running.data(
        USER, {"id": user_id, "here": str(here.id)}, viewer=identity.support
    )
    unnamed = await identity.running.data(USER, {"id": user_id}, viewer=identity.support)

    assert named["user"]["id"] == user_id
    assert unnamed["user"] is None


async def test_the_list_of_users_comes_in_pages_by_name(
    identity: Identity, here: Organization
) -> None:
    """R04"""
    names = ["zoe Zimmer", "Bo Berg", "bo berg", "Ädil", "Carl"]
    for name in names:
        await identity.invite(here.admin, an_email(), name=name)
    await identity.running.advance(timedelta(hours=24))
    seen: list[dict[str, object]] = []
    after = None
    while True:
        data = await identity.running.data(USERS, {"first": 2, "after": after}, viewer=here.admin)
        seen += [edge["node"] for edge in data["users"]["edges"]]
        if not data["users"]["pageInfo"]["hasNextPage"]:
            break
        after = data["users"]["pageInfo"]["endCursor"]

    assert [one["name"] for one in seen][:1] == ["Ada Admin"]
    assert sorted(str(one["name"]) for one in seen) == sorted(["Ada Admin", *names])
    assert {one["invitationHoursLeft"] for one in seen if one["status"] == "INVITED"} == {24}


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({"first": 0}, "first"),
        ({"first": 101}, "first"),
        ({"after": "x"}, "after"),
        ({"after": "WzFd"}, "after"),
        ({"after": "WyJhXHUwMDAwIiwieCJd"}, "after"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(
    identity: Identity, here: Organization, variables: dict[str, object], field: str
) -> None:
    answer = await identity.running.gql(USERS, variables, viewer=here.admin)

    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert answer["errors"][0]["extensions"]["field"] == field


async def test_an_id_that_is_none_is_named(identity: Identity, here: Organization) -> None:
    refused = await identity.mutate(DEACTIVATE, about({"id": "me", "version": 1}), here.admin)
    roles = [{"role": "OFFICE_STAFF", "officeId": "there"}]
    invite = {"email": an_email(), "name": "Sam", "roles": roles, "idempotencyKey": "k"}
    office = await identity.mutate(INVITE, invite, here.admin)

    assert (refused["code"], refused["field"]) == ("INVALID_ID", "userId")
    assert (office["code"], office["field"]) == ("INVALID_ID", "officeId")


async def test_names_that_python_and_the_database_put_into_lower_case_differently_are_not_passed_over(
    identity: Identity, here: Organization
) -> None:
    names = ["ΛΟΥΚΑΣ", "ΛΟΥΚΑΣ", "ΛΟΥΚΑσ", "\u0130pek Su", "\u0130pek Tan"]
    for name in names:
        await identity.invite(here.admin, an_email(), name=name)

    found, after = list[str](), None
    for _ in range(len(names) + 1):
        data = await identity.running.data(USERS, {"first": 1, "after": after}, viewer=here.admin)
        found += [edge["node"]["name"] for edge in data["users"]["edges"]]
        after = data["users"]["pageInfo"]["endCursor"]

    assert sorted(found) == sorted([*names, "Ada Admin"])


async def test_a_moment_beyond_all_calendars_is_refused(
    identity: Identity, here: Organization
) -> None:
    """R02: it would be one more fault in the log, for anybody who likes."""
    query = "query($since: DateTime) { identityAudit(since: $since) { edges { cursor } } }"
    for since in ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"):
        answer = await identity.running.gql(query, {"since": since}, viewer=here.admin)
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT", answer
