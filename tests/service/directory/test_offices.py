"""Offices and placements on real servers (R09, R10, R16-R19)."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from tests.service.directory.world import (
    OFFICE,
    PLACEMENT,
    ZONE,
    Directory,
    Organization,
)

READINESS = """query($id: ID!) { office(id: $id) { id state version
    readiness { ready confirmedStaff approvedProviders reasons { code } } } }"""


async def _office(organization: Organization, office: dict[str, Any]) -> Any:  # noqa: ANN401
    return (await organization.ask(READINESS, id=office["id"]))["office"]


async def _close(
    organization: Organization, office: dict[str, Any], *, confirm: bool = False
) -> dict[str, Any]:
    given = {
        "officeId": office["id"],
        "expectedVersion": office["version"],
        "confirmOrphans": confirm,
        "confirmLastOffice": True,
    }
    fields = OFFICE + " ... on ProvidersOrphanedProblem { providerIds }"
    return await organization.do("closeOffice", "CloseOfficeInput", fields, given)


async def test_an_office_a_week_ahead_needs_no_reason(
    directory: Directory, organization: Organization
) -> None:
    """R16."""
    week = await organization.add_office(goLiveOn=str(directory.today() + timedelta(days=7)))

    assert (week["__typename"], week["state"]) == ("Office", "PLANNED")
    assert await directory.facts(week["id"]) == ["planned"]


async def test_six_days_ahead_need_an_acknowledgement_and_a_reason(
    directory: Directory, organization: Organization
) -> None:
    """R16."""
    given = {"goLiveOn": str(directory.today() + timedelta(days=6))}
    bare = await organization.add_office(**given)
    silent = await organization.add_office(**given, acknowledgeShortLeadTime=True)
    said = await organization.add_office(
        **given, acknowledgeShortLeadTime=True, reason="The lease began early."
    )

    assert bare["__typename"] == "LeadTimeShortProblem"
    assert (bare["code"], bare["daysUntilGoLive"]) == ("LEAD_TIME_SHORT", 6)
    assert (silent["code"], silent["field"]) == ("LEAD_TIME_SHORT", "reason")
    assert said["__typename"] == "Office"


async def test_a_first_day_in_the_past_is_refused(
    directory: Directory, organization: Organization
) -> None:
    """R16."""
    past = await organization.add_office(goLiveOn=str(directory.today() - timedelta(days=1)))

    assert past["code"] == "DATE_IN_PAST"


async def test_one_bad_provider_refuses_the_whole_office_and_names_each(
    organization: Organization, other: Organization
) -> None:
    """R17."""
    good, foreign = await organization.add_provider(), await other.add_provider()
    unknown = str(uuid4())
    refused = await organization.add_office(
        name="Never", providerIds=[good["id"], foreign["id"], unknown, good["id"]]
    )
    listed = await organization.ask('{ offices(name: "Never") { edges { node { id } } } }')

    assert refused["__typename"] == "ItemsRefusedProblem"
    assert [(one["id"], one["code"]) for one in refused["items"]] == [
        (good["id"], "DUPLICATE"),
        (foreign["id"], "NOT_FOUND"),
        (unknown, "NOT_FOUND"),
    ]
    assert listed["offices"]["edges"] == []


async def test_providers_are_placed_from_the_first_day_and_pending_until_approved(
    organization: Organization,
) -> None:
    """R17."""
    approved, draft = await organization.approved(), await organization.add_provider()
    office = await organization.add_office(providerIds=[approved["id"], draft["id"]])
    query = """query($id: ID!) { office(id: $id) { placements { edges { node {
        effectiveFrom state provider { id } } } } } }"""
    data = await organization.ask(query, id=office["id"])
    found = {
        edge["node"]["provider"]["id"]: edge["node"]
        for edge in data["office"]["placements"]["edges"]
    }

    assert {one["effectiveFrom"] for one in found.values()} == {office["goLiveOn"]}
    assert found[approved["id"]]["state"] == "UPCOMING"
    assert found[draft["id"]]["state"] == "PENDING"


async def test_only_a_client_admin_adds_an_office(organization: Organization) -> None:
    for viewer in (
        organization.somebody(office_admin_of=frozenset({uuid4()})),
        organization.somebody(office_staff_of=frozenset({uuid4()})),
        organization.somebody(insurance_manager=True),
    ):
        assert (await organization.add_office(viewer))["code"] == "FORBIDDEN"


async def test_an_office_is_ready_with_staff_and_an_approved_provider(
    directory: Directory, organization: Organization
) -> None:
    """R16, R18."""
    provider = await organization.add_provider(submit=True)
    office = await organization.add_office(providerIds=[provider["id"]])
    bare = await _office(organization, office)
    await organization.staff(office["id"])
    await organization.versioned("approveProvider", provider)
    await directory.go_live()
    full = await _office(organization, office)
    directory.identity.covered[office["id"]] = 0
    await directory.go_live()
    revoked = await _office(organization, office)

    assert [one["code"] for one in bare["readiness"]["reasons"]] == [
        "NO_COVERAGE",
        "ROSTER_NOT_ATTESTED",
        "NO_APPROVED_PROVIDER",
    ]
    assert (full["state"], full["readiness"]["ready"]) == ("READY", True)
    assert revoked["state"] == "PLANNED"


async def test_a_closed_office_is_removed_from_the_network_and_its_placements_end(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    """R19."""
    provider = await organization.approved()
    office = await organization.live_office(provider)
    orphaned = await _close(organization, office)
    closed = await _close(organization, office, confirm=True)
    placements = (await organization.provider(provider["id"]))["placements"]
    listed = await other.ask("{ offices(network: true, first: 100) { edges { node { id } } } }")

    assert orphaned["__typename"] == "ProvidersOrphanedProblem"
    assert orphaned["providerIds"] == [provider["id"]]
    assert closed["state"] == "CLOSED"
    assert [one["state"] for one in placements] == ["ENDED"]
    assert office["id"] not in {edge["node"]["id"] for edge in listed["offices"]["edges"]}
    assert await directory.facts(office["id"]) == [
        "planned",
        "roster_attested",
        "live",
        "closure_planned",
        "closing",
        "closed",
    ]


async def test_an_office_with_open_referrals_stays_closing_until_they_are_done(
    directory: Directory, organization: Organization
) -> None:
    """R19."""
    office = await organization.live_office()
    directory.referrals.leave_open(office["id"], office["id"])
    closing = await _close(organization, office)
    refused = await organization.place(await organization.approved(), office)
    directory.referrals.work.clear()
    await directory.running.advance(timedelta(minutes=1))
    closed = await _office(organization, office)

    assert closing["state"] == "CLOSING"
    assert refused["code"] == "OFFICE_CLOSING"
    assert closed["state"] == "CLOSED"


async def test_a_closing_office_is_kept_and_its_fence_lowered(
    directory: Directory, organization: Organization
) -> None:
    """R19."""
    office = await organization.live_office()
    directory.referrals.leave_open(office["id"], office["id"])
    closing = await _close(organization, office)
    given = {"officeId": office["id"], "expectedVersion": closing["version"]}
    kept = await organization.do("keepOffice", "OfficeVersionInput", OFFICE, given)

    assert kept["state"] == "LIVE"
    assert office["id"] not in directory.referrals.fences


async def test_an_office_admin_places_providers_at_own_offices_only(
    organization: Organization,
) -> None:
    """R09."""
    provider = await organization.approved()
    own, foreign = await organization.live_office(), await organization.live_office()
    admin = organization.somebody(office_admin_of=frozenset({UUID(own["id"])}))
    placed = await organization.place(provider, own, admin)
    refused = await organization.place(provider, foreign, admin)

    assert placed["__typename"] == "Placement"
    assert refused["code"] == "FORBIDDEN"


async def test_overlapping_days_are_refused_and_days_that_meet_are_not(
    directory: Directory, organization: Organization
) -> None:
    provider, office = await organization.approved(), await organization.live_office()
    today = directory.today()
    until = str(today + timedelta(days=30))
    first = await organization.place(provider, office, effectiveUntil=until)
    overlap = await organization.place(provider, office, effectiveFrom=str(today))
    meeting = await organization.place(provider, office, effectiveFrom=until)

    assert first["effectiveUntil"] == until
    assert overlap["code"] == "OVERLAP"
    assert meeting["__typename"] == "Placement"


async def test_two_admins_who_place_the_same_provider_at_once_make_one_placement(
    organization: Organization,
) -> None:
    """R09."""
    provider, office = await organization.approved(), await organization.live_office()
    answers = await asyncio.gather(*(organization.place(provider, office) for _ in range(8)))

    assert sorted(one["__typename"] for one in answers) == ["ConflictProblem"] * 7 + ["Placement"]
    assert {one["code"] for one in answers if "code" in one} == {"OVERLAP"}


async def test_a_placement_without_days_is_refused(
    directory: Directory, organization: Organization
) -> None:
    provider, office = await organization.approved(), await organization.live_office()
    today = str(directory.today())
    refused = await organization.place(provider, office, effectiveFrom=today, effectiveUntil=today)

    assert refused["code"] == "EMPTY_PERIOD"


async def test_a_placement_ends_on_its_office_s_day_and_not_in_the_past(
    directory: Directory, organization: Organization
) -> None:
    provider, office = await organization.approved(), await organization.live_office()
    placed = await organization.place(provider, office)
    given = {"placementId": placed["id"], "expectedVersion": placed["version"]}
    yesterday = str(directory.today() - timedelta(days=1))
    past = await organization.do(
        "endPlacement", "EndPlacementInput", PLACEMENT, given | {"effectiveUntil": yesterday}
    )
    ended = await organization.do("endPlacement", "EndPlacementInput", PLACEMENT, given)
    again = await organization.do(
        "endPlacement", "EndPlacementInput", PLACEMENT, given | {"expectedVersion": 2}
    )

    assert past["code"] == "DATE_IN_PAST"
    assert ended["effectiveUntil"] == str(directory.today())
    assert again["code"] == "ALREADY_ENDED"
    assert await directory.facts(placed["id"]) == ["added", "ended"]


async def test_new_patients_are_switched_off_by_the_office_s_admin(
    directory: Directory, organization: Organization
) -> None:
    """R10."""
    provider = await organization.approved()
    office = await organization.live_office()
    placed = await organization.place(provider, office)
    given = {"placementId": placed["id"], "expectedVersion": 1, "accepting": False}
    admin = organization.somebody(office_admin_of=frozenset({UUID(office["id"])}))
    changed = await organization.do(
        "setAcceptingNewPatients", "SetAcceptingNewPatientsInput", PLACEMENT, given, admin
    )

    assert changed["acceptingNewPatients"] is False
    assert await directory.facts(placed["id"]) == ["added", "changed"]


async def test_an_office_goes_live_at_its_own_midnight_and_once(
    directory: Directory, organization: Organization
) -> None:
    """R16. This test moves the clock, so it comes last."""
    provider = await organization.approved()
    on = directory.today() + timedelta(days=8)
    ready = await organization.add_office(providerIds=[provider["id"]], goLiveOn=str(on))
    bare = await organization.add_office(goLiveOn=str(on))
    await organization.staff(ready["id"])
    midnight = datetime.combine(date.fromisoformat(str(on)), time(), ZoneInfo(ZONE))
    await directory.running.set_time(midnight - timedelta(minutes=2))
    before = await _office(organization, ready)
    await directory.running.set_time(midnight + timedelta(seconds=1))
    await asyncio.gather(*(directory.go_live() for _ in range(5)))
    after, late = await _office(organization, ready), await _office(organization, bare)

    assert (before["state"], after["state"]) == ("READY", "LIVE")
    assert await directory.facts(ready["id"]) == ["planned", "roster_attested", "live"]
    assert late["state"] == "PLANNED"
    assert len(late["readiness"]["reasons"]) == 3
    assert await directory.facts(bare["id"]) == ["planned", "go_live_missed"]


async def test_a_zone_that_is_none_everywhere_is_refused_before_it_hinders_everybody(
    organization: Organization,
) -> None:
    """R16: what everybody's days are read by has to be known to whoever reads them."""
    office = await organization.add_office()
    for zone in ("localtime", "Factory", "Nowhere/Nowhere"):
        refused = await organization.add_office(timeZone=zone)
        given = {"officeId": office["id"], "expectedVersion": office["version"], "timeZone": zone}
        unchanged = await organization.do("changeOffice", "ChangeOfficeInput", OFFICE, given)

        assert (refused["code"], unchanged["code"]) == ("UNKNOWN_TIME_ZONE", "UNKNOWN_TIME_ZONE")
    given |= {"timeZone": "America/Denver"}
    moved = await organization.do("changeOffice", "ChangeOfficeInput", OFFICE, given)

    assert moved["__typename"] == "Office"
