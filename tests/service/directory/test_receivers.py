"""Suggested receivers on real servers (R28)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from kit.errors import Invalid
from proto.directory.v1.directory_pb2 import SuggestRequest
from proto.identity.v1 import events_pb2 as identity_facts
from proto.insurance.v1 import events_pb2 as insurance_facts
from proto.referrals.v1 import events_pb2 as referral_facts
from tests.service.directory.world import BOSTON, CARDIOLOGY, FAMILY, Directory, Organization

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


async def test_roles_taken_away_leave_an_office_unstaffed_for_the_search(
    directory: Directory, organization: Organization
) -> None:
    """R28."""
    provider = await organization.approved(specialtyCodes=[NEUROLOGY])
    office = await organization.live_office(provider)
    rows = await directory.running.sql.fetch(
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


async def test_on_a_western_evening_today_is_not_past(
    directory: Directory, organization: Organization
) -> None:
    """R28: where it is evening in the west, it is tomorrow for the server. Moves the clock."""
    now = directory.running.parts.clock.now()
    evening = (now + timedelta(days=1)).replace(hour=3, minute=30)
    await directory.running.advance(evening - now)
    local = (evening - timedelta(hours=8)).date()
    today = await _suggest(organization, EMERGENCY, on=str(local))
    query, given = SUGGEST, {"specialtyCode": EMERGENCY, "on": str(local - timedelta(days=1))}
    past = await directory.running.gql(query, {"input": given}, viewer=organization.admin)

    assert today["receivers"] is not None
    assert past["errors"][0]["message"] == "The day of the visit is past."


async def test_referrals_is_offered_the_same_receivers_as_a_client(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    """R28: for a draft, over gRPC: the same order, distances, plans and reasons."""
    near, far = [await organization.approved(specialtyCodes=[CARDIOLOGY]) for _ in range(2)]
    here = await organization.live_office(near)
    there = await organization.live_office(far, coordinates={"latitude": 42.6, "longitude": -71.2})
    plan, unknown = str(uuid4()), str(uuid4())
    await _accepts(directory, organization, near["id"], here["id"], unknown)
    await _accepts(directory, organization, far["id"], there["id"], plan)
    request = SuggestRequest(
        specialty_code=CARDIOLOGY, plan_ids=[plan, plan], office_id=here["id"], first=5
    )

    reply = await directory.peer.ask(directory.stub.Suggest, request, viewer=organization.admin)
    found = await _suggest(organization, CARDIOLOGY, planId=plan, officeId=here["id"], near=None)

    told = [(one.provider_id, one.plan, one.score, one.distance_km) for one in reply.receivers]
    shown = [
        (one["provider"]["id"], one["planCertainty"], one["score"], one["distanceKm"])
        for one in found["receivers"]
    ]
    assert told == shown[:5]
    assert reply.on == str(directory.today())
    assert list(reply.receivers[0].accepted_plan_ids) == [plan]
    assert all(factor.reason for one in reply.receivers for factor in one.factors)
    nobody = SuggestRequest(specialty_code=CARDIOLOGY, postal_code="00000", first=5)
    assert (
        await directory.peer.ask(directory.stub.Suggest, nobody, viewer=other.admin)
    ).place_unknown
    for wrong in (SuggestRequest(specialty_code=CARDIOLOGY), SuggestRequest(first=1)):
        with pytest.raises(Invalid):
            await directory.peer.ask(directory.stub.Suggest, wrong, viewer=other.admin)
