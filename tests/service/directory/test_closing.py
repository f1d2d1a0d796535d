"""Closing an office on a day, with who moves where; keeping it, and reopening it (R19)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from proto.insurance.v1 import events_pb2 as insurance_facts
from services.directory.actions import closing as verbs
from services.directory.actions import jobs
from tests.service.directory.world import ITEMS, OFFICE, ZONE, Directory, Organization

KEPT = OFFICE + " ... on Office { closesOn cutOffOn }"
CLOSED = (
    KEPT
    + ITEMS
    + " ... on ProvidersOrphanedProblem { providerIds }"
    + " ... on AppointmentsAfterClosingProblem { referralIds } ... on StalePreviewProblem { moved }"
)
PREVIEW = """query($id: ID!, $on: Date) { officeClosurePreview(officeId: $id, closesOn: $on) {
    closesOn openReferrals lastOffice token office { id version } placements { provider { id } }
    orphans { id } groups { id } strandedGroups { id } staff { id } referrals { referralId referral { id } side }
    lateAppointments { referralId appointmentAt } plans { providerId plan { id } } } }"""


async def _preview(
    organization: Organization, office: dict[str, Any], on: str | None = None
) -> Any:  # noqa: ANN401
    data = await organization.ask(PREVIEW, id=office["id"], on=on)
    return data["officeClosurePreview"]


async def _close(
    organization: Organization,
    office: dict[str, Any],
    viewer: Any = None,  # noqa: ANN401
    **given: Any,  # noqa: ANN401
) -> dict[str, Any]:
    asked = {"officeId": office["id"], "expectedVersion": office["version"]}
    asked |= {"confirmLastOffice": True, **given}
    return await organization.do("closeOffice", "CloseOfficeInput", CLOSED, asked, viewer)


async def _keep(organization: Organization, office: dict[str, Any]) -> dict[str, Any]:
    given = {"officeId": office["id"], "expectedVersion": office["version"]}
    return await organization.do("keepOffice", "OfficeVersionInput", KEPT, given)


async def _seen(organization: Organization, office: dict[str, Any]) -> Any:  # noqa: ANN401
    query = "query($id: ID!) { office(id: $id) { id state version closesOn allowedActions } }"
    return (await organization.ask(query, id=office["id"]))["office"]


def _in(directory: Directory, days: int) -> str:
    return str(directory.today() + timedelta(days=days))


async def _accepts(organization: Organization, provider: str, office: str) -> None:
    said, now = organization.directory.neighbours, organization.directory.running.parts.clock.now()
    row = uuid4()
    fact = insurance_facts.ParticipationAdded(
        participation_id=str(row),
        provider_id=provider,
        office_id=office,
        plan_id=str(uuid4()),
        effective_from="2020-01-01",
    )
    await said.say(fact, organization.id, "participation", row, now)


# The preview ----------------------------------------------------------------------------------------------------------


async def test_the_preview_names_everything_that_closing_would_touch(
    directory: Directory, organization: Organization
) -> None:
    """R19."""
    only, both = await organization.approved(), await organization.approved()
    office = await organization.live_office(only, both)
    elsewhere = await organization.live_office(both)
    alone = await organization.add_group(officeIds=[office["id"]])
    shared = await organization.add_group(officeIds=[office["id"], elsewhere["id"]])
    await _accepts(organization, only["id"], office["id"])
    tomorrow = datetime.combine(directory.today() + timedelta(days=1), time(12), ZoneInfo(ZONE))
    booked = directory.referrals.leave_open(office["id"], office["id"], at=tomorrow)
    other = directory.referrals.leave_open(office["id"], office["id"], side="SENDING")
    today = await _preview(organization, office)
    later = await _preview(organization, office, _in(directory, 2))

    assert {one["provider"]["id"] for one in today["placements"]} == {only["id"], both["id"]}
    assert today["orphans"] == [{"id": only["id"]}]
    assert {one["id"] for one in today["groups"]} == {alone["id"], shared["id"]}
    assert today["strandedGroups"] == [{"id": alone["id"]}]
    assert len(today["staff"]) == 1
    assert (today["openReferrals"], today["lastOffice"]) == (2, False)
    assert [one["referral"]["id"] for one in today["referrals"]] == [booked, other]
    assert [one["referralId"] for one in today["lateAppointments"]] == [booked]
    assert [one["providerId"] for one in today["plans"]] == [only["id"]]
    assert later["lateAppointments"] == []


async def test_only_client_admins_see_what_closing_would_touch(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    """R02."""
    office = await organization.live_office()
    query = "query($id: ID!) { officeClosurePreview(officeId: $id) { token } }"
    own = organization.somebody(office_admin_of=frozenset({UUID(office["id"])}))
    denied = await directory.running.gql(query, {"id": office["id"]}, viewer=own)
    foreign = await directory.running.gql(query, {"id": office["id"]}, viewer=other.admin)
    unknown = await directory.running.gql(query, {"id": str(uuid4())}, viewer=other.admin)

    assert denied["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert foreign["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert foreign["errors"][0]["message"] == unknown["errors"][0]["message"]


async def test_what_has_moved_since_the_preview_is_named_and_nothing_is_done(
    directory: Directory, organization: Organization
) -> None:
    """R19."""
    office = await organization.live_office()
    seen = await _preview(organization, office)
    await organization.place(await organization.approved(), office)
    directory.referrals.leave_open(office["id"], office["id"])
    stale = await _close(organization, office, token=seen["token"], confirmOrphans=True)
    fresh = await _preview(organization, office)
    closing = await _close(organization, office, token=fresh["token"], confirmOrphans=True)

    assert stale["__typename"] == "StalePreviewProblem"
    assert stale["moved"] == ["open_referrals", "orphans", "placements"]
    assert closing["state"] == "CLOSING"


# Days -----------------------------------------------------------------------------------------------------------------


async def test_an_office_goes_on_until_its_cut_off_then_is_closing_then_closed(
    directory: Directory, organization: Organization
) -> None:
    """R19. Moves the clock."""
    provider = await organization.approved()
    office = await organization.live_office(provider)
    days = {"cutOffOn": _in(directory, 2), "closesOn": _in(directory, 4)}
    planned = await _close(organization, office, confirmOrphans=True, **days)
    today = directory.today()

    async def at_midnight(after: int, *, seconds: int) -> str:
        midnight = datetime.combine(today + timedelta(days=after), time(), ZoneInfo(ZONE))
        await directory.running.set_time(midnight + timedelta(seconds=seconds))
        return str((await _seen(organization, office))["state"])

    assert (planned["state"], planned["closesOn"]) == ("LIVE", days["closesOn"])
    assert await at_midnight(2, seconds=-60) == "LIVE"
    assert await at_midnight(2, seconds=1) == "CLOSING"
    assert office["id"] in directory.referrals.fences
    assert await at_midnight(4, seconds=-60) == "CLOSING"
    assert await at_midnight(4, seconds=60) == "CLOSED"
    (placement,) = (await organization.provider(provider["id"]))["placements"]
    assert placement["state"] == "ENDED"
    told = await directory.facts(office["id"])
    assert told[-3:] == ["closure_planned", "closing", "closed"]


async def test_the_cut_off_comes_once_however_many_look(
    directory: Directory, organization: Organization
) -> None:
    """R19. Moves the clock."""
    office = await organization.live_office()
    directory.referrals.leave_open(office["id"], office["id"])
    days = {"cutOffOn": _in(directory, 1), "closesOn": _in(directory, 9)}
    await _close(organization, office, **days)
    midnight = datetime.combine(directory.today() + timedelta(days=1), time(), ZoneInfo(ZONE))
    await directory.running.set_time(midnight.astimezone(UTC))
    parts = directory.running.parts
    await asyncio.gather(*(verbs.cut_off_offices(parts.call()) for _ in range(4)))
    asked = directory.referrals.asked[office["id"]]
    for _ in range(3):
        await jobs.resume_leaving(parts.call())

    assert (await directory.facts(office["id"])).count("closing") == 1
    assert directory.referrals.asked[office["id"]] == asked, "nothing to ask before its day"


async def test_days_that_cannot_be_are_refused(
    directory: Directory, organization: Organization
) -> None:
    """R19."""
    office = await organization.live_office()
    past = await _close(organization, office, closesOn=_in(directory, -1))
    late = await _close(
        organization, office, closesOn=_in(directory, 2), cutOffOn=_in(directory, 3)
    )
    early = await _close(
        organization, office, closesOn=_in(directory, 2), cutOffOn=_in(directory, -1)
    )

    assert [one["code"] for one in (past, late, early)] == [
        "DATE_IN_PAST",
        "BAD_CUT_OFF",
        "BAD_CUT_OFF",
    ]


async def test_the_last_office_and_late_appointments_must_be_confirmed(
    directory: Directory, organization: Organization
) -> None:
    """R19."""
    office = await organization.live_office()
    noon = datetime.combine(directory.today() + timedelta(days=3), time(12), ZoneInfo(ZONE))
    for _ in range(120):
        directory.referrals.leave_open(office["id"], office["id"])
    booked = directory.referrals.leave_open(office["id"], office["id"], at=noon)
    last = await _close(organization, office, confirmLastOffice=False)
    late = await _close(organization, office, closesOn=_in(directory, 3))
    later = await _close(organization, office, closesOn=_in(directory, 4))
    kept = await _keep(organization, later)
    meant = await _close(organization, kept, confirmAppointments=True)

    assert last["code"] == "LAST_OFFICE"
    assert (late["code"], late["referralIds"]) == ("APPOINTMENTS_AFTER_CLOSING", [booked])
    assert (later["state"], meant["state"]) == ("CLOSING", "CLOSING")


# Who moves ------------------------------------------------------------------------------------------------------------


async def test_who_moves_is_placed_at_the_new_office_and_plans_are_to_be_looked_at(
    directory: Directory, organization: Organization
) -> None:
    """R19."""
    provider = await organization.approved()
    office, new = await organization.live_office(provider), await organization.live_office()
    on = _in(directory, 3)
    moves = [{"providerId": provider["id"], "toOfficeId": new["id"]}]
    planned = await _close(organization, office, closesOn=on, cutOffOn=on, moves=moves)
    query = """query($id: ID!) { provider(id: $id) { placements {
        id office { id } effectiveFrom effectiveUntil } } }"""
    rows = (await organization.ask(query, id=provider["id"]))["provider"]["placements"]
    placed = next(one for one in rows if one["office"]["id"] == new["id"])

    assert planned["state"] == "LIVE"
    assert (placed["effectiveFrom"], placed["effectiveUntil"]) == (on, None)
    assert await directory.facts(placed["id"]) == ["added", "moved"]


async def test_a_move_that_cannot_be_refuses_the_whole_closing_and_names_each(
    organization: Organization, other: Organization
) -> None:
    """R19."""
    here, gone = await organization.approved(), await organization.approved()
    office, closing = await organization.live_office(here), await organization.live_office()
    await _close(organization, closing, confirmOrphans=True)
    foreign = await other.live_office()
    moves = [
        {"providerId": one["id"], "toOfficeId": to["id"]}
        for one, to in ((here, closing), (gone, foreign), (gone, office))
    ]
    refused = await _close(organization, office, moves=moves)

    assert {(one["field"], one["code"]) for one in refused["items"]} == {
        ("moves.providerId", "DUPLICATE"),
        ("moves.toOfficeId", "OFFICE_CLOSING"),
        ("moves.toOfficeId", "NOT_FOUND"),
    }
    assert (await _seen(organization, office))["state"] == "LIVE"


async def test_two_offices_that_send_their_providers_to_one_another_both_answer(
    organization: Organization,
) -> None:
    """R19: neither waits for the other for ever."""
    for _ in range(4):
        people = [await organization.approved() for _ in range(2)]
        first, second = [await organization.live_office(one) for one in people]

        def moved(number: int, to: dict[str, Any], who: list[dict[str, Any]] = people) -> Any:  # noqa: ANN401
            return [{"providerId": who[number]["id"], "toOfficeId": to["id"]}]

        answers = await asyncio.gather(
            _close(organization, first, moves=moved(0, second)),
            _close(organization, second, moves=moved(1, first)),
        )

        names = {one["__typename"] for one in answers}
        assert names in ({"Office", "ProvidersOrphanedProblem"}, {"Office", "StalePreviewProblem"})


async def test_nobody_is_placed_beyond_a_planned_closing(
    directory: Directory, organization: Organization
) -> None:
    """R19."""
    office, on = await organization.live_office(), _in(directory, 5)
    await _close(organization, office, closesOn=on, cutOffOn=on)
    provider = await organization.approved()
    beyond = await organization.place(provider, office)
    until = await organization.place(provider, office, effectiveUntil=on)

    assert (beyond["code"], beyond["field"]) == ("OFFICE_CLOSING", "effectiveUntil")
    assert until["__typename"] == "Placement"


async def test_a_placement_and_a_closing_at_once_leave_nobody_at_a_closed_office(
    organization: Organization,
) -> None:
    """R19."""
    for _ in range(6):
        office, provider = await organization.live_office(), await organization.approved()
        placed, closed = await asyncio.gather(
            organization.place(provider, office), _close(organization, office)
        )
        rows = (await organization.provider(provider["id"]))["placements"]

        codes = placed.get("code"), closed.get("code")
        assert codes in {
            (None, "PROVIDERS_ORPHANED"),
            (None, "STALE_PREVIEW"),
            ("OFFICE_CLOSING", None),
            ("OFFICE_CLOSED", None),
            (None, None),
        }
        if closed["__typename"] == "Office":
            assert all(one["state"] == "ENDED" for one in rows)


# Kept, and back -------------------------------------------------------------------------------------------------------


async def test_an_office_that_is_to_close_is_kept_as_if_nothing_had_been(
    directory: Directory, organization: Organization
) -> None:
    """R19."""
    office, on = await organization.live_office(), _in(directory, 5)
    planned = await _close(organization, office, closesOn=on, cutOffOn=on)
    actions = (await _seen(organization, office))["allowedActions"]
    again = await _close(organization, planned)
    kept = await _keep(organization, planned)
    nothing = await _keep(organization, kept)

    assert "KEEP" in actions
    assert again["code"] == nothing["code"] == "OFFICE_STATE"
    assert (kept["state"], kept["closesOn"]) == ("LIVE", None)
    assert (await directory.facts(office["id"]))[-1] == "kept"


async def test_a_closed_office_is_planned_anew_and_goes_live_by_the_rules_of_a_new_one(
    directory: Directory, organization: Organization
) -> None:
    """R16, R19."""
    office = await organization.live_office()
    closed = await _close(organization, office)

    async def reopen(**given: Any) -> dict[str, Any]:  # noqa: ANN401
        asked = {"officeId": office["id"], "expectedVersion": closed["version"], **given}
        return await organization.do("reopenOffice", "ReopenOfficeInput", KEPT, asked)

    short = await reopen(goLiveOn=_in(directory, 1))
    back = await reopen(goLiveOn=_in(directory, 8))
    await directory.go_live()
    waiting = await _seen(organization, office)
    await organization.attest(office["id"])
    ready = await _seen(organization, office)

    assert short["code"] == "LEAD_TIME_SHORT"
    assert (back["state"], back["closesOn"]) == ("PLANNED", None)
    assert office["id"] not in directory.referrals.fences
    assert (waiting["state"], ready["state"]) == ("PLANNED", "READY")
    assert "reopened" in await directory.facts(office["id"])


async def test_a_reopening_that_referrals_did_not_hear_of_is_finished_by_the_job(
    directory: Directory, organization: Organization
) -> None:
    """R19."""
    office = await organization.live_office()
    closed = await _close(organization, office)
    directory.referrals.away = True
    given = {
        "officeId": office["id"],
        "expectedVersion": closed["version"],
        "goLiveOn": _in(directory, 8),
    }
    await organization.do("reopenOffice", "ReopenOfficeInput", KEPT, given)
    directory.referrals.away = False
    await directory.running.advance(timedelta(minutes=1))

    assert (await _seen(organization, office))["state"] == "PLANNED"
    assert office["id"] not in directory.referrals.fences
