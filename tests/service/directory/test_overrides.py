"""Support sets a group up against a rule of prudence: it takes part though nobody who has confirmed works for it (R25)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from kit.auth import Kind, Viewer
from proto.directory.v1.directory_pb2 import ReceiverRequest, SenderRequest
from proto.identity.v1 import events_pb2 as identity_facts
from services.directory.actions import tasks
from tests.service.directory.world import GROUP, Directory, Organization

WHY = "Go-live tonight; the staff cannot confirm before Monday."
SEEN = """query($id: ID!) { group(id: $id) { id version state allowedActions
    override { at by { id } reason supportRequestId } } }"""


async def _seen(organization: Organization, group: dict[str, Any], viewer: Any = None) -> Any:  # noqa: ANN401
    return (await organization.ask(SEEN, viewer, id=group["id"]))["group"]


def _inside(organization: Organization) -> Viewer:
    return organization.somebody(support=True, client_admin=True)


async def _override(
    organization: Organization,
    group: dict[str, Any],
    viewer: Viewer,
    **more: Any,  # noqa: ANN401 - what else the verb takes
) -> dict[str, Any]:
    seen = await _seen(organization, group)
    given = {"groupId": group["id"], "expectedVersion": seen["version"], "reason": WHY, **more}
    verb, kind = "overrideGroupStaffing", "OverrideGroupStaffingInput"
    return await organization.do(verb, kind, GROUP, given, viewer)


async def _end(
    organization: Organization, group: dict[str, Any], viewer: Viewer | None = None
) -> dict[str, Any]:
    seen = await _seen(organization, group)
    given = {"groupId": group["id"], "expectedVersion": seen["version"]}
    return await organization.do("endGroupOverride", "GroupVersionInput", GROUP, given, viewer)


async def _codes(organization: Organization, group: dict[str, Any], office: str) -> tuple[str, str]:
    """What a sender is told who sends to the group, and who sends as the group."""
    directory, staff = organization.directory, organization.somebody()
    receiver = ReceiverRequest(group_id=group["id"], office_id=office)
    sender = SenderRequest(
        organization_id=str(organization.id), office_id=office, group_id=group["id"]
    )
    received = await directory.peer.ask(directory.stub.Receiver, receiver, viewer=staff)
    sent = await directory.peer.ask(directory.stub.Sender, sender, viewer=staff)
    return received.code, sent.code


async def _bare(organization: Organization) -> tuple[dict[str, Any], str]:
    """A group that sends and receives, for which nobody works, and its office."""
    office = await organization.live_office()
    group = await organization.add_group(officeIds=[office["id"]], maySend=True, mayReceive=True)
    return group, office["id"]


async def test_support_lets_a_group_take_part_before_anybody_works_for_it(
    directory: Directory, organization: Organization
) -> None:
    """R22, R23, R25: who, when, why and for which request stand with the group, and in the audit trail."""
    group, office = await _bare(organization)
    before = await _codes(organization, group, office)
    inside, request = _inside(organization), str(uuid4())
    offered = (await _seen(organization, group, inside))["allowedActions"]
    done = await _override(organization, group, inside, supportRequestId=request)
    seen = await _seen(organization, group)
    rows = await directory.running.sql.fetch(
        "SELECT user_id, support, reason FROM audit_entries WHERE about = $1 AND act = 'group.overridden'",
        UUID(group["id"]),
    )

    assert before == ("GROUP_NOT_STAFFED", "GROUP_CANNOT_SEND")
    assert "OVERRIDE_STAFFING" in offered
    assert (done["state"], seen["state"]) == ("READY", "READY")
    assert await _codes(organization, group, office) == ("OK", "OK")
    assert seen["override"]["by"] == {"id": str(inside.user_id)}
    assert (seen["override"]["reason"], seen["override"]["supportRequestId"]) == (WHY, request)
    assert "END_OVERRIDE" in seen["allowedActions"]
    assert [tuple(row) for row in rows] == [(inside.user_id, True, WHY)]
    assert await directory.facts(group["id"]) == ["added", "staffed", "overridden", "staffed"]


async def test_nobody_but_support_inside_the_organization_overrides(
    organization: Organization, other: Organization
) -> None:
    """R02, R25: another organization's group is as unknown as one that never was; what is refused says how to ask."""
    group, _ = await _bare(organization)
    outside = Viewer(kind=Kind.USER, user_id=uuid4(), support=True)
    admin = await _override(organization, group, organization.admin)
    refused = [
        (await _override(organization, group, one))["code"]
        for one in (organization.somebody(), outside, _inside(other))
    ]
    reasonless = await _override(organization, group, _inside(organization), reason=" ")

    assert (admin["code"], "requestSupport" in admin["remedy"]) == ("SUPPORT_ONLY", True)
    assert refused == ["SUPPORT_ONLY", "FORBIDDEN", "NOT_FOUND"]
    assert (reasonless["code"], reasonless["field"]) == ("REASON_REQUIRED", "reason")
    assert "OVERRIDE_STAFFING" not in (await _seen(organization, group))["allowedActions"]


