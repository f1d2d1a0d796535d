"""What offices, groups, users and organizations of other subgraphs gain from reporting (R30, R32, R34)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from kit.auth import Kind, Viewer
from tests.service.reporting.conftest import Clinic
from tests.service.reporting.people import Somebody, office, staff
from tests.service.reporting.test_guides import acknowledge, published
from tests.service.reporting.test_scorecards import AFTER, Week
from tests.service.reporting.test_trainings import assigned

TODO = "unreadGuides trainingDue"


async def todo(clinic: Clinic, kind: str, id_: UUID, by: Viewer, more: str = "") -> Any:  # noqa: ANN401 - JSON
    """What an entity tells somebody."""
    query = f"query($keys: [_Any!]!) {{ _entities(representations: $keys) {{ ... on {kind} {{ {TODO} {more} }} }} }}"
    keys = [{"__typename": kind, "id": str(id_)}]
    data = await clinic.reporting.running.data(query, {"keys": keys}, viewer=by)
    return data["_entities"][0]


async def test_what_is_left_to_read_and_to_learn_stands_beside_people_and_places(
    clinic: Clinic,
) -> None:
    """R30, R34"""
    await clinic.reporting.running.set_time(AFTER)
    await office(clinic)
    elsewhere = await office(clinic, "Elsewhere", uuid4())
    first, second = await staff(clinic), await staff(clinic)
    await second.granted("OFFICE_STAFF", elsewhere)
    await (await Somebody(clinic).invited()).granted("OFFICE_STAFF")
    group = await clinic.group()
    guide = await published(clinic)
    await published(clinic, kind="SENDING")
    await acknowledge(clinic.reporting, guide, first.viewer)
    await assigned(clinic, title="Telephone manners", userIds=[str(second.user_id)], officeIds=[])

    async def told(kind: str, id_: UUID, by: Viewer = clinic.admin) -> tuple[int, int]:
        seen = await todo(clinic, kind, id_, by)
        return seen["unreadGuides"], seen["trainingDue"]

    assert await told("Office", clinic.office_id) == await told("Group", group) == (3, 1)
    assert await told("Office", elsewhere) == (2, 1)
    assert await told("User", first.user_id) == await told("User", first.user_id, first.viewer)
    assert await told("User", first.user_id) == (1, 0)
    assert await told("User", second.user_id, second.viewer) == (2, 1)
    assert await told("Organization", clinic.organization_id) == (3, 1)


async def test_who_keeps_the_plans_of_an_office_is_none_of_its_staff(clinic: Clinic) -> None:
    """R26: no guide is theirs to read, the office is not covered by them, and its admin is not told what they have to do."""
    await clinic.reporting.running.set_time(AFTER)
    await office(clinic)
    admin = await (await (await Somebody(clinic).invited()).confirmed()).granted("OFFICE_ADMIN")
    unstaffed = await office(clinic, "Elsewhere", uuid4())
    keeper = await (await Somebody(clinic).invited()).confirmed()
    for place in (clinic.office_id, unstaffed):
        await keeper.granted("INSURANCE_MANAGER", place)
    await published(clinic)

    whole = await todo(clinic, "Organization", clinic.organization_id, clinic.admin)
    own = await todo(clinic, "User", keeper.user_id, keeper.viewer)
    by_admin = await todo(clinic, "User", keeper.user_id, admin.viewer)
    data = await clinic.reporting.running.data(
        "{ accountHygieneReport { uncoveredOffices { id } } }", {}, viewer=clinic.admin
    )
    await keeper.revoked("INSURANCE_MANAGER", unstaffed)

    assert (whole["unreadGuides"], own["unreadGuides"]) == (0, 0)
    assert by_admin["unreadGuides"] is None
    assert data["accountHygieneReport"]["uncoveredOffices"] == [{"id": str(unstaffed)}]


async def test_open_findings_are_counted_for_the_organization(clinic: Clinic) -> None:
    """R32"""
    await office(clinic)
    week = Week(clinic, await clinic.group())
    await week.acted(late=5)
    await week.over()

    told = await todo(
        clinic, "Organization", clinic.organization_id, clinic.admin, "openFindingCount"
    )

    assert told["openFindingCount"] == 2


async def test_what_is_left_to_do_is_told_to_nobody_else(clinic: Clinic) -> None:
    """R30, R32, R34: other offices' admins, staff, other organizations and support learn nothing."""
    await office(clinic)
    one, other = await staff(clinic), await staff(clinic)
    group = await clinic.group()
    nothing = {"unreadGuides": None, "trainingDue": None}
    there = clinic.staff(office_admin_of=frozenset({uuid4()}))
    support = Viewer(kind=Kind.USER, user_id=uuid4(), support=True)
    things = (
        ("Office", clinic.office_id),
        ("Group", group),
        ("User", one.user_id),
        ("Organization", clinic.organization_id),
    )
    for viewer in (there, other.viewer, Clinic(clinic.reporting).admin, support):
        for kind, id_ in things:
            assert await todo(clinic, kind, id_, viewer) == nothing, (kind, viewer)
    here = clinic.staff(office_admin_of=frozenset({clinic.office_id}))
    assert (await todo(clinic, "User", one.user_id, here))["unreadGuides"] == 0
