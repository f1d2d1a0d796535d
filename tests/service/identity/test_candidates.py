"""Suggestions of office admins."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from tests.service.identity.asking import CANDIDATES, DISMISS, GRANT, TITLE, about, role
from tests.service.identity.conftest import Identity, Organization, an_email, new_organization


async def staff(
    identity: Identity, here: Organization, title: str | None = None, days: int = 1
) -> str:
    """Confirmed staff of the office, with a title, who signed in on so many days."""
    email = an_email()
    user = (await identity.invite(here.admin, email, role("OFFICE_STAFF", here.office)))["user"]
    await identity.confirm(email)
    if title:
        seen = await identity.user(user["id"], here.admin)
        await identity.mutate(TITLE, about(seen, title=title), here.admin)
    await identity.running.sql.execute(
        "INSERT INTO sessions (id, user_id, membership_id, stage, began_at, ends_at, rotated_at)"
        " SELECT gen_random_uuid(), s.user_id, s.membership_id, s.stage, s.began_at - make_interval(days => n),"
        " s.ends_at - make_interval(days => n), s.rotated_at FROM sessions s, generate_series(1, $2) n"
        " WHERE s.user_id = $1 AND s.stage = 'full'",
        user["id"],
        days - 1,
    )
    found: str = user["id"]
    return found


async def suggested(identity: Identity, here: Organization) -> list[dict[str, Any]]:
    """The candidates for the organization's office."""
    data = await identity.running.data(CANDIDATES, viewer=here.admin)
    offices = {one["office"]["id"]: one["candidates"] for one in data["officesWithoutAdmin"]}
    found: list[dict[str, Any]] = offices.get(str(here.office), [])
    return found


async def test_an_office_without_admin_has_its_candidates_ranked_with_reasons(
    identity: Identity, here: Organization
) -> None:
    """R-S1"""
    manager = await staff(identity, here, "Practice Manager")
    often = await staff(identity, here, days=9)
    plain = await staff(identity, here)

    ranked = await suggested(identity, here)

    assert [one["userId"] for one in ranked] == [manager, often]
    assert [one["reasons"] for one in ranked] == [["TITLE"], ["SIGNS_IN_OFTEN"]]
    assert ranked[1]["daysSignedIn"] == 9
    assert plain not in {one["userId"] for one in ranked}
    grants = [(await identity.user(one, here.admin))["grants"] for one in (manager, often)]
    assert all(len(one) == 1 for one in grants), "nothing is granted by a suggestion"


async def test_whoever_alone_covers_the_office_is_not_suggested(
    identity: Identity, here: Organization
) -> None:
    """R-S1: not only coverage; an office with no candidate says so."""
    await staff(identity, here, "Manager")
    data = await identity.running.data(CANDIDATES, viewer=here.admin)

    assert data["officesWithoutAdmin"] == [{"office": {"id": str(here.office)}, "candidates": []}]


async def test_an_office_that_has_an_admin_has_no_candidates_until_that_one_s_time_is_over(
    identity: Identity, here: Organization
) -> None:
    """R-S1, R08"""
    await staff(identity, here, "Manager")
    second = await staff(identity, here, "Team lead")
    seen = await identity.user(second, here.admin)
    ends = (identity.running.parts.clock.now() + timedelta(minutes=5)).isoformat()
    await identity.mutate(
        GRANT, about(seen, **role("OFFICE_ADMIN", here.office), expiresAt=ends), here.admin
    )

    meanwhile = await suggested(identity, here)
    await identity.running.advance(timedelta(minutes=6))

    assert meanwhile == []
    assert len(await suggested(identity, here)) == 2


async def test_a_dismissal_is_remembered_for_one_user_or_for_the_whole_office(
    identity: Identity, here: Organization
) -> None:
    """R-S1: allow hide."""
    manager = await staff(identity, here, "Manager")
    lead = await staff(identity, here, "Team lead")
    one = {"officeId": str(here.office), "userId": manager}

    await identity.mutate(DISMISS, one, here.admin)
    again = await identity.mutate(DISMISS, one, here.admin)
    left = await suggested(identity, here)
    await identity.mutate(DISMISS, {"officeId": str(here.office)}, here.admin)

    assert again["__typename"] == "CandidateDismissed"
    assert [one["userId"] for one in left] == [lead]
    assert await suggested(identity, here) == []


async def test_suggestions_are_for_client_admins_of_the_organization(
    identity: Identity, here: Organization
) -> None:
    """R-S1, R02"""
    manager = await staff(identity, here, "Manager")
    office_admin = await identity.member(here, role("OFFICE_ADMIN", identity.new_office(here.id)))
    other = await new_organization(identity, "Hillside Care")
    hide = {"officeId": str(here.office), "userId": manager}

    read = await identity.running.gql(CANDIDATES, viewer=office_admin)
    refused = await identity.mutate(DISMISS, hide, office_admin)
    foreign = await identity.mutate(DISMISS, hide, other.admin)
    unknown = await identity.mutate(DISMISS, hide | {"officeId": str(uuid4())}, other.admin)

    assert read["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert refused["code"] == "FORBIDDEN"
    assert foreign == unknown
    assert foreign["code"] == "NOT_FOUND"
