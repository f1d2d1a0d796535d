"""What siblings and the gateway ask of the directory, on real servers (R02, R11, R15, R16, R19, R22-R24)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest

from kit.auth import Viewer
from kit.errors import Invalid
from proto.directory.v1.directory_pb2 import (
    OfficesRequest,
    PlacementKey,
    PlacementsRequest,
    ReceiverRequest,
    SenderRequest,
)
from tests.service.directory.world import PROVIDER, Directory, Organization


async def _receiver(
    directory: Directory,
    office: str,
    *,
    provider: str = "",
    group: str = "",
    by: Viewer | None = None,
) -> Any:  # noqa: ANN401
    request = ReceiverRequest(provider_id=provider, group_id=group, office_id=office)
    return await directory.peer.ask(directory.stub.Receiver, request, viewer=by)


async def test_an_approved_provider_at_a_live_office_may_receive(
    directory: Directory, organization: Organization
) -> None:
    """R11, R16."""
    provider = await organization.approved()
    office = await organization.live_office(provider)
    reply = await _receiver(directory, office["id"], provider=provider["id"])

    assert (reply.may_receive, reply.code) == (True, "OK")
    assert reply.organization_id == str(organization.id)
    assert list(reply.specialty_codes) == ["207RC0000X"]
    assert reply.accepting_new_patients


async def test_a_merged_record_receives_as_the_one_that_stays(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    """R09: also one whose NPI the register has replaced. To whom the old id was never shown, it is unknown."""
    old, stays = await organization.approved(), await organization.approved()
    twin, office = await organization.add_provider(npi=None), await organization.live_office()
    await organization.place(old, office)
    row = {"npi": old["npi"], "status": "DEACTIVATED", "replacedBy": stays["npi"]}
    given = {"rows": [row], "idempotencyKey": str(uuid4())}
    await organization.do("noteNpis", "NoteNpisInput", "__typename", given)
    for one in (old, twin):
        seen, survivor = [await organization.provider(each["id"]) for each in (one, stays)]
        merge = {"duplicateId": seen["id"], "expectedVersion": seen["version"]}
        merge |= {"survivorId": survivor["id"], "survivorVersion": survivor["version"]}
        merged = await organization.do("mergeProviders", "MergeProvidersInput", PROVIDER, merge)
        assert merged["id"] == stays["id"], merged
    theirs = await _receiver(directory, office["id"], provider=old["id"], by=other.admin)
    mine = await _receiver(directory, office["id"], provider=twin["id"], by=organization.admin)
    hidden = await _receiver(directory, office["id"], provider=twin["id"], by=other.admin)

    assert (theirs.code, theirs.provider_id) == ("OK", stays["id"])
    assert (mine.code, mine.provider_id) == ("OK", stays["id"])
    assert (hidden.code, hidden.provider_id) == ("NOT_FOUND", "")


async def test_a_receiver_is_refused_with_the_reason(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    """R11, R16, R23."""
    draft, approved = await organization.add_provider(), await organization.approved()
    planned = await organization.add_office(providerIds=[approved["id"]])
    live = await organization.live_office()
    foreign = await other.live_office()
    group = await organization.add_group(officeIds=[live["id"]])
    sender = await organization.add_group(
        officeIds=[live["id"]], mayReceive=False, maySend=True, staffUserIds=[]
    )

    async def code(office: dict[str, Any], **who: str) -> str:
        found: str = (await _receiver(directory, office["id"], by=organization.admin, **who)).code
        return found

    assert await code(live, provider=draft["id"]) == "NOT_APPROVED"
    assert await code(live, provider=approved["id"]) == "NOT_PLACED"
    assert await code(planned, provider=approved["id"]) == "OFFICE_NOT_LIVE"
    assert await code(foreign, provider=approved["id"]) == "NOT_FOUND"
    assert await code(live, provider=str(uuid4())) == "NOT_FOUND"
    assert await code(live, group=group["id"]) == "GROUP_NOT_STAFFED"
    assert await code(live, group=sender["id"]) == "GROUP_CANNOT_RECEIVE"


async def test_a_receiver_that_is_not_shown_to_another_organization_is_unknown_to_it(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    """R02, R11, R16, R23: byte for byte as an id that never was; who asks for nobody is shown no more."""
    draft, leaving = await organization.add_provider(), await organization.add_provider()
    approved, placed = await organization.approved(), await organization.approved()
    leaving = await organization.versioned("startOffboarding", leaving)
    live = await organization.live_office(placed)
    planned = await organization.add_office(providerIds=[approved["id"], draft["id"]])
    closed = await organization.add_office()
    given = {"officeId": closed["id"], "expectedVersion": 1, "confirmOrphans": True}
    await organization.do("closeOffice", "CloseOfficeInput", "__typename", given)
    bare = await organization.add_group(officeIds=[live["id"], planned["id"]])
    silent = await organization.add_group(officeIds=[live["id"]], mayReceive=False, maySend=True)
    user = await organization.user()
    ready = await organization.add_group(officeIds=[live["id"]], staffUserIds=[user])

    hidden = [
        (live, {"provider": draft["id"]}),
        (live, {"provider": leaving["id"]}),
        (planned, {"provider": draft["id"]}),
        (closed, {"provider": approved["id"]}),
        (live, {"group": bare["id"]}),
        (live, {"group": silent["id"]}),
        (planned, {"group": bare["id"]}),
        (planned, {"group": ready["id"]}),
    ]
    unknown = await _receiver(directory, live["id"], provider=str(uuid4()), by=other.admin)
    for viewer in (other.admin, other.somebody(), None):
        for office, who in hidden:
            assert await _receiver(directory, office["id"], by=viewer, **who) == unknown
    for office, who in hidden:
        own = await _receiver(directory, office["id"], by=organization.somebody(), **who)
        assert own.code not in {"OK", "NOT_FOUND"}
    assert unknown.code == "NOT_FOUND"


async def test_a_planned_office_is_not_live_to_its_own_senders_and_unknown_to_others(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    """R02, R16, R23: what was shown once stays known, and its own reason is told."""
    provider, user = await organization.approved(), await organization.user()
    live = await organization.live_office(provider)
    planned = await organization.add_office(providerIds=[provider["id"]])
    group = await organization.add_group(officeIds=[live["id"], planned["id"]], staffUserIds=[user])

    async def code(office: dict[str, Any], by: Viewer = other.admin, **who: str) -> str:
        found: str = (await _receiver(directory, office["id"], by=by, **who)).code
        return found

    for who in ({"provider": provider["id"]}, {"group": group["id"]}):
        assert await code(planned, organization.somebody(), **who) == "OFFICE_NOT_LIVE"
        nowhere = await _receiver(directory, str(uuid4()), by=other.admin, **who)
        assert await _receiver(directory, planned["id"], by=other.admin, **who) == nowhere
        assert nowhere.code == "NOT_FOUND"
    assert await code(live, group=group["id"]) == "OK"
    given = {"groupId": group["id"], "expectedVersion": group["version"], "remove": [user]}
    await organization.do("changeGroupStaff", "ChangeGroupInput", "__typename", given | {"add": []})
    assert await code(live, group=group["id"]) == "GROUP_NOT_STAFFED"


async def test_a_leaving_provider_names_who_may_receive_instead(
    directory: Directory, organization: Organization
) -> None:
    """R13, R15: with the specialties of each, so that nobody is offered what they do not serve."""
    leaving, staying = await organization.approved(), await organization.approved()
    office = await organization.live_office(leaving, staying)
    await organization.versioned("startOffboarding", leaving)
    reply = await _receiver(directory, office["id"], provider=leaving["id"])

    assert reply.code == "RECEIVER_LEAVING"
    assert [one.provider_id for one in reply.alternatives] == [staying["id"]]
    assert list(reply.alternatives[0].specialty_codes) == list(reply.specialty_codes) != []


async def test_a_group_may_send_without_a_provider_and_others_may_not(
    directory: Directory, organization: Organization
) -> None:
    """R22: asked of the sender alone, or of both ends in one question."""
    provider = await organization.approved()
    office = await organization.live_office(provider)
    user = await organization.user()
    sends = await organization.add_group(
        officeIds=[office["id"]], maySend=True, staffUserIds=[user]
    )
    silent = await organization.add_group(officeIds=[office["id"]], staffUserIds=[user])

    async def code(**who: str) -> str:
        request = SenderRequest(organization_id=str(organization.id), office_id=office["id"], **who)
        reply = await directory.peer.ask(directory.stub.Sender, request)
        assert reply.may_send is (reply.code == "OK")
        asked = ReceiverRequest(office_id=office["id"], provider_id=provider["id"], sender=request)
        both = await directory.peer.ask(directory.stub.Receiver, asked)
        assert both.sender_code == reply.code
        assert both.may_receive is reply.may_send, "who may not send is told nothing else"
        found: str = reply.code
        return found

    assert await code(provider_id=provider["id"]) == "OK"
    assert await code(group_id=sends["id"]) == "OK"
    assert await code(group_id=silent["id"]) == "GROUP_CANNOT_SEND"
    assert await code() == "PROVIDER_REQUIRED"
    assert await code(provider_id=str(uuid4())) == "NOT_FOUND"


async def test_placements_and_offices_leave_out_what_is_not_so(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    provider = await organization.approved()
    office = await organization.live_office(provider)
    keys = [
        PlacementKey(provider_id=provider["id"], office_id=office["id"]),
        PlacementKey(provider_id=str(uuid4()), office_id=office["id"]),
    ]
    today = directory.today()
    on = await directory.askers["insurance"].ask(
        directory.stub.Placements, PlacementsRequest(keys=keys, on=str(today))
    )
    before = await directory.askers["insurance"].ask(
        directory.stub.Placements,
        PlacementsRequest(keys=keys, on=str(today - timedelta(days=1))),
    )
    own = await directory.askers["identity"].ask(
        directory.stub.Offices,
        OfficesRequest(organization_id=str(organization.id), office_ids=[office["id"]]),
    )
    foreign = await directory.askers["identity"].ask(
        directory.stub.Offices,
        OfficesRequest(organization_id=str(other.id), office_ids=[office["id"]]),
    )

    assert [one.organization_id for one in on.placements] == [str(organization.id)]
    assert list(before.placements) == []
    assert [(one.office_id, one.state) for one in own.offices] == [(office["id"], "LIVE")]
    assert list(foreign.offices) == []


async def test_a_placement_s_end_is_told_to_who_asks(
    directory: Directory, organization: Organization
) -> None:
    provider, office = await organization.approved(), await organization.live_office()
    today = directory.today()
    until = str(today + timedelta(days=30))
    await organization.place(provider, office, effectiveUntil=until)
    keys = [PlacementKey(provider_id=provider["id"], office_id=office["id"])]

    found = await directory.askers["insurance"].ask(
        directory.stub.Placements, PlacementsRequest(keys=keys, on=str(today))
    )

    assert [one.effective_until for one in found.placements] == [until]


async def test_a_question_without_a_receiver_is_invalid(directory: Directory) -> None:
    with pytest.raises(Invalid):
        await _receiver(directory, str(uuid4()))


async def test_nobody_asks_without_a_signed_viewer(directory: Directory) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await directory.stub.Offices(OfficesRequest(organization_id=str(uuid4())))

    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_closing_offices_and_leaving_groups_receive_nothing_and_send_nothing(
    directory: Directory, organization: Organization
) -> None:
    """R15, R19, R24."""
    provider = await organization.approved()
    office, elsewhere = await organization.live_office(provider), await organization.live_office()
    user = await organization.user()
    group = await organization.add_group(
        officeIds=[office["id"]],
        providerIds=[provider["id"]],
        staffUserIds=[user],
        maySend=True,
    )
    leaving = await organization.add_group(
        officeIds=[office["id"]], providerIds=[provider["id"]], staffUserIds=[user]
    )
    ready = await _receiver(directory, office["id"], group=group["id"])
    misplaced = await _receiver(directory, elsewhere["id"], group=group["id"])
    directory.referrals.fenceless = True
    given = {"groupId": leaving["id"], "expectedVersion": leaving["version"]}
    await organization.do("removeGroup", "RemoveGroupInput", "__typename", given)
    directory.referrals.fenceless = False
    gone = await _receiver(directory, office["id"], group=leaving["id"])
    directory.referrals.leave_open(office["id"], office["id"])
    given = {"officeId": office["id"], "expectedVersion": office["version"], "confirmOrphans": True}
    given["confirmLastOffice"] = True
    await organization.do("closeOffice", "CloseOfficeInput", "__typename", given)
    closing = await _receiver(directory, office["id"], provider=provider["id"])
    request = SenderRequest(
        organization_id=str(organization.id),
        office_id=office["id"],
        provider_id=provider["id"],
    )
    sending = await directory.peer.ask(directory.stub.Sender, request)

    assert (ready.code, misplaced.code) == ("OK", "NOT_PLACED")
    assert gone.code == "RECEIVER_LEAVING"
    (taking,) = [one for one in gone.alternatives if one.group_id]
    assert (taking.group_id, list(taking.specialty_codes)) == (
        group["id"],
        list(gone.specialty_codes),
    )
    assert closing.code == "OFFICE_CLOSING"
    assert sending.code == "OFFICE_NOT_LIVE"


# Entities -------------------------------------------------------------------------------------------------------------


async def test_entities_are_resolved_together_under_the_same_policy(
    organization: Organization, other: Organization
) -> None:
    """R02."""
    approved, draft = await organization.approved(), await organization.add_provider()
    office = await organization.live_office(approved)
    query = """query($them: [_Any!]!) { _entities(representations: $them) {
        ... on Provider { id name } ... on Office { id } ... on Organization {
            id providers { edges { node { id } } } } } }"""
    wanted = [
        ("Provider", approved["id"]),
        ("Provider", draft["id"]),
        ("Provider", str(uuid4())),
        ("Office", office["id"]),
    ]

    def them() -> list[dict[str, str]]:
        return [{"__typename": kind, "id": one} for kind, one in wanted]

    own = (await organization.ask(query, them=them()))["_entities"]
    foreign = (await other.ask(query, them=them()))["_entities"]
    mine = [{"__typename": "Organization", "id": str(organization.id)}]
    listed = (await organization.ask(query, them=mine))["_entities"]

    assert [bool(one) for one in own] == [True, True, False, True]
    assert [bool(one) for one in foreign] == [True, False, False, True]
    assert len(listed[0]["providers"]["edges"]) == 2
