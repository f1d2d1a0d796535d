"""Removals that are looked at first: what they would touch, guided ones, and groups whose members take over (R12, R15, R24)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from services.directory.actions import jobs
from tests.service.directory.world import GROUP, IN_THE_WAY, ITEMS, Directory, Organization

PROVIDER = """query($id: ID!) { providerRemovalPreview(providerId: $id) { openReferrals token
    provider { id } placements { office { id } } groups { id } emptiedGroups { id }
    referrals { referralId appointmentAt referral { id } } counts { status side officeId count } } }"""
OF_GROUP = """query($id: ID!) { groupRemovalPreview(groupId: $id) { openReferrals token group { id }
    takers { provider { id } officeIds acceptingAt } referrals { referralId } } }"""
REMOVED = GROUP + IN_THE_WAY + ITEMS + " ... on StalePreviewProblem { moved }"


async def _of_provider(organization: Organization, provider: dict[str, Any]) -> Any:  # noqa: ANN401
    return (await organization.ask(PROVIDER, id=provider["id"]))["providerRemovalPreview"]


async def _of_group(organization: Organization, group: dict[str, Any]) -> Any:  # noqa: ANN401
    return (await organization.ask(OF_GROUP, id=group["id"]))["groupRemovalPreview"]


async def _remove(
    organization: Organization,
    group: dict[str, Any],
    to: dict[str, str] | None = None,
    **more: Any,  # noqa: ANN401
) -> dict[str, Any]:
    redistribution = [{"referralId": one, "providerId": who} for one, who in (to or {}).items()]
    given = {"groupId": group["id"], "expectedVersion": group["version"]}
    given |= {"redistribution": redistribution, **more}
    return await organization.do("removeGroup", "RemoveGroupInput", REMOVED, given)


async def _group_of(
    organization: Organization, *providers: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    office, user = await organization.live_office(*providers), await organization.user()
    ids = [one["id"] for one in providers]
    group = await organization.add_group(
        officeIds=[office["id"]], providerIds=ids, staffUserIds=[user]
    )
    assert group["state"] == "READY", group
    return group, office


# Providers ------------------------------------------------------------------------------------------------------------


async def test_the_preview_of_a_removal_names_referrals_groups_and_offices(
    directory: Directory, organization: Organization
) -> None:
    """R12."""
    provider, colleague = await organization.approved(), await organization.approved()
    alone, office = await _group_of(organization, provider)
    shared = await organization.add_group(officeIds=[office["id"]], providerIds=[provider["id"]])
    await organization.place(colleague, office)
    given = {
        "groupId": shared["id"],
        "expectedVersion": shared["version"],
        "add": [colleague["id"]],
    }
    await organization.do("changeGroupMembers", "ChangeGroupInput", GROUP, given)
    at = datetime(2040, 2, 29, 12, tzinfo=UTC)
    booked = directory.referrals.leave_open(provider["id"], office["id"], at=at)
    for _ in range(2):
        directory.referrals.leave_open(provider["id"], office["id"], side="SENDING")
    seen = await _of_provider(organization, provider)

    assert [one["office"]["id"] for one in seen["placements"]] == [office["id"]]
    assert {one["id"] for one in seen["groups"]} == {alone["id"], shared["id"]}
    assert seen["emptiedGroups"] == [{"id": alone["id"]}]
    assert seen["openReferrals"] == 3
    assert [one["referralId"] for one in seen["referrals"] if one["appointmentAt"]] == [booked]
    assert [(one["status"], one["side"], one["count"]) for one in seen["counts"]] == [
        ("PENDING", "SENDING", 2),
        ("SCHEDULED", "RECEIVING", 1),
    ]


async def test_only_client_admins_of_the_organization_look_at_removals_beforehand(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    """R02."""
    provider = await organization.approved()
    group, office = await _group_of(organization, provider)
    own = organization.somebody(office_admin_of=frozenset({UUID(office["id"])}))
    for query, thing in ((PROVIDER, provider), (OF_GROUP, group)):
        for viewer, code in ((own, "FORBIDDEN"), (other.admin, "NOT_FOUND")):
            answer = await directory.running.gql(query, {"id": thing["id"]}, viewer=viewer)
            assert answer["errors"][0]["extensions"]["code"] == code


async def test_a_removal_on_an_old_preview_says_what_has_moved(
    directory: Directory, organization: Organization
) -> None:
    """R12."""
    provider = await organization.approved()
    seen = await _of_provider(organization, provider)
    office = await organization.live_office()
    await organization.place(provider, office)
    directory.referrals.leave_open(provider["id"], office["id"])
    stale = await organization.versioned("removeProvider", provider, token=seen["token"])
    state = (await organization.provider(provider["id"]))["state"]

    assert (stale["code"], stale["moved"]) == ("STALE_PREVIEW", ["open_referrals", "placements"])
    assert state == "APPROVED"


async def test_a_guided_removal_leaves_every_office_and_removes_in_one_case(
    directory: Directory, organization: Organization
) -> None:
    """R15."""
    provider = await organization.approved()
    group, _ = await _group_of(organization, provider)
    await organization.place(provider, await organization.live_office())
    later = str(directory.today() + timedelta(days=30))
    await organization.place(provider, await organization.live_office(), effectiveFrom=later)
    seen = await _of_provider(organization, provider)
    removed = await organization.versioned(
        "removeProvider", provider, endPlacements=True, token=seen["token"]
    )
    after = await organization.provider(provider["id"])

    assert removed["state"] == "REMOVED"
    assert [one["state"] for one in after["placements"]] == ["ENDED"] * 3
    assert (await directory.facts(provider["id"]))[-1] == "removed"
    assert (await directory.facts(group["id"]))[-1] == "staffed"


async def test_a_guided_removal_with_open_referrals_ends_no_placement(
    directory: Directory, organization: Organization
) -> None:
    """R12, R15."""
    provider = await organization.approved()
    office = await organization.live_office(provider)
    directory.referrals.leave_open(provider["id"], office["id"])
    refused = await organization.versioned("removeProvider", provider, endPlacements=True)
    after = await organization.provider(provider["id"])

    assert (refused["code"], refused["total"], refused["officeIds"]) == ("OPEN_REFERRALS", 1, [])
    assert after["state"] == "APPROVED"
    assert [one["state"] for one in after["placements"]] == ["ACTIVE"]
    assert provider["id"] not in directory.referrals.fences


async def test_a_guided_removal_that_crashed_is_finished_by_the_job(
    directory: Directory, organization: Organization
) -> None:
    """R15: the row says that placements end with it."""
    provider = await organization.approved()
    await organization.live_office(provider)
    gate = directory.referrals.hold()
    work = asyncio.create_task(
        organization.versioned("removeProvider", provider, endPlacements=True)
    )
    await directory.referrals.held.wait()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    gate.set()
    await directory.running.advance(timedelta(minutes=1))
    await jobs.resume_leaving(directory.running.parts.call())
    after = await organization.provider(provider["id"])

    assert after["state"] == "REMOVED"
    assert [one["state"] for one in after["placements"]] == ["ENDED"]


async def test_an_office_that_is_added_meanwhile_is_refused_and_none_survives(
    organization: Organization,
) -> None:
    """R15."""
    for _ in range(4):
        provider = await organization.approved()
        office = await organization.live_office(provider)
        more = await organization.live_office()
        answers = await asyncio.gather(
            organization.versioned("removeProvider", provider, endPlacements=True),
            organization.place(provider, more),
        )
        after = await organization.provider(provider["id"])
        if answers[0].get("code") == "STALE_PREVIEW":
            assert answers[1]["__typename"] == "Placement"
            await organization.versioned("removeProvider", after, endPlacements=True)
            after = await organization.provider(provider["id"])

        assert after["state"] == "REMOVED", (answers, office)
        assert all(one["state"] == "ENDED" for one in after["placements"])


# Groups ---------------------------------------------------------------------------------------------------------------


async def test_the_preview_of_a_group_says_who_can_take_what_is_open(
    directory: Directory, organization: Organization
) -> None:
    """R24."""
    one, two = await organization.approved(), await organization.approved()
    group, office = await _group_of(organization, one, two)
    (placement,) = (await organization.provider(two["id"]))["placements"]
    given = {"placementId": placement["id"], "expectedVersion": 1, "accepting": False}
    await organization.do(
        "setAcceptingNewPatients", "SetAcceptingNewPatientsInput", "__typename", given
    )
    referral = directory.referrals.leave_open(group["id"], office["id"])
    seen = await _of_group(organization, group)
    takers = {each["provider"]["id"]: each for each in seen["takers"]}

    assert [each["referralId"] for each in seen["referrals"]] == [referral]
    assert takers[one["id"]]["acceptingAt"] == [office["id"]]
    assert takers[two["id"]]["officeIds"] == [office["id"]]
    assert takers[two["id"]]["acceptingAt"] == []


async def test_a_group_goes_when_its_members_take_everything_that_is_open(
    directory: Directory, organization: Organization
) -> None:
    """R24: four open, all of them taken."""
    one, two = await organization.approved(), await organization.approved()
    group, office = await _group_of(organization, one, two)
    sides = ("RECEIVING", "RECEIVING", "RECEIVING", "SENDING")
    opened = [
        directory.referrals.leave_open(group["id"], office["id"], side=side) for side in sides
    ]
    bare = await _remove(organization, group)
    seen = (
        await organization.ask("query($id: ID!) { group(id: $id) { id version } }", id=group["id"])
    )["group"]
    part = await _remove(organization, seen, {opened[0]: one["id"]})
    seen = (
        await organization.ask("query($id: ID!) { group(id: $id) { id version } }", id=group["id"])
    )["group"]
    token = (await _of_group(organization, seen))["token"]
    to = dict(zip(opened, (one["id"], two["id"], one["id"], two["id"]), strict=True))
    removed = await _remove(organization, seen, to, token=token)

    assert (bare["code"], bare["total"]) == ("OPEN_REFERRALS", 4)
    assert (part["code"], part["total"]) == ("OPEN_REFERRALS", 3)
    assert [each["referralId"] for each in part["referrals"]] == opened[1:]
    assert (removed["state"], removed["name"]) == ("REMOVED", group["name"])
    assert {each: directory.referrals.handed[each] for each in opened} == to


async def test_who_cannot_take_a_referral_is_named_and_the_group_stays(
    directory: Directory, organization: Organization
) -> None:
    """R24."""
    member, stranger = await organization.approved(), await organization.approved()
    group, office = await _group_of(organization, member)
    elsewhere = await organization.live_office(stranger)
    here = directory.referrals.leave_open(group["id"], office["id"])
    there = directory.referrals.leave_open(group["id"], elsewhere["id"])
    refused = await _remove(organization, group, {here: stranger["id"], there: member["id"]})
    unknown = await _remove(organization, group, {here: str(uuid4())})

    assert {(one["id"], one["code"]) for one in refused["items"]} == {
        (here, "NOT_A_MEMBER"),
        (there, "NOT_PLACED"),
    }
    assert [one["code"] for one in unknown["items"]] == ["NOT_A_MEMBER"]
    assert group["id"] not in directory.referrals.fences


async def test_a_referral_that_came_while_the_group_was_going_keeps_it(
    directory: Directory, organization: Organization
) -> None:
    """R24: a send that won the race is nobody's, so nothing is handed over."""
    member = await organization.approved()
    group, office = await _group_of(organization, member)
    known = directory.referrals.leave_open(group["id"], office["id"])
    gate = directory.referrals.hold()
    work = asyncio.create_task(_remove(organization, group, {known: member["id"]}))
    await directory.referrals.held.wait()
    late = directory.referrals.leave_open(group["id"], office["id"])
    gate.set()
    refused = await work

    assert (refused["code"], refused["total"]) == ("OPEN_REFERRALS", 1)
    assert [one["referralId"] for one in refused["referrals"]] == [late]
    assert known not in directory.referrals.handed


