"""Providers who are removed by themselves once nothing is open (R12, R13, R15), with races and crashes; and what moves a preview."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from proto.insurance.v1 import events_pb2 as insurance_facts
from proto.referrals.v1 import events_pb2 as referrals_facts
from services.directory.actions import awaiting, jobs
from tests.service.directory.world import Directory, Organization

AWAITED = "query($id: ID!) { provider(id: $id) { state awaitedRemoval { askedBy { id } leavesOfficeIds heldUpBy } } }"


async def _seen(organization: Organization, provider: dict[str, Any]) -> Any:  # noqa: ANN401
    return (await organization.ask(AWAITED, id=provider["id"]))["provider"]


async def _ready(directory: Directory, organization: Organization, provider: str) -> None:
    """Referrals tells that nothing is open with the provider."""
    case = uuid4()
    fact = referrals_facts.OffboardingCaseReady(case_id=str(case), provider_id=provider)
    now = directory.running.parts.clock.now()
    await directory.neighbours.say(fact, organization.id, "offboarding_case", case, now)


async def _job(directory: Directory) -> None:
    await awaiting.remove_awaited(directory.running.parts.call())


async def _audited(directory: Directory, provider: str) -> list[tuple[str, UUID | None, str]]:
    rows = await directory.running.sql.fetch(
        "SELECT act, user_id, service FROM audit_entries WHERE about = $1 ORDER BY at, id",
        UUID(provider),
    )
    return [(row["act"], row["user_id"], row["service"]) for row in rows]


async def test_a_provider_is_removed_by_itself_when_the_last_referral_is_worked(
    directory: Directory, organization: Organization
) -> None:
    """R13, R15: in the name of who asked, and told."""
    provider = await organization.approved()
    office = await organization.live_office(provider)
    directory.referrals.leave_open(provider["id"], office["id"])
    waiting = await organization.versioned("removeWhenEmpty", provider, endPlacements=True)
    await _job(directory)
    held_up = await _seen(organization, provider)
    directory.referrals.work.pop(provider["id"])
    await _job(directory)
    not_yet = await _seen(organization, provider)
    await _ready(directory, organization, provider["id"])
    await _job(directory)
    after = await organization.provider(provider["id"])

    assert (waiting["state"], "CALL_OFF_REMOVAL" in waiting["allowedActions"]) == (
        "OFFBOARDING",
        True,
    )
    assert held_up["awaitedRemoval"] == {
        "askedBy": {"id": str(organization.admin.user_id)},
        "leavesOfficeIds": [office["id"]],
        "heldUpBy": "OPEN_REFERRALS",
    }
    assert not_yet["state"] == "OFFBOARDING"
    assert after["state"] == "REMOVED"
    assert [one["state"] for one in after["placements"]] == ["ENDED"]
    assert provider["id"] in directory.referrals.ended
    told = await directory.facts(provider["id"])
    assert told[-3:] == ["offboarding_started", "removal_awaited", "removed"]
    assert (await _audited(directory, provider["id"]))[-1] == (
        "provider.removed",
        organization.admin.user_id,
        "directory",
    )
    assert (await _seen(organization, provider))["awaitedRemoval"] is None


async def test_it_is_looked_now_and_then_should_no_word_come(
    directory: Directory, organization: Organization
) -> None:
    """R15."""
    provider = await organization.approved()
    directory.referrals.leave_open(provider["id"], str(organization.id))
    await organization.versioned("removeWhenEmpty", provider)
    await _job(directory)
    directory.referrals.work.pop(provider["id"])
    await directory.running.advance(timedelta(minutes=11))

    assert (await _seen(organization, provider))["state"] == "REMOVED"


async def test_an_office_that_nobody_said_is_left_holds_a_removal_up_until_it_is_left(
    directory: Directory, organization: Organization
) -> None:
    """R15: told once."""
    provider = await organization.approved()
    await organization.live_office(provider)
    await organization.versioned("removeWhenEmpty", provider)
    for _ in range(3):
        await _job(directory)
        await directory.running.advance(timedelta(minutes=11))
    held_up = await _seen(organization, provider)
    told = await directory.facts(provider["id"])
    await organization.end_placements(provider)
    await _job(directory)

    assert (held_up["state"], held_up["awaitedRemoval"]["heldUpBy"]) == (
        "OFFBOARDING",
        "OFFICES_REMAIN",
    )
    assert told.count("removal_held_up") == 1
    assert provider["id"] in directory.referrals.ended
    assert (await _seen(organization, provider))["state"] == "REMOVED"


async def test_a_send_that_won_the_race_holds_it_up_and_it_is_tried_again(
    directory: Directory, organization: Organization
) -> None:
    """R15: what the fence finds counts."""
    provider = await organization.approved()
    office = await organization.live_office(provider)
    await organization.versioned("removeWhenEmpty", provider, endPlacements=True)
    gate = directory.referrals.hold()
    looking = asyncio.create_task(_job(directory))
    await directory.referrals.held.wait()
    directory.referrals.leave_open(provider["id"], office["id"])
    gate.set()
    await looking
    between = await _seen(organization, provider)
    placed = (await organization.provider(provider["id"]))["placements"]
    directory.referrals.work.pop(provider["id"])
    await _ready(directory, organization, provider["id"])
    await _job(directory)

    assert (between["state"], between["awaitedRemoval"]["heldUpBy"]) == (
        "OFFBOARDING",
        "OPEN_REFERRALS",
    )
    assert [one["state"] for one in placed] == ["ACTIVE"]
    assert "removal_held_up" in await directory.facts(provider["id"])
    assert (await _seen(organization, provider))["state"] == "REMOVED"


async def test_a_removal_that_crashed_on_its_way_goes_on_in_the_name_of_who_asked(
    directory: Directory, organization: Organization
) -> None:
    """R15."""
    provider = await organization.approved()
    await organization.live_office(provider)
    await organization.versioned("removeWhenEmpty", provider, endPlacements=True)
    gate = directory.referrals.hold()
    looking = asyncio.create_task(_job(directory))
    await directory.referrals.held.wait()
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    gate.set()
    await directory.running.advance(timedelta(minutes=1))
    await jobs.resume_leaving(directory.running.parts.call())
    acts = await _audited(directory, provider["id"])

    assert (await _seen(organization, provider))["state"] == "REMOVED"
    assert acts[-1] == ("provider.removed", organization.admin.user_id, "directory")


async def test_however_many_look_at_once_it_is_removed_once(
    directory: Directory, organization: Organization
) -> None:
    """R15."""
    providers = [await organization.approved() for _ in range(4)]
    for one in providers:
        await organization.versioned("removeWhenEmpty", one)
    await asyncio.gather(*(_job(directory) for _ in range(4)))

    for one in providers:
        assert (await _seen(organization, one))["state"] == "REMOVED"
        assert (await directory.facts(one["id"])).count("removed") == 1


async def test_it_can_be_called_off_also_while_it_is_under_way(
    directory: Directory, organization: Organization
) -> None:
    """R15: the provider goes on leaving."""
    provider = await organization.approved()
    waiting = await organization.versioned("removeWhenEmpty", provider)
    gate = directory.referrals.hold()
    looking = asyncio.create_task(_job(directory))
    await directory.referrals.held.wait()
    now = await organization.provider(provider["id"])
    stale = await organization.versioned("callOffRemoval", waiting)
    off = await organization.versioned("callOffRemoval", now)
    gate.set()
    await looking
    await _job(directory)
    twice = await organization.versioned("callOffRemoval", off)

    assert stale["code"] == "STALE_VERSION"
    assert off["state"] == "OFFBOARDING"
    assert twice["code"] == "NOT_AWAITED"
    assert (await _seen(organization, provider)) == {
        "state": "OFFBOARDING",
        "awaitedRemoval": None,
    }
    assert (await directory.facts(provider["id"]))[-1] == "removal_called_off"


async def test_who_is_kept_is_not_removed_by_itself_later(
    directory: Directory, organization: Organization
) -> None:
    """R15: nor when offboarding begins anew."""
    provider = await organization.approved()
    waiting = await organization.versioned("removeWhenEmpty", provider)
    kept = await organization.versioned("keepProvider", waiting)
    leaving = await organization.versioned("startOffboarding", kept)
    await _job(directory)

    assert (kept["state"], leaving["state"]) == ("APPROVED", "OFFBOARDING")
    assert (await _seen(organization, provider)) == {
        "state": "OFFBOARDING",
        "awaitedRemoval": None,
    }


async def test_only_offices_that_were_seen_are_left_on_the_way(
    directory: Directory, organization: Organization
) -> None:
    """R12, R15: a preview that is out of date is refused, but for what is open, which is worked off before."""
    provider = await organization.approved()
    given = {"providerId": provider["id"]}
    token = await organization.token("removeProvider", given)
    await organization.live_office(provider)
    stale = await organization.versioned("removeWhenEmpty", provider, token=token)
    token = await organization.token("removeProvider", given)
    directory.referrals.leave_open(provider["id"], str(organization.id))
    asked = await organization.versioned(
        "removeWhenEmpty", provider, token=token, endPlacements=True
    )

    assert (stale["code"], stale["moved"]) == ("STALE_PREVIEW", ["placements"])
    assert asked["state"] == "OFFBOARDING"


async def test_only_client_admins_ask_for_a_removal_or_call_it_off(
    organization: Organization, other: Organization
) -> None:
    """R02."""
    provider = await organization.approved()
    office = await organization.live_office(provider)
    waiting = await organization.versioned("removeWhenEmpty", provider)
    admin = organization.somebody(office_admin_of=frozenset({UUID(office["id"])}))
    codes = [
        (await organization.versioned(verb, waiting, viewer))["code"]
        for verb in ("removeWhenEmpty", "callOffRemoval")
        for viewer in (admin, other.admin)
    ]
    theirs = (await organization.ask(AWAITED, other.admin, id=provider["id"]))["provider"]

    assert codes == ["FORBIDDEN", "NOT_FOUND"] * 2
    assert theirs["awaitedRemoval"] is None


async def test_what_is_gone_since_the_preview_does_not_make_it_out_of_date(
    directory: Directory, organization: Organization
) -> None:
    """R12: insurance ends what is accepted where the provider works no more in its own time, and staff work off what is open."""
    provider = await organization.approved()
    office = await organization.live_office(provider)
    participation = await _accept(directory, organization, provider, office)
    referral = directory.referrals.leave_open(provider["id"], office["id"])
    await organization.end_placements(provider)
    token = await organization.token("removeProvider", {"providerId": provider["id"]})
    now = directory.running.parts.clock.now()
    ended = insurance_facts.ParticipationEnded(
        participation_id=str(participation),
        provider_id=provider["id"],
        office_id=office["id"],
        plan_id=str(uuid4()),
        effective_from="2020-01-01",
        effective_until=str(directory.today()),
    )
    await directory.neighbours.say(ended, organization.id, "participation", participation, now)
    directory.referrals.work.pop(provider["id"])
    removed = await organization.versioned("removeProvider", provider, token=token)

    assert referral not in directory.referrals.handed
    assert removed.get("state") == "REMOVED", removed


async def test_a_plan_that_is_accepted_since_the_preview_makes_it_out_of_date(
    directory: Directory, organization: Organization
) -> None:
    """R12."""
    provider = await organization.approved()
    office = await organization.live_office(provider)
    token = await organization.token("removeProvider", {"providerId": provider["id"]})
    await _accept(directory, organization, provider, office)
    stale = await organization.versioned(
        "removeProvider", provider, token=token, endPlacements=True
    )

    assert (stale["code"], stale["moved"]) == ("STALE_PREVIEW", ["plans"])


async def _accept(
    directory: Directory,
    organization: Organization,
    provider: dict[str, Any],
    office: dict[str, Any],
) -> UUID:
    participation, now = uuid4(), directory.running.parts.clock.now()
    added = insurance_facts.ParticipationAdded(
        participation_id=str(participation),
        provider_id=provider["id"],
        office_id=office["id"],
        plan_id=str(uuid4()),
        effective_from="2020-01-01",
    )
    await directory.neighbours.say(added, organization.id, "participation", participation, now)
    return participation
