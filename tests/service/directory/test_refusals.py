"""The less travelled ways of the directory's verbs: unknown things, wrong states, absent neighbours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from proto.identity.v1 import events_pb2 as identity_facts
from proto.insurance.v1 import events_pb2 as insurance_facts
from proto.referrals.v1 import events_pb2 as referral_facts
from services.directory.actions import closing, group_removal, staying
from tests.service.directory.world import FAMILY, GROUP, ITEMS, OFFICE, Directory, Organization
from tests.support.facts import eventually

FIELDS = "__typename ... on Problem { code field }"


async def _change(
    organization: Organization, verb: str, kind: str, thing: dict[str, Any], **given: object
) -> dict[str, Any]:
    """A verb on a thing as it was seen, answered with the office or group it is about."""
    subject = "officeId" if "Office" in verb else "groupId"
    asked = {subject: thing["id"], "expectedVersion": thing["version"], **given}
    if verb == "closeOffice":
        asked["confirmLastOffice"] = True
    fields = OFFICE if subject == "officeId" else GROUP
    if "Members" in verb:
        fields += ITEMS
    return await organization.do(verb, kind, fields, asked)


@pytest.mark.parametrize(
    ("verb", "kind", "subject", "more"),
    [
        ("removeProvider", "RemoveProviderInput", "providerId", {}),
        ("closeOffice", "CloseOfficeInput", "officeId", {}),
        ("endPlacement", "EndPlacementInput", "placementId", {}),
        ("removeGroup", "RemoveGroupInput", "groupId", {}),
        ("changeGroupMembers", "ChangeGroupInput", "groupId", {}),
        ("dismissSuggestion", "SuggestionVersionInput", "suggestionId", {}),
    ],
)
async def test_an_unknown_id_is_not_found(
    organization: Organization, verb: str, kind: str, subject: str, more: dict[str, object]
) -> None:
    """R02."""
    given = {subject: str(uuid4()), "expectedVersion": 1, **more}
    answer = await organization.do(verb, kind, FIELDS, given)
    garbled = await organization.do(verb, kind, FIELDS, given | {subject: "x"})

    assert (answer["__typename"], answer["code"]) == ("NotFoundProblem", "NOT_FOUND")
    assert answer["field"] == subject
    assert garbled["code"] == "INVALID_ID"


async def test_a_placement_needs_a_known_office_and_a_known_provider(
    organization: Organization,
) -> None:
    provider, office = await organization.approved(), await organization.live_office()
    nowhere = await organization.place(provider, {"id": str(uuid4())})
    nobody = await organization.place({"id": str(uuid4())}, office)

    assert (nowhere["code"], nowhere["field"]) == ("NOT_FOUND", "officeId")
    assert (nobody["code"], nobody["field"]) == ("NOT_FOUND", "providerId")


async def test_a_name_that_is_taken_is_refused_whatever_its_case(
    organization: Organization, other: Organization
) -> None:
    first = await organization.add_office(name="Harbour")
    again = await organization.add_office(name=" harbour ")
    elsewhere = await other.add_office(name="Harbour")

    assert first["__typename"] == "Office"
    assert (again["code"], again["field"]) == ("NAME_TAKEN", "name")
    assert elsewhere["__typename"] == "Office"


async def test_an_office_takes_at_most_a_hundred_providers_at_once(
    organization: Organization,
) -> None:
    refused = await organization.add_office(providerIds=[str(uuid4()) for _ in range(101)])

    assert (refused["code"], refused["field"]) == ("INVALID", "providerIds")


async def test_a_closed_office_is_not_closed_again_and_an_open_one_is_not_kept(
    organization: Organization,
) -> None:
    office = await organization.live_office()
    not_closing = await _change(organization, "keepOffice", "OfficeVersionInput", office)
    closed = await _change(organization, "closeOffice", "CloseOfficeInput", office)
    again = await _change(organization, "closeOffice", "CloseOfficeInput", closed)
    placed = await organization.place(await organization.approved(), office)

    assert not_closing["code"] == "OFFICE_STATE"
    assert closed["state"] == "CLOSED"
    assert again["code"] == "OFFICE_STATE"
    assert placed["code"] == "OFFICE_CLOSED"


async def test_while_referrals_is_away_an_office_waits_to_be_closed(
    directory: Directory, organization: Organization
) -> None:
    """R19."""
    office = await organization.live_office()
    directory.referrals.away = True
    nothing = await _change(organization, "closeOffice", "CloseOfficeInput", office)
    directory.referrals.away, directory.referrals.fenceless = False, True
    closing_ = await _change(organization, "closeOffice", "CloseOfficeInput", office)
    directory.referrals.fenceless = False
    await directory.running.advance(timedelta(minutes=1))
    data = await organization.ask("query($id: ID!) { office(id: $id) { state } }", id=office["id"])

    assert nothing["code"] == "UNAVAILABLE", "nobody knows who is booked there"
    assert closing_["state"] == "CLOSING"
    assert data["office"]["state"] == "CLOSED"


async def test_a_planned_office_that_is_kept_is_planned_again(
    directory: Directory, organization: Organization
) -> None:
    office = await organization.add_office()
    directory.referrals.leave_open(office["id"], office["id"])
    closing_ = await _change(organization, "closeOffice", "CloseOfficeInput", office)
    kept = await _change(organization, "keepOffice", "OfficeVersionInput", closing_)

    assert kept["state"] == "PLANNED"
    assert await directory.facts(office["id"]) == [
        "planned",
        "closure_planned",
        "closing",
        "kept",
        "planned",
    ]


async def test_an_old_step_of_a_case_changes_nothing(
    directory: Directory, organization: Organization
) -> None:
    office = await organization.live_office()
    group = await organization.add_group(officeIds=[office["id"]])
    call, owner = directory.running.parts.call(), organization.id
    await closing.finish_closing(call, owner, UUID(office["id"]), 1)  # type: ignore[arg-type]
    await staying.finish_keeping(call, owner, UUID(office["id"]), 1)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="has changed since you read it"):
        await group_removal.finish_keeping(call, owner, UUID(group["id"]), 1)  # type: ignore[arg-type]
    data = await organization.ask("query($id: ID!) { office(id: $id) { state } }", id=office["id"])

    assert data["office"]["state"] == "LIVE"


async def test_members_come_and_go(directory: Directory, organization: Organization) -> None:
    first, second = await organization.approved(), await organization.approved()
    office = await organization.live_office(first, second)
    group = await organization.add_group(officeIds=[office["id"]], providerIds=[first["id"]])
    given = {"add": [second["id"]], "remove": [first["id"]]}
    changed = await _change(organization, "changeGroupMembers", "ChangeGroupInput", group, **given)
    stranger = await _change(
        organization, "changeGroupMembers", "ChangeGroupInput", changed, add=[str(uuid4())]
    )
    query = "query($id: ID!) { group(id: $id) { providers { id groups { id } } } }"
    data = await organization.ask(query, id=group["id"])

    assert data["group"]["providers"] == [{"id": second["id"], "groups": [{"id": group["id"]}]}]
    assert stranger["__typename"] == "ItemsRefusedProblem"
    assert (await directory.facts(group["id"]))[-1] == "staffed"


async def test_a_group_needs_an_open_office(organization: Organization) -> None:
    office = await organization.live_office()
    await _change(organization, "closeOffice", "CloseOfficeInput", office)
    closed = await organization.add_group(officeIds=[office["id"]])
    nowhere = await organization.add_group(officeIds=[])

    assert [one["code"] for one in closed["items"]] == ["OFFICE_CLOSED"]
    assert (nowhere["code"], nowhere["field"]) == ("INVALID", "officeIds")


async def test_a_removed_group_is_not_changed(organization: Organization) -> None:
    office = await organization.live_office()
    group = await organization.add_group(officeIds=[office["id"]])
    removed = await _change(organization, "removeGroup", "RemoveGroupInput", group)
    again = await _change(organization, "removeGroup", "RemoveGroupInput", removed)
    changed = await _change(organization, "changeGroupMembers", "ChangeGroupInput", removed)

    assert (again["code"], changed["code"]) == ("GROUP_STATE", "GROUP_STATE")


async def test_a_suggestion_is_not_dismissed_twice(organization: Organization) -> None:
    """R20."""
    three = [await organization.approved() for _ in range(3)]
    office = await organization.live_office(*three)
    raised = (await organization.suggestions(office["id"]))[0]
    given = {"suggestionId": raised["id"], "expectedVersion": 1}
    kind = "SuggestionVersionInput"
    await organization.do("dismissSuggestion", kind, FIELDS, given)
    again = await organization.do("dismissSuggestion", kind, FIELDS, given | {"expectedVersion": 2})

    assert again["code"] == "SUGGESTION_CLOSED"


async def test_settings_out_of_bounds_and_old_versions_are_refused(
    organization: Organization,
) -> None:
    verb, kind = "changeDirectorySettings", "ChangeDirectorySettingsInput"
    low = await organization.do(verb, kind, FIELDS, {"expectedVersion": 0, "suggestGroupsFrom": 1})
    stale = await organization.do(verb, kind, FIELDS, {"expectedVersion": 4})
    data = await organization.ask("{ directorySettings { secondApprover suggestGroupsFrom } }")

    assert (low["code"], stale["code"]) == ("INVALID", "STALE_VERSION")
    assert data["directorySettings"] == {"secondApprover": False, "suggestGroupsFrom": 3}


async def test_an_import_has_bounds(organization: Organization) -> None:
    given = {"idempotencyKey": str(uuid4()), "rows": []}
    refused = await organization.do("importProviders", "ImportProvidersInput", FIELDS, given)

    assert (refused["code"], refused["field"]) == ("INVALID", "rows")


async def test_a_rejected_change_leaves_the_approved_profile(organization: Organization) -> None:
    """R11."""
    provider = await organization.approved()
    office = await organization.live_office(provider)
    admin = organization.somebody(office_admin_of=frozenset({UUID(office["id"])}))
    given = {
        "providerId": provider["id"],
        "expectedVersion": provider["version"],
        "specialtyCodes": [FAMILY],
    }
    fields = "__typename ... on Provider { version } ... on Problem { code }"
    changed = await organization.do("changeProvider", "ChangeProviderInput", fields, given, admin)
    waiting = await organization.provider(provider["id"])
    decided = {
        "providerId": provider["id"],
        "expectedVersion": changed["version"],
        "reason": "Not so.",
    }
    await organization.do("rejectProvider", "RejectProviderInput", fields, decided)
    after = await organization.provider(provider["id"])

    assert waiting["pendingChange"] == {"specialtyCodes": [FAMILY]}
    assert {"APPROVE", "REJECT"} <= set(waiting["allowedActions"])
    assert (after["state"], after["pendingChange"]) == ("APPROVED", None)


# What is heard --------------------------------------------------------------------------------------------------------


async def test_a_fact_on_the_stream_reaches_the_directory(
    directory: Directory, organization: Organization
) -> None:
    """R23."""
    office, user = await organization.live_office(), await organization.user(confirmed=False)
    group = await organization.add_group(officeIds=[office["id"]], staffUserIds=[user])
    fact = identity_facts.UserInvited(user_id=user)
    confirmed = identity_facts.UserConfirmed(user_id=user)
    now = directory.running.parts.clock.now()
    for one in (fact, confirmed):
        event = directory.neighbours.event(one, organization.id, "user", UUID(user), now)
        await directory.neighbours.publish(event)

    async def state() -> str:
        data = await organization.ask(
            "query($id: ID!) { group(id: $id) { state } }", id=group["id"]
        )
        found: str = data["group"]["state"]
        return found

    assert await eventually(state, lambda found: found == "READY") == "READY"


async def test_participations_are_verified_and_ended_as_told(
    directory: Directory, organization: Organization
) -> None:
    row, today = uuid4(), directory.today()
    same = {
        "participation_id": str(row),
        "provider_id": str(uuid4()),
        "office_id": str(uuid4()),
        "plan_id": str(uuid4()),
        "effective_from": str(today),
    }
    for fact in (
        insurance_facts.ParticipationAdded(**same),
        insurance_facts.ParticipationVerified(participation_id=str(row), verified_on=str(today)),
        insurance_facts.ParticipationEnded(**same, effective_until=str(today + timedelta(days=9))),
    ):
        now = directory.running.parts.clock.now()
        await directory.neighbours.say(fact, organization.id, "participation", row, now)
    kept = await directory.running.sql.fetchrow(
        "SELECT verified_on, effective_until FROM participations_heard WHERE participation_id = $1",
        row,
    )

    assert tuple(kept or ()) == (today, today + timedelta(days=9))


async def test_the_sending_side_of_a_referral_says_nothing_about_answers(
    directory: Directory, organization: Organization
) -> None:
    referral = uuid4()
    state = referral_facts.ReferralState(referral_id=str(referral), side="SENDING", hop=1)
    now = directory.running.parts.clock.now()
    for fact in (
        referral_facts.ReferralSent(referral=state),
        referral_facts.ReferralDeclined(referral=state),
    ):
        await directory.neighbours.say(fact, organization.id, "referral", referral, now)
    kept = await directory.running.sql.fetchval(
        "SELECT count(*) FROM answers_heard WHERE referral_id = $1", referral
    )

    assert kept == 0


# What the network sees ------------------------------------------------------------------------------------------------


async def test_the_network_sees_where_a_provider_sees_patients_and_nothing_else(
    organization: Organization, other: Organization
) -> None:
    provider = await organization.approved()
    live = await organization.live_office(provider)
    planned = await organization.add_office(providerIds=[provider["id"]])
    query = """query($provider: ID!, $live: ID!, $planned: ID!) {
        provider(id: $provider) { name organization { id } placements { state office { id } } groups { id } }
        office(id: $live) { readiness { ready } shortLeadTimeReason address { city }
            coordinates { latitude } groups { id } organization { id } allowedActions
            placements(first: 1) { edges { node { provider { id } allowedActions } } } }
        hidden: office(id: $planned) { id } }"""
    variables = {"provider": provider["id"], "live": live["id"], "planned": planned["id"]}
    own, seen = await organization.ask(query, **variables), await other.ask(query, **variables)

    assert len(own["provider"]["placements"]) == 2
    assert own["office"]["shortLeadTimeReason"] == "Opens today."
    assert seen["provider"]["placements"] == [{"state": "ACTIVE", "office": {"id": live["id"]}}]
    assert seen["office"]["readiness"] is None
    assert seen["office"]["shortLeadTimeReason"] is None
    assert seen["office"]["placements"]["edges"][0]["node"] == {
        "provider": {"id": provider["id"]},
        "allowedActions": [],
    }
    assert seen["hidden"] is None


async def test_lists_of_an_organization_are_for_its_users(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    """R02."""
    office = await organization.live_office()
    group = await organization.add_group(officeIds=[office["id"]], maySend=True)
    query = """query($them: [_Any!]!) { _entities(representations: $them) { ... on Organization {
        offices { edges { node { id } } } groups { edges { node { id allowedActions } } } } } }"""

    def them() -> dict[str, Any]:
        return {"them": [{"__typename": "Organization", "id": str(organization.id)}]}

    own = (await organization.ask(query, **them()))["_entities"][0]
    foreign = await directory.running.gql(query, them(), viewer=other.admin)
    listed = await organization.ask("{ groups { edges { node { id } } } specialties { code } }")

    assert [edge["node"]["id"] for edge in own["offices"]["edges"]] == [office["id"]]
    assert [edge["node"]["id"] for edge in own["groups"]["edges"]] == [group["id"]]
    assert [edge["node"]["id"] for edge in listed["groups"]["edges"]] == [group["id"]]
    assert len(listed["specialties"]) == 6
    assert foreign["errors"][0]["extensions"]["code"] == "NOT_FOUND"