async def test_a_group_s_removal_that_crashed_before_the_handover_is_finished_by_the_job(
    directory: Directory, organization: Organization
) -> None:
    """R24."""
    member = await organization.approved()
    group, office = await _group_of(organization, member)
    known = directory.referrals.leave_open(group["id"], office["id"])
    gate = directory.referrals.hold()
    work = asyncio.create_task(_remove(organization, group, {known: member["id"]}))
    await directory.referrals.held.wait()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    gate.set()
    await directory.running.advance(timedelta(minutes=1))
    await jobs.resume_leaving(directory.running.parts.call())
    query = "query($id: ID!) { group(id: $id) { state } }"
    after = (await organization.ask(query, id=group["id"]))["group"]

    assert after["state"] == "REMOVED"
    assert directory.referrals.handed[known] == member["id"]


async def test_however_many_are_open_members_take_what_is_left_at_their_offices(
    directory: Directory, organization: Organization
) -> None:
    """R24: one is named, and everything else goes to who takes the rest of its office; what came meanwhile as well."""
    one, two = await organization.approved(), await organization.approved()
    group, office = await _group_of(organization, one, two)
    opened = [directory.referrals.leave_open(group["id"], office["id"]) for _ in range(230)]
    seen = await _of_group(organization, group)
    rest = [{"officeId": office["id"], "providerId": two["id"]}]
    gate = directory.referrals.hold()
    work = asyncio.create_task(_remove(organization, group, {opened[229]: one["id"]}, rest=rest))
    await directory.referrals.held.wait()
    opened.append(directory.referrals.leave_open(group["id"], office["id"]))
    gate.set()
    removed = await work

    assert (seen["openReferrals"], len(seen["referrals"])) == (230, 100)
    assert removed["state"] == "REMOVED"
    assert directory.referrals.handed[opened[229]] == one["id"]
    assert {directory.referrals.handed[each] for each in opened if each != opened[229]} == {
        two["id"]
    }


