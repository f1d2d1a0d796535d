"""The call centre's feed on real servers (R10). These tests move the clock."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

from kit.auth import Viewer
from proto.identity.v1 import events_pb2 as identity_facts
from proto.insurance.v1 import events_pb2 as insurance_facts
from services.directory.actions import feed as verbs
from tests.service.directory.world import PLACEMENT, Directory, Organization

FEED = """query($open: Boolean! = false) { callCentreFeed(first: 100, unacknowledged: $open) { edges { node { id kind subjects
    provider { id } office { id } acknowledgedBy { id } escalatedAt allowedActions
    changes { kind count office { id } fromOffice { id } survivor { id } effectiveUntil acceptingNewPatients
        planIdsAdded planIdsEnded } } } } }"""
ACKNOWLEDGED = "__typename ... on ChangesAcknowledged { acknowledged items { id acknowledgedBy { id } } } ... on Problem { code field }"


async def _call_centre(organization: Organization) -> Viewer:
    user = await organization.user()
    await organization.hear(identity_facts.RoleGranted(user_id=user, role="CALL_CENTRE"), user)
    return Viewer(**{**_of(organization.somebody(call_centre=True)), "user_id": UUID(user)})


def _of(viewer: Viewer) -> dict[str, Any]:
    return {name: getattr(viewer, name) for name in viewer.__slots__}


async def _told(directory: Directory, **time: float) -> None:
    await directory.running.advance(timedelta(**(time or {"seconds": 21})))
    await verbs.tell(directory.running.parts.call())


async def _feed(organization: Organization, viewer: Viewer, **given: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    data = await organization.ask(FEED, viewer, **given)
    return [edge["node"] for edge in data["callCentreFeed"]["edges"]]


async def _change(
    organization: Organization, verb: str, placement: dict[str, Any], **more: object
) -> dict[str, Any]:
    given = {"placementId": placement["id"], "expectedVersion": placement["version"], **more}
    kind = f"{verb[0].upper()}{verb[1:]}Input"
    answer = await organization.do(verb, kind, PLACEMENT, given)
    assert answer["__typename"] == "Placement", answer
    return answer


def _kinds(items: list[dict[str, Any]]) -> list[list[str]]:
    return [[change["kind"] for change in item["changes"]] for item in items]


async def test_a_provider_whose_placement_ends_is_told_to_the_call_centre_within_a_minute(
    directory: Directory, organization: Organization
) -> None:
    """R10."""
    reader = await _call_centre(organization)
    provider = await organization.approved()
    office = await organization.live_office(provider)
    placed = (await organization.provider(provider["id"]))["placements"][0]
    await _told(directory)
    before = await _feed(organization, reader)
    ended = await _change(organization, "endPlacement", {**placed, "version": 1})
    await _told(directory, seconds=45)
    item = (await _feed(organization, reader))[0]

    assert sorted(map(sorted, _kinds(before))) == [
        ["OFFICE_LIVE"],
        ["PLACEMENT_ADDED", "PROVIDER_ADDED"],
    ]
    assert (item["kind"], item["provider"]) == ("PROVIDER", {"id": provider["id"]})
    assert item["changes"][0]["kind"] == "PLACEMENT_ENDED"
    assert item["changes"][0]["office"] == {"id": office["id"]}
    assert item["changes"][0]["effectiveUntil"] == ended["effectiveUntil"]
    assert await directory.facts(str(organization.id)) == ["extended", "extended"]


async def test_what_is_undone_before_it_is_told_is_never_told(
    directory: Directory, organization: Organization
) -> None:
    """R10."""
    reader = await _call_centre(organization)
    provider, placed = await _settled(directory, organization)
    flipped = await _change(organization, "setAcceptingNewPatients", placed, accepting=False)
    back = await _change(organization, "setAcceptingNewPatients", flipped, accepting=True)
    ended = await _change(organization, "endPlacement", back)
    office = (await organization.provider(provider["id"]))["placements"][0]["office"]
    again = await organization.place(provider, office, effectiveFrom=ended["effectiveUntil"])
    assert again["__typename"] == "Placement", again
    told = len(await _feed(organization, reader))
    await _told(directory)
    silent = len(await _feed(organization, reader))
    await _change(organization, "setAcceptingNewPatients", again, accepting=False)
    await _told(directory)
    (item, *_) = await _feed(organization, reader)

    assert silent == told
    assert _kinds([item]) == [["NEW_PATIENTS"]]
    assert item["changes"][0]["acceptingNewPatients"] is False


async def _settled(
    directory: Directory, organization: Organization
) -> tuple[dict[str, Any], dict[str, Any]]:
    """An approved provider at a live office, and the placement, of which everything has been told."""
    provider = await organization.approved()
    await organization.live_office(provider)
    found = (await organization.provider(provider["id"]))["placements"][0]
    await _told(directory)
    return provider, {"id": found["id"], "version": 1}


async def test_who_leaves_one_office_for_another_has_moved(
    directory: Directory, organization: Organization
) -> None:
    """R10."""
    reader = await _call_centre(organization)
    provider, placed = await _settled(directory, organization)
    old = (await organization.provider(provider["id"]))["placements"][0]["office"]
    new = await organization.live_office()
    await _told(directory)
    await _change(organization, "endPlacement", placed)
    await organization.place(provider, new)
    await _told(directory)
    (item, *_) = await _feed(organization, reader)

    assert _kinds([item]) == [["MOVED"]]
    assert item["changes"][0]["fromOffice"] == old
    assert item["changes"][0]["office"] == {"id": new["id"]}


async def test_plans_are_told_together_with_what_else_changed_of_the_provider(
    directory: Directory, organization: Organization
) -> None:
    """R10."""
    reader = await _call_centre(organization)
    provider, placed = await _settled(directory, organization)
    office = (await organization.provider(provider["id"]))["placements"][0]["office"]
    plan, row = str(uuid4()), uuid4()
    added = insurance_facts.ParticipationAdded(
        participation_id=str(row),
        provider_id=provider["id"],
        office_id=office["id"],
        plan_id=plan,
        effective_from="2020-01-01",
    )
    now = directory.running.parts.clock.now()
    await directory.neighbours.say(added, organization.id, "participation", row, now)
    await _change(organization, "setAcceptingNewPatients", placed, accepting=False)
    await _told(directory)
    (item, *_) = await _feed(organization, reader)

    assert sorted(_kinds([item])[0]) == ["NEW_PATIENTS", "PLANS"]
    plans = next(one for one in item["changes"] if one["kind"] == "PLANS")
    assert (plans["planIdsAdded"], plans["planIdsEnded"]) == ([plan], [])


async def test_a_burst_is_one_digest_and_goes_on_in_it(
    directory: Directory, organization: Organization
) -> None:
    """R10."""
    reader = await _call_centre(organization)
    await asyncio.gather(*(organization.approved() for _ in range(21)))
    await _told(directory)
    (first,) = await _feed(organization, reader)
    await asyncio.gather(*(organization.approved() for _ in range(21)))
    await _told(directory)
    (grown,) = await _feed(organization, reader)

    assert (first["kind"], first["subjects"], _kinds([first])) == (
        "DIGEST",
        21,
        [["PROVIDER_ADDED"]],
    )
    assert (grown["id"], grown["subjects"], grown["changes"][0]["count"]) == (first["id"], 42, 42)
    assert await directory.facts(str(organization.id)) == ["extended"]


async def test_an_organization_without_a_call_centre_keeps_nothing(
    directory: Directory, organization: Organization
) -> None:
    """R10."""
    await _settled(directory, organization)
    user = await organization.user()
    await organization.hear(identity_facts.RoleGranted(user_id=user, role="CALL_CENTRE"), user)
    await organization.approved()
    await organization.hear(identity_facts.UserDeactivated(user_id=user), user)
    await _told(directory)
    sql = directory.running.sql
    kept = [
        await sql.fetchval(counting, organization.id)
        for counting in (
            "SELECT count(*) FROM feed_pending WHERE organization_id = $1",
            "SELECT count(*) FROM feed_items WHERE organization_id = $1",
            "SELECT count(*) FROM call_centre_heard WHERE organization_id = $1",
        )
    ]

    assert kept == [0, 0, 0]
    assert await _feed(organization, organization.admin) == []


async def test_each_item_is_acknowledged_once_by_the_call_centre_alone(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    """R10."""
    reader, colleague = await _call_centre(organization), await _call_centre(organization)
    stranger = await _call_centre(other)
    for _ in range(3):
        await organization.approved()
        await _told(directory)
    newest, middle, oldest = await _feed(organization, reader)
    denied = await _acknowledge(organization, organization.admin, itemIds=[middle["id"]])
    foreign = await _acknowledge(other, stranger, itemIds=[middle["id"]])
    neither = await _acknowledge(organization, reader)
    one = await _acknowledge(organization, reader, itemIds=[middle["id"]])
    rest = await _acknowledge(organization, colleague, upTo=middle["id"])
    left = await _feed(organization, organization.admin, open=True)
    staff = await directory.running.gql(
        FEED, viewer=organization.somebody(office_staff_of=frozenset({uuid4()}))
    )

    assert [each["code"] for each in (denied, foreign, neither)] == [
        "FORBIDDEN",
        "NOT_FOUND",
        "INVALID",
    ]
    assert (one["acknowledged"], rest["acknowledged"]) == (1, 1)
    assert rest["items"][0]["acknowledgedBy"] == {"id": str(reader.user_id)}
    assert [each["id"] for each in left] == [newest["id"]]
    assert left[0]["allowedActions"] == []
    assert newest["allowedActions"] == ["ACKNOWLEDGE"]
    assert oldest["id"] not in {each["id"] for each in left}
    assert staff["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def _acknowledge(organization: Organization, viewer: Viewer, **given: Any) -> dict[str, Any]:  # noqa: ANN401
    kind = "AcknowledgeChangesInput"
    return await organization.do("acknowledgeChanges", kind, ACKNOWLEDGED, given, viewer)


async def test_what_nobody_acknowledges_in_a_day_goes_to_the_client_admins_once(
    directory: Directory, organization: Organization
) -> None:
    """R10."""
    reader = await _call_centre(organization)
    await organization.approved()
    await _told(directory)
    call = directory.running.parts.call()
    await directory.running.advance(timedelta(hours=23, minutes=59))
    await verbs.escalate(call)
    early = (await _feed(organization, reader))[0]["escalatedAt"]
    await directory.running.advance(timedelta(minutes=2))
    await asyncio.gather(*(verbs.escalate(call) for _ in range(4)))
    (item,) = await _feed(organization, reader)

    assert early is None
    assert item["escalatedAt"] is not None
    assert await directory.facts(str(organization.id)) == ["extended", "escalated"]


async def test_several_replicas_tell_each_change_once_and_lose_none(
    directory: Directory, organization: Organization
) -> None:
    """R10."""
    reader = await _call_centre(organization)
    provider, placed = await _settled(directory, organization)
    told = len(await _feed(organization, reader))
    call = directory.running.parts.call()

    async def flip() -> None:
        seen = placed
        for accepting in (False, True, False):
            seen = await _change(organization, "setAcceptingNewPatients", seen, accepting=accepting)

    async def tell() -> None:
        for _ in range(6):
            await directory.running.advance(timedelta(seconds=21))
            await asyncio.gather(*(verbs.tell(call) for _ in range(3)))

    await asyncio.gather(flip(), tell())
    await _told(directory)
    items = (await _feed(organization, reader))[: -told or None]
    values = [item["changes"][0]["acceptingNewPatients"] for item in items]

    assert {item["provider"]["id"] for item in items} == {provider["id"]}
    assert values[0] is False
    assert all(one != next_one for one, next_one in pairwise(values))
