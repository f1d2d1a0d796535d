"""What an office says and who is said to work for it, on real servers (R16, R18)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from kit.auth import Viewer
from proto.identity.v1 import events_pb2 as identity_facts
from tests.service.directory.world import OFFICE, Directory, Organization

CHANGED = (
    OFFICE
    + " ... on LeadTimeShortProblem { daysUntilGoLive } ... on DuplicateOfficeProblem { officeIds }"
)
LIFE = """query($id: ID!) { office(id: $id) { id state version name phone timeZone openNow goLiveOn groupOnly
    address { line1 postalCode } coordinates { latitude } hours { weekday opens closes } allowedActions
    shortLeadTimeReason roster { id } rosterAttestation { stands by { id } users { id } }
    readiness { ready checklist { code satisfied toDo } }
    placements { edges { node { effectiveFrom } } } } }"""
WEEK = [{"weekday": "MONDAY", "opens": "08:00", "closes": "17:00"}]


async def _office(
    organization: Organization, office: dict[str, Any], viewer: Viewer | None = None
) -> Any:  # noqa: ANN401
    return (await organization.ask(LIFE, viewer, id=office["id"]))["office"]


async def _change(
    organization: Organization,
    office: dict[str, Any],
    viewer: Viewer | None = None,
    **given: Any,  # noqa: ANN401
) -> dict[str, Any]:
    asked = {"officeId": office["id"], "expectedVersion": office["version"], **given}
    return await organization.do("changeOffice", "ChangeOfficeInput", CHANGED, asked, viewer)


async def test_an_office_says_something_else_and_senders_hear_of_it(
    directory: Directory, organization: Organization
) -> None:
    """R16."""
    office = await organization.live_office(hours=WEEK)
    address = {"line1": "9 Moved Road", "city": "Boston", "region": "ma", "postalCode": "02140"}
    changed = await _change(
        organization,
        office,
        name="Moved office",
        address=address,
        coordinates={"latitude": 42.4, "longitude": -71.1},
        timeZone="America/Chicago",
        hours=[{"weekday": "SUNDAY", "opens": "00:00", "closes": "24:00"}, *WEEK],
    )
    seen = await _office(organization, office)

    assert changed["version"] == office["version"] + 1
    assert (seen["name"], seen["timeZone"]) == ("Moved office", "America/Chicago")
    assert seen["address"] == {"line1": "9 Moved Road", "postalCode": "02140"}
    assert [one["weekday"] for one in seen["hours"]] == ["MONDAY", "SUNDAY"]
    assert seen["openNow"] in {True, False}
    assert (await directory.facts(office["id"]))[-1] == "changed"


async def test_what_cannot_be_changed_is_refused_and_nothing_is(organization: Organization) -> None:
    """R16."""
    office, taken = await organization.live_office(), await organization.add_office(name="Taken")
    refused = [
        await _change(organization, office, goLiveOn="2030-01-01"),
        await _change(organization, office, name=taken["name"].upper()),
        await _change(organization, office, timeZone="Mars/Olympus"),
        await _change(organization, office, hours=WEEK * 2),
        await _change(organization, office, phone="1"),
    ]

    assert [one["code"] for one in refused] == [
        "OFFICE_STATE",
        "NAME_TAKEN",
        "UNKNOWN_TIME_ZONE",
        "BAD_HOURS",
        "INVALID",
    ]
    assert (await _office(organization, office))["version"] == office["version"]


async def test_only_a_client_admin_of_the_organization_changes_an_office(
    organization: Organization, other: Organization
) -> None:
    """R02."""
    office = await organization.add_office()
    own = organization.somebody(office_admin_of=frozenset({UUID(office["id"])}))

    assert (await _change(organization, office, own, name="Mine"))["code"] == "FORBIDDEN"
    assert (await _change(other, office, name="Mine"))["code"] == "NOT_FOUND"
    assert (await _change(organization, office, name="Ours"))["name"] == "Ours"


async def test_an_office_at_the_same_door_or_phone_is_another_one_only_when_that_is_said(
    organization: Organization, other: Organization
) -> None:
    """R16."""
    address = {"line1": "5 Twin St.", "city": "Boston", "region": "MA", "postalCode": "02139"}
    first = await organization.add_office(address=address, phone="617 777 0001")
    written = address | {"line1": "5 twin st", "postalCode": "02139-0001"}
    again = await organization.add_office(address=written)
    called = await organization.add_office(phone="+1 (617) 777-0001")
    meant = await organization.add_office(address=address, acknowledgeDuplicate=True)
    theirs = await other.add_office(address=address, phone="617 777 0001")
    third = await organization.add_office()
    moved = await _change(organization, third, phone="617-777-0001")

    assert (again["code"], again["officeIds"]) == ("DUPLICATE_OFFICE", [first["id"]])
    assert (called["code"], called["officeIds"]) == ("DUPLICATE_OFFICE", [first["id"]])
    assert meant["__typename"] == theirs["__typename"] == "Office"
    assert moved["code"] == "DUPLICATE_OFFICE"
    assert (await _change(organization, third, phone="617-777-0001", acknowledgeDuplicate=True))[
        "__typename"
    ] == "Office"


async def test_of_two_who_add_the_same_office_at_once_one_is_asked_whether_it_is_meant(
    organization: Organization,
) -> None:
    """R16."""
    address = {"line1": "6 Race St.", "city": "Boston", "region": "MA", "postalCode": "02139"}
    answers = await asyncio.gather(*(organization.add_office(address=address) for _ in range(4)))

    assert sorted(one["__typename"] for one in answers) == ["DuplicateOfficeProblem"] * 3 + [
        "Office"
    ]


async def test_a_first_day_that_moves_takes_along_who_was_to_begin_on_it(
    directory: Directory, organization: Organization
) -> None:
    """R16, R17."""
    provider, on = await organization.approved(), directory.today() + timedelta(days=20)
    office = await organization.add_office(providerIds=[provider["id"]], goLiveOn=str(on))
    later, soon = str(on + timedelta(days=30)), str(directory.today() + timedelta(days=6))
    changed = await _change(organization, office, goLiveOn=later)
    seen = await _office(organization, office)
    short = await _change(organization, changed, goLiveOn=soon)
    meant = await _change(
        organization, changed, goLiveOn=soon, acknowledgeShortLeadTime=True, reason="The lease."
    )

    assert changed["goLiveOn"] == later
    assert [edge["node"]["effectiveFrom"] for edge in seen["placements"]["edges"]] == [later]
    assert (short["code"], short["daysUntilGoLive"]) == ("LEAD_TIME_SHORT", 6)
    assert meant["goLiveOn"] == soon
    assert (await _office(organization, office))["shortLeadTimeReason"] == "The lease."


# The roster -----------------------------------------------------------------------------------------------------------


async def test_an_office_waits_until_somebody_has_attested_its_roster(
    organization: Organization, other: Organization
) -> None:
    """R18."""
    office = await organization.add_office(groupOnly=True)
    user = await organization.staff(office["id"], attested=False)
    waiting = await _office(organization, office)
    admin = organization.somebody(office_admin_of=frozenset({UUID(office["id"])}))
    await organization.attest(office["id"], admin)
    ready = await _office(organization, office)

    assert waiting["state"] == "PLANNED"
    assert waiting["rosterAttestation"] is None
    assert [(one["code"], one["satisfied"]) for one in waiting["readiness"]["checklist"]] == [
        ("COVERAGE", True),
        ("ROSTER_ATTESTED", False),
        ("PROVIDERS", True),
    ]
    assert "attestRoster" in waiting["readiness"]["checklist"][1]["toDo"]
    assert ready["state"] == "READY"
    assert ready["rosterAttestation"] == {
        "stands": True,
        "by": {"id": str(admin.user_id)},
        "users": [{"id": user}],
    }
    assert await _office(other, office) is None


async def test_whoever_comes_or_goes_makes_the_office_wait_for_a_new_attestation(
    directory: Directory, organization: Organization
) -> None:
    """R18."""
    office = await organization.add_office(groupOnly=True)
    first = await organization.staff(office["id"])
    second = await organization.staff(office["id"], attested=False)
    joined = await _office(organization, office)
    await organization.attest(office["id"])
    both = await _office(organization, office)
    gone = identity_facts.RoleRevoked(user_id=second, role="OFFICE_STAFF", office_id=office["id"])
    await organization.hear(gone, second)
    left = await _office(organization, office)
    await organization.attest(office["id"])
    directory.identity.covered[office["id"]] = 0
    await organization.hear(identity_facts.UserDeactivated(user_id=first), first)
    nobody = await _office(organization, office)

    assert (joined["state"], joined["rosterAttestation"]["stands"]) == ("PLANNED", False)
    assert (both["state"], both["rosterAttestation"]["stands"]) == ("READY", True)
    assert (left["state"], left["roster"]) == ("PLANNED", [{"id": first}])
    assert (nobody["state"], nobody["roster"]) == ("PLANNED", [])


async def test_who_keeps_the_plans_of_an_office_is_neither_on_its_roster_nor_covers_it(
    organization: Organization,
) -> None:
    """R18, R26: the attested roster stands when they come and go, and no office is ready by them."""
    staffed = await organization.add_office(groupOnly=True)
    member = await organization.staff(staffed["id"])
    empty = await organization.add_office(groupOnly=True)
    keeper = await organization.user()
    await organization.hear(identity_facts.UserConfirmed(user_id=keeper), keeper)

    for office in (staffed, empty):
        role = {"user_id": keeper, "role": "INSURANCE_MANAGER", "office_id": office["id"]}
        await organization.hear(identity_facts.RoleGranted(**role), keeper)
    there, nobody = await _office(organization, staffed), await _office(organization, empty)
    gone = {"user_id": keeper, "role": "INSURANCE_MANAGER", "office_id": staffed["id"]}
    await organization.hear(identity_facts.RoleRevoked(**gone), keeper)
    after = await _office(organization, staffed)

    assert (there["state"], there["roster"]) == ("READY", [{"id": member}])
    assert there["rosterAttestation"]["stands"]
    assert (nobody["state"], nobody["roster"]) == ("PLANNED", [])
    assert after["version"] == there["version"]


async def test_who_comes_back_after_a_deactivation_is_on_no_roster_until_granted_anew(
    organization: Organization,
) -> None:
    """R07, R18."""
    office = await organization.add_office(groupOnly=True)
    user = await organization.staff(office["id"])
    await organization.hear(identity_facts.UserDeactivated(user_id=user), user)
    await organization.hear(identity_facts.UserReactivated(user_id=user, confirmed=True), user)
    back = await _office(organization, office)
    granted = identity_facts.RoleGranted(user_id=user, role="OFFICE_STAFF", office_id=office["id"])
    await organization.hear(granted, user)
    again = await _office(organization, office)

    assert (back["state"], back["roster"]) == ("PLANNED", [])
    assert (again["state"], again["rosterAttestation"]["stands"]) == ("READY", True)


async def test_a_roster_is_attested_whole_and_true_or_not_at_all(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    """R18."""
    office, elsewhere = await organization.add_office(), await organization.add_office()
    here = await organization.staff(office["id"], attested=False)
    there = await organization.staff(elsewhere["id"])
    stranger = await other.staff((await other.add_office())["id"])
    part = await organization.attest(office["id"], users=[])
    wrong = await organization.attest(office["id"], users=[here, there, stranger, str(uuid4())])
    directory.identity.known[here] = (str(organization.id), False, True)
    invited = await organization.attest(office["id"])
    admin = organization.somebody(office_admin_of=frozenset({UUID(elsewhere["id"])}))
    denied = await organization.attest(office["id"], admin)

    assert (part["code"], part["userIds"]) == ("ROSTER_DIFFERS", [here])
    assert [one["code"] for one in wrong["items"]] == ["NOT_AT_OFFICE", "NOT_FOUND", "NOT_FOUND"]
    assert invited["code"] == "NO_COVERAGE"
    assert denied["code"] == "FORBIDDEN"


async def test_a_live_office_stays_live_and_asks_for_its_roster_again(
    organization: Organization,
) -> None:
    """R18."""
    office = await organization.live_office()
    await organization.staff(office["id"], attested=False)
    seen = await _office(organization, office)

    assert (seen["state"], seen["rosterAttestation"]["stands"]) == ("LIVE", False)


async def test_a_first_day_that_finds_an_office_not_ready_is_told_once_however_many_look(
    directory: Directory, organization: Organization
) -> None:
    """R16."""
    today = {"acknowledgeShortLeadTime": True, "reason": "Opens today."}
    office = await organization.add_office(goLiveOn=str(directory.today()), **today)
    await asyncio.gather(*(directory.go_live() for _ in range(4)))
    told = await directory.facts(office["id"])
    seen = await _office(organization, office)
    tomorrow = str(directory.today() + timedelta(days=1))
    moved = await _change(organization, seen, goLiveOn=tomorrow)
    await directory.go_live()

    assert told == ["planned", "go_live_missed"]
    assert moved["__typename"] == "Office"
    assert await directory.facts(office["id"]) == [*told, "changed"]


async def test_an_office_that_is_for_groups_only_no_longer_needs_a_provider_and_back(
    organization: Organization,
) -> None:
    """R16, R17."""
    office = await organization.add_office()
    await organization.staff(office["id"])
    before = await _office(organization, office)
    await _change(organization, before, groupOnly=True)
    ready = await _office(organization, office)
    await _change(organization, ready, groupOnly=False)
    back = await _office(organization, office)

    assert (before["state"], ready["state"], back["state"]) == ("PLANNED", "READY", "PLANNED")