async def test_who_takes_the_rest_works_where_it_is(
    directory: Directory, organization: Organization
) -> None:
    """R24: also of what no list told."""
    member, elsewhere = await organization.approved(), await organization.live_office()
    group, office = await _group_of(organization, member)
    opened = [directory.referrals.leave_open(group["id"], office["id"]) for _ in range(100)]
    far = directory.referrals.leave_open(group["id"], elsewhere["id"])
    refused = await _remove(
        organization,
        group,
        {far: member["id"]},
        rest=[{"officeId": elsewhere["id"], "providerId": member["id"]}],
    )
    twice = await _remove(
        organization, group, rest=[{"officeId": office["id"], "providerId": member["id"]}] * 2
    )
    partly = await _remove(organization, group, {one: member["id"] for one in opened})

    assert [(one["id"], one["field"], one["code"]) for one in refused["items"]] == [
        (far, "redistribution", "NOT_PLACED"),
        (elsewhere["id"], "rest", "NOT_PLACED"),
    ]
    assert (partly["code"], partly["total"]) == ("OPEN_REFERRALS", 1)
    assert twice["code"] == "DUPLICATE"


async def test_a_verb_that_ends_something_wants_what_was_seen(
    organization: Organization,
) -> None:
    """R12, R19, R24."""
    provider = await organization.approved()
    group, office = await _group_of(organization, provider)
    seen = await organization.provider(provider["id"])
    answers = [
        await organization.versioned("removeProvider", seen, token="nothing-0"),
        await organization.versioned("removeProvider", seen, token=""),
        await _remove(organization, group, token="nothing-0"),
        await organization.do(
            "closeOffice",
            "CloseOfficeInput",
            "__typename ... on Problem { code field }",
            {"officeId": office["id"], "expectedVersion": office["version"], "token": "nothing-0"},
        ),
    ]

    assert [(one["code"], one["field"]) for one in answers] == [
        ("STALE_PREVIEW", "token"),
        ("INVALID", "token"),
        ("STALE_PREVIEW", "token"),
        ("STALE_PREVIEW", "token"),
    ]
