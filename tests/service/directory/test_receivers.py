"""Suggested receivers, and what siblings ask, on real servers (R16, R21-R23, R28)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from kit.errors import Invalid
from proto.directory.v1.directory_pb2 import (
    OfficesRequest,
    PlacementKey,
    PlacementsRequest,
    ReceiverRequest,
    SenderRequest,
)
from proto.identity.v1 import events_pb2 as identity_facts
from proto.insurance.v1 import events_pb2 as insurance_facts
from proto.referrals.v1 import events_pb2 as referral_facts
from tests.service.directory.world import BOSTON, FAMILY, Directory, Organization

SUGGEST = """query($input: SuggestReceiversInput!) { suggestReceivers(input: $input) {
    widening wideningReason receivers {
        provider { id } group { id } office { id } distanceKm score planCertainty planVerifiedOn
        acceptingNewPatients dataConfirmedOn factors { name score weight reason } } } }"""
NEUROLOGY = "2084N0400X"
DERMATOLOGY = "207N00000X"
ORTHOPAEDICS = "207X00000X"
EMERGENCY = "207P00000X"


async def _suggest(viewer: Organization, code: str, **given: Any) -> Any:  # noqa: ANN401
    asked = {"specialtyCode": code, "near": BOSTON, **given}
    return (await viewer.ask(SUGGEST, input=asked))["suggestReceivers"]


async def _accepts(
    directory: Directory, organization: Organization, provider: str, office: str, plan: str
) -> None:
    row, today = uuid4(), directory.today()
    fact = insurance_facts.ParticipationAdded(
        participation_id=str(row),
        provider_id=provider,
        office_id=office,
        plan_id=plan,
        effective_from=str(today - timedelta(days=30)),
        verified_on=str(today - timedelta(days=10)),
    )
    now = directory.running.parts.clock.now()
    await directory.neighbours.say(fact, organization.id, "participation", row, now)


async def test_receivers_are_ranked_by_the_plan_first_and_explained(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    """R28."""
    near, far = [await organization.approved(specialtyCodes=[NEUROLOGY]) for _ in range(2)]
    here = await organization.live_office(near)
    there = await organization.live_office(far, coordinates={"latitude": 42.6, "longitude": -71.2})
    plan = str(uuid4())
    await _accepts(directory, organization, near["id"], here["id"], str(uuid4()))
    await _accepts(directory, organization, far["id"], there["id"], plan)
    found = await _suggest(other, NEUROLOGY, planId=plan)
    again = await _suggest(other, NEUROLOGY, planId=plan)

    assert found == again
    assert [one["provider"]["id"] for one in found["receivers"]] == [far["id"], near["id"]]
    best, last = found["receivers"]
    assert (best["planCertainty"], last["planCertainty"]) == ("ACCEPTED", "NOT_LISTED")
    assert best["planVerifiedOn"] == str(directory.today() - timedelta(days=10))
    assert best["score"] > last["score"]
    assert {one["name"] for one in best["factors"]} == {
        "PLAN",
        "DISTANCE",
        "NEW_PATIENTS",
        "RESPONSIVENESS",
        "FRESHNESS",
    }
    assert all(one["reason"] for one in best["factors"])


async def test_without_any_listed_plan_nothing_is_claimed(
    organization: Organization, other: Organization
) -> None:
    """R28."""
    provider = await organization.approved(specialtyCodes=[DERMATOLOGY])
    await organization.live_office(provider)
    found = await _suggest(other, DERMATOLOGY, planId=str(uuid4()))

    assert [one["planCertainty"] for one in found["receivers"]] == ["UNKNOWN"]


async def test_those_who_take_no_new_patients_are_labelled_and_not_hidden(
    organization: Organization,
) -> None:
    """R28."""
    provider = await organization.approved(specialtyCodes=[ORTHOPAEDICS])
    office = await organization.live_office()
    await organization.place(provider, office, acceptingNewPatients=False)
    found = await _suggest(organization, ORTHOPAEDICS)

    assert [one["acceptingNewPatients"] for one in found["receivers"]] == [False]


async def test_only_the_approved_at_live_staffed_offices_on_the_day_are_suggested(
    directory: Directory, organization: Organization
) -> None:
    """R11, R16, R28."""
    pending = await organization.add_provider(specialtyCodes=[EMERGENCY])
    planned = await organization.approved(specialtyCodes=[EMERGENCY])
    ends = await organization.approved(specialtyCodes=[EMERGENCY])
    await organization.add_office(providerIds=[planned["id"]])
    office = await organization.live_office()
    await organization.place(pending, office)
    tomorrow = str(directory.today() + timedelta(days=1))
    await organization.place(ends, office, effectiveUntil=tomorrow)
    today = await _suggest(organization, EMERGENCY)
    later = await _suggest(organization, EMERGENCY, on=tomorrow)

    assert [one["provider"]["id"] for one in today["receivers"]] == [ends["id"]]
    assert (later["receivers"], later["widening"]) == ([], "NOTHING_FOUND")


async def test_a_ready_group_is_suggested_with_the_plans_of_its_members(
    directory: Directory, organization: Organization
) -> None:
    """R21, R28."""
    members = [await organization.approved(specialtyCodes=[FAMILY]) for _ in range(2)]
    office = await organization.live_office(*members)
    user, plan = await organization.user(), str(uuid4())
    await _accepts(directory, organization, members[0]["id"], office["id"], plan)
    group = await organization.add_group(
        officeIds=[office["id"]],
        providerIds=[one["id"] for one in members],
        staffUserIds=[user],
    )
    found = await _suggest(organization, FAMILY, planId=plan)
    alone = await _suggest(organization, FAMILY, planId=plan, includeGroups=False)
    listed = [one for one in found["receivers"] if one["group"]]

    assert [one["group"]["id"] for one in listed] == [group["id"]]
    assert "1 of 2 members" in listed[0]["factors"][0]["reason"]
    assert [one["provider"]["id"] for one in alone["receivers"]] == [one["id"] for one in members]


async def test_nobody_nearby_widens_the_search_and_says_so(
    organization: Organization,
) -> None:
    """R28."""
    provider = await organization.approved()
    await organization.live_office(provider)
    far = await _suggest(organization, "207RC0000X", near={"latitude": 34.05, "longitude": -118.24})

    assert far["widening"] == "FARTHER"
    assert far["wideningReason"].startswith("Nobody within 50 km")
    assert provider["id"] in {one["provider"]["id"] for one in far["receivers"] if one["provider"]}


async def test_how_soon_a_receiver_answers_counts(
    directory: Directory, organization: Organization
) -> None:
    """R28."""
    provider = await organization.approved(specialtyCodes=[DERMATOLOGY])
    office = await organization.live_office(provider)
    now = directory.running.parts.clock.now()
    for _ in range(3):
        referral, sent, answered = uuid4(), Timestamp(), Timestamp()
        sent.FromDatetime(now - timedelta(hours=30))
        answered.FromDatetime(now - timedelta(hours=6))
        state = referral_facts.ReferralState(
            referral_id=str(referral),
            side="RECEIVING",
            receiving_organization_id=str(organization.id),
            receiving_office_id=office["id"],
            receiving_provider_id=provider["id"],
            hop=1,
            occurred_at=sent,
        )
        arrived = referral_facts.ReferralSent(referral=state)
        state.occurred_at.CopyFrom(answered)
        answer = referral_facts.ReferralAcknowledged(referral=state)
        for fact in (arrived, answer):
            await directory.neighbours.say(fact, organization.id, "referral", referral, now)
    found = await _suggest(organization, DERMATOLOGY)
    mine = next(one for one in found["receivers"] if one["provider"]["id"] == provider["id"])
    factor = next(one for one in mine["factors"] if one["name"] == "RESPONSIVENESS")

    assert factor["reason"] == "Usually answers within 24 hours (3 referrals)."


async def test_an_unknown_specialty_and_wrong_places_are_refused(
    directory: Directory, organization: Organization
) -> None:
    for given in (
        {"specialtyCode": "NOPE"},
        {"specialtyCode": FAMILY, "near": {"latitude": 91.0, "longitude": 0.0}},
        {"specialtyCode": FAMILY, "near": BOSTON, "officeId": str(uuid4())},
        {"specialtyCode": FAMILY, "first": 101},
        {"specialtyCode": FAMILY, "on": "2001-01-01"},
    ):
        answer = await directory.running.gql(SUGGEST, {"input": given}, viewer=organization.admin)
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT", given


# What siblings ask ----------------------------------------------------------------------------------------------------


async def _receiver(
    directory: Directory, office: str, *, provider: str = "", group: str = ""
) -> Any:  # noqa: ANN401
    request = ReceiverRequest(provider_id=provider, group_id=group, office_id=office)
    return await directory.peer.ask(directory.stub.Receiver, request)


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
        found: str = (await _receiver(directory, office["id"], **who)).code
        return found

    assert await code(live, provider=draft["id"]) == "NOT_APPROVED"
    assert await code(live, provider=approved["id"]) == "NOT_PLACED"
    assert await code(planned, provider=approved["id"]) == "OFFICE_NOT_LIVE"
    assert await code(foreign, provider=approved["id"]) == "NOT_FOUND"
    assert await code(live, provider=str(uuid4())) == "NOT_FOUND"
    assert await code(live, group=group["id"]) == "GROUP_NOT_STAFFED"
    assert await code(live, group=sender["id"]) == "GROUP_CANNOT_RECEIVE"


async def test_a_leaving_provider_names_who_may_receive_instead(
    directory: Directory, organization: Organization
) -> None:
    """R15."""
    leaving, staying = await organization.approved(), await organization.approved()
    office = await organization.live_office(leaving, staying)
    await organization.versioned("startOffboarding", leaving)
    reply = await _receiver(directory, office["id"], provider=leaving["id"])

    assert reply.code == "RECEIVER_LEAVING"
    assert [one.provider_id for one in reply.alternatives] == [staying["id"]]


async def test_a_group_may_send_without_a_provider_and_others_may_not(
    directory: Directory, organization: Organization
) -> None:
    """R22."""
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
    on = await directory.peer.ask(
        directory.stub.Placements, PlacementsRequest(keys=keys, on=str(today))
    )
    before = await directory.peer.ask(
        directory.stub.Placements,
        PlacementsRequest(keys=keys, on=str(today - timedelta(days=1))),
    )
    own = await directory.peer.ask(
        directory.stub.Offices,
        OfficesRequest(organization_id=str(organization.id), office_ids=[office["id"]]),
    )
    foreign = await directory.peer.ask(
        directory.stub.Offices,
        OfficesRequest(organization_id=str(other.id), office_ids=[office["id"]]),
    )

    assert [one.organization_id for one in on.placements] == [str(organization.id)]
    assert list(before.placements) == []
    assert [(one.office_id, one.state) for one in own.offices] == [(office["id"], "LIVE")]
    assert list(foreign.offices) == []


async def test_a_question_without_a_receiver_is_invalid(directory: Directory) -> None:
    with pytest.raises(Invalid):
        await _receiver(directory, str(uuid4()))


async def test_nobody_asks_without_a_signed_viewer(directory: Directory) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await directory.stub.Offices(OfficesRequest(organization_id=str(uuid4())))

    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


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


async def test_roles_taken_away_leave_an_office_unstaffed_for_the_search(
    directory: Directory, organization: Organization
) -> None:
    """R28."""
    provider = await organization.approved(specialtyCodes=[NEUROLOGY])
    office = await organization.live_office(provider)
    rows = await directory.running.parts.db.pool.fetch(
        "SELECT user_id FROM office_users_heard WHERE office_id = $1", UUID(office["id"])
    )
    before = await _suggest(organization, NEUROLOGY)
    for row in rows:
        fact = identity_facts.RoleRevoked(
            user_id=str(row["user_id"]), role="OFFICE_STAFF", office_id=office["id"]
        )
        now = directory.running.parts.clock.now()
        await directory.neighbours.say(fact, organization.id, "user", row["user_id"], now)
    after = await _suggest(organization, NEUROLOGY)

    def mine(found: Any) -> list[Any]:  # noqa: ANN401
        return [one for one in found["receivers"] if one["office"]["id"] == office["id"]]

    assert len(mine(before)) == 1
    assert mine(after) == []


async def test_receivers_near_an_office_are_measured_from_it(
    organization: Organization, other: Organization
) -> None:
    """R28."""
    provider = await organization.approved(specialtyCodes=[ORTHOPAEDICS])
    office = await organization.live_office(provider)
    sender = await other.live_office(coordinates={"latitude": 42.5, "longitude": -71.06})
    hidden = await organization.add_office()
    query = {"specialtyCode": ORTHOPAEDICS, "officeId": sender["id"]}
    data = await other.ask(SUGGEST, input=query)
    refused = await other.directory.running.gql(
        SUGGEST, {"input": query | {"officeId": hidden["id"]}}, viewer=other.admin
    )
    mine = [
        one for one in data["suggestReceivers"]["receivers"] if one["office"]["id"] == office["id"]
    ]

    assert mine[0]["distanceKm"] == pytest.approx(15.6, abs=0.1)
    assert refused["errors"][0]["extensions"]["code"] == "NOT_FOUND"


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
    directory.referrals.away = True
    given = {"groupId": leaving["id"], "expectedVersion": leaving["version"]}
    await organization.do("removeGroup", "GroupVersionInput", "__typename", given)
    directory.referrals.away = False
    gone = await _receiver(directory, office["id"], group=leaving["id"])
    directory.referrals.leave_open(office["id"], office["id"])
    given = {"officeId": office["id"], "expectedVersion": office["version"], "confirmOrphans": True}
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
    assert [one.group_id for one in gone.alternatives if one.group_id] == [group["id"]]
    assert closing.code == "OFFICE_CLOSING"
    assert sending.code == "OFFICE_NOT_LIVE"