async def test_what_keeps_the_directory_true_is_not_overridden(organization: Organization) -> None:
    """R16, R22, R24, R25: flags that are off, an office that is not live, a group that is gone or staffed, a version nobody saw."""
    live, planned = await organization.live_office(), await organization.add_office()
    inside = _inside(organization)
    offices = [live["id"], planned["id"]]
    group = await organization.add_group(officeIds=offices, maySend=False)
    await _override(organization, group, inside)
    codes = await _codes(organization, group, live["id"])
    elsewhere = await _codes(organization, group, planned["id"])
    twice = await _override(organization, group, inside)
    user = await organization.user()
    staffed = await organization.add_group(officeIds=[live["id"]], staffUserIds=[user])
    needless = await _override(organization, staffed, inside)
    gone = await organization.add_group(officeIds=[live["id"]])
    given = {"groupId": gone["id"], "expectedVersion": gone["version"]}
    await organization.do("removeGroup", "RemoveGroupInput", GROUP, given)
    late = await _override(organization, gone, inside)
    stale = await _override(organization, group, inside, expectedVersion=1)

    assert codes == ("OK", "GROUP_CANNOT_SEND")
    assert elsewhere == ("OFFICE_NOT_LIVE", "OFFICE_NOT_LIVE")
    assert twice["code"] == needless["code"] == "NOTHING_TO_OVERRIDE"
    assert (late["code"], stale["code"]) == ("GROUP_STATE", "STALE_VERSION")


async def test_an_override_is_taken_back_by_a_client_admin_also_while_referrals_are_open(
    directory: Directory, organization: Organization
) -> None:
    """R25: what is open stays; nothing new comes."""
    group, office = await _bare(organization)
    await _override(organization, group, _inside(organization))
    directory.referrals.leave_open(group["id"], office)
    refused = await _end(organization, group, organization.somebody())
    ended = await _end(organization, group)
    again = await _end(organization, group)
    seen = await _seen(organization, group)
    directory.referrals.work.clear()

    assert refused["code"] == "FORBIDDEN"
    assert (ended["state"], seen["override"]) == ("INCOMPLETE", None)
    assert again["code"] == "NOT_OVERRIDDEN"
    assert await _codes(organization, group, office) == ("GROUP_NOT_STAFFED", "GROUP_CANNOT_SEND")
    assert (await directory.facts(group["id"]))[-2:] == ["override_ended", "staffed"]


async def test_an_override_ends_once_somebody_who_has_confirmed_works_for_the_group(
    directory: Directory, organization: Organization
) -> None:
    """R23, R25: and does not come back when they go."""
    group, office = await _bare(organization)
    await _override(organization, group, _inside(organization))
    user = await organization.user(confirmed=False)
    version = (await _seen(organization, group))["version"]
    given = {"groupId": group["id"], "expectedVersion": version, "add": [user], "remove": []}
    await organization.do("changeGroupStaff", "ChangeGroupInput", GROUP, given)
    invited = await _seen(organization, group)
    await organization.hear(identity_facts.UserConfirmed(user_id=user), user)
    staffed = await _seen(organization, group)
    await organization.hear(identity_facts.UserDeactivated(user_id=user), user)
    left = await _seen(organization, group)

    assert invited["override"]["reason"] == WHY
    assert (staffed["state"], staffed["override"]) == ("READY", None)
    assert (left["state"], left["override"]) == ("INCOMPLETE", None)
    assert "override_ended" in await directory.facts(group["id"])
    assert (await _codes(organization, group, office))[0] == "GROUP_NOT_STAFFED"


async def test_whoever_confirms_while_support_overrides_leaves_no_override_behind(
    organization: Organization,
) -> None:
    """R23, R25: whichever comes first."""
    for _ in range(5):
        group, _office = await _bare(organization)
        user = await organization.user(confirmed=False)
        given = {"groupId": group["id"], "expectedVersion": group["version"], "add": [user]}
        await organization.do("changeGroupStaff", "ChangeGroupInput", GROUP, given)
        done, _ = await asyncio.gather(
            _override(organization, group, _inside(organization)),
            organization.hear(identity_facts.UserConfirmed(user_id=user), user),
        )
        seen = await _seen(organization, group)

        assert done.get("code", "done") in {"done", "STALE_VERSION", "NOTHING_TO_OVERRIDE"}
        assert (seen["state"], seen["override"]) == ("READY", None)


async def test_others_find_the_group_and_are_not_told_of_the_override(
    organization: Organization, other: Organization
) -> None:
    """R02, R25."""
    group, _ = await _bare(organization)
    await _override(organization, group, _inside(organization))
    theirs = await _seen(other, group)

    assert (theirs["state"], theirs["override"]) == ("READY", None)


async def test_a_group_that_support_lets_take_part_is_still_to_be_given_staff(
    directory: Directory, organization: Organization
) -> None:
    """R23, R25. Moves the clock."""
    group, _ = await _bare(organization)
    await _override(organization, group, _inside(organization))
    await directory.running.advance(timedelta(hours=25))
    await tasks.review(directory.running.parts.call())
    query = "{ directoryTasks { edges { node { kind group { id } } } } }"
    found = (await organization.ask(query))["directoryTasks"]["edges"]

    assert {"kind": "GROUP_WITHOUT_STAFF", "group": {"id": group["id"]}} in [
        one["node"] for one in found
    ]
