"""What an organization may want besides: more of a profile, an owner of referrals, a suggestion later, figures (R06, R11, R18, R20)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from kit.auth import Kind, Viewer
from proto.identity.v1 import events_pb2 as identity_facts
from proto.insurance.v1 import events_pb2 as insurance_facts
from tests.service.directory.world import OFFICE, Directory, Organization

GAPS = "query($id: ID!) { provider(id: $id) { id version missing gaps } }"
OWNED = """query($id: ID!) { office(id: $id) { version referralOwner { id } roster { id }
    rosterAttestation { stands } warnings { code message } } }"""
SNOOZED = "query($id: ID!, $all: Boolean!) { groupSuggestions(officeId: $id, snoozed: $all) { edges { node { id version snoozedUntil } } } }"
SUGGESTION = "__typename ... on GroupSuggestion { id version snoozedUntil allowedActions } ... on Problem { code field }"
FIGURES = (
    "query($days: Int!) { affiliationFigures(days: $days)"
    " { withoutOffice approved placed medianHours longestHours } }"
)


async def _gaps(organization: Organization, provider: dict[str, Any]) -> Any:  # noqa: ANN401
    return (await organization.ask(GAPS, id=provider["id"]))["provider"]


async def _wants(organization: Organization, *needs: str) -> dict[str, Any]:
    version = (await organization.ask("{ directorySettings { version } }"))["directorySettings"]
    given = {"expectedVersion": version["version"], "approvalNeeds": list(needs)}
    fields = "... on DirectorySettings { approvalNeeds secondApprover }"
    return await organization.do(
        "changeDirectorySettings", "ChangeDirectorySettingsInput", fields, given
    )


async def _lists_a_plan(organization: Organization, provider: str, office: str) -> None:
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


async def test_what_a_profile_lacks_is_told_and_hinders_what_its_organization_says(
    organization: Organization,
) -> None:
    """R11: an NPI and a specialty always; a phone, an office and plans where they are wanted."""
    provider = await organization.add_provider(submit=True)
    free = await _gaps(organization, provider)
    wanted = await _wants(organization, "PLANS", "OFFICE", "PHONE")
    told = await _gaps(organization, provider)
    refused = await organization.versioned("approveProvider", provider)
    office = await organization.live_office()
    await organization.place(provider, office)
    await _lists_a_plan(organization, provider["id"], office["id"])
    given = {"providerId": provider["id"], "expectedVersion": 1, "phone": "617 555 0101"}
    await organization.do("changeProvider", "ChangeProviderInput", "__typename", given)
    whole = await _gaps(organization, provider)
    approved = await organization.versioned("approveProvider", whole)

    assert (free["missing"], free["gaps"]) == ([], ["phone", "offices", "plans"])
    assert wanted == {"approvalNeeds": ["OFFICE", "PHONE", "PLANS"], "secondApprover": False}
    assert told["missing"] == refused["missing"] == ["phone", "offices", "plans"]
    assert refused["code"] == "INCOMPLETE"
    assert (whole["missing"], whole["gaps"]) == ([], [])
    assert approved["state"] == "APPROVED"


async def _attest(
    organization: Organization, office: dict[str, Any], owner: str | None = None
) -> dict[str, Any]:
    seen = (await organization.ask(OWNED, id=office["id"]))["office"]
    given = {"officeId": office["id"], "expectedVersion": seen["version"]}
    given |= {"userIds": [one["id"] for one in seen["roster"]], "referralOwnerId": owner}
    return await organization.do("attestRoster", "AttestRosterInput", OFFICE, given)


async def test_somebody_of_the_roster_answers_for_an_office_s_referrals(
    organization: Organization, other: Organization
) -> None:
    """R18: named, or who was, or the first who has confirmed; and nobody who has not."""
    office = await organization.live_office()
    seen = (await organization.ask(OWNED, id=office["id"]))["office"]
    first = seen["referralOwner"]["id"]
    second = await organization.staff(office["id"])
    stays = (await organization.ask(OWNED, id=office["id"]))["office"]["referralOwner"]
    invited = await organization.user(confirmed=False)
    granted = identity_facts.RoleGranted(
        user_id=invited, role="OFFICE_STAFF", office_id=office["id"]
    )
    organization.directory.identity.works[invited] = {office["id"]}
    await organization.hear(granted, invited)
    unable = [await _attest(organization, office, one) for one in (invited, str(uuid4()))]
    named = await _attest(organization, office, second)
    after = (await organization.ask(OWNED, id=office["id"]))["office"]
    theirs = (await other.ask(OWNED, id=office["id"]))["office"]
    await organization.hear(identity_facts.UserDeactivated(user_id=second), second)
    gone = (await organization.ask(OWNED, id=office["id"]))["office"]

    assert [one["id"] for one in seen["roster"]] == [first]
    assert stays == {"id": first}
    assert {(one["code"], one["field"]) for one in unable} == {("OWNER_UNABLE", "referralOwnerId")}
    assert named["__typename"] == "Office"
    assert after["referralOwner"] == {"id": second}
    assert (theirs["referralOwner"], theirs["warnings"]) == (None, [])
    assert (gone["referralOwner"], gone["rosterAttestation"]) == (None, {"stands": False})


async def test_who_works_for_too_many_offices_is_warned_of(organization: Organization) -> None:
    """R18."""
    office = await organization.live_office()
    user = (await organization.ask(OWNED, id=office["id"]))["office"]["roster"][0]["id"]
    for number in range(5):
        more = await organization.add_office()
        before = (await organization.ask(OWNED, id=office["id"]))["office"]["warnings"]
        granted = identity_facts.RoleGranted(
            user_id=user, role="OFFICE_STAFF", office_id=more["id"]
        )
        await organization.hear(granted, user)
        assert before == [], number
    (warning,) = (await organization.ask(OWNED, id=office["id"]))["office"]["warnings"]

    assert warning["code"] == "STAFF_OVERLOADED"
    assert warning["message"] == "1 of its roster work for more than 5 offices."


async def _suggested(
    organization: Organization, office: dict[str, Any], *, snoozed: bool = False
) -> list[dict[str, Any]]:
    found = await organization.ask(SNOOZED, id=office["id"], all=snoozed)
    return [edge["node"] for edge in found["groupSuggestions"]["edges"]]


async def test_a_suggestion_that_is_put_off_is_back_on_its_day_or_with_other_providers(
    directory: Directory, organization: Organization
) -> None:
    """R20. Moves the clock."""
    office = await organization.live_office()
    for _ in range(3):
        await organization.place(await organization.approved(), office)
    (seen,) = await _suggested(organization, office)
    until = str(directory.today() + timedelta(days=7))

    async def snooze(day: str, of: dict[str, Any], viewer: Any = None) -> dict[str, Any]:  # noqa: ANN401
        given = {"suggestionId": of["id"], "expectedVersion": of["version"], "until": day}
        kind = "SnoozeSuggestionInput"
        return await organization.do("snoozeSuggestion", kind, SUGGESTION, given, viewer)

    own = organization.somebody(office_admin_of=frozenset({UUID(office["id"])}))
    denied = await snooze(until, seen, own)
    past = await snooze(str(directory.today()), seen)
    put_off = await snooze(until, seen)
    hidden = await _suggested(organization, office)
    kept = await _suggested(organization, office, snoozed=True)
    await directory.running.advance(timedelta(days=7))
    back = await _suggested(organization, office)
    again = await snooze(str(directory.today() + timedelta(days=30)), back[0])
    await organization.place(await organization.approved(), office)
    others = await _suggested(organization, office)

    assert (denied["code"], past["code"], past["field"]) == ("FORBIDDEN", "BAD_DAY", "until")
    assert put_off["snoozedUntil"] == until
    assert (hidden, len(kept), len(back)) == ([], 1, 1)
    assert again["__typename"] == "GroupSuggestion"
    assert [(one["id"], one["snoozedUntil"]) for one in others] == [(seen["id"], None)]
    assert "snoozed" in await directory.facts(seen["id"])


async def test_how_soon_providers_had_an_office_is_a_figure(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    """R06. Moves the clock."""
    empty = (await organization.ask(FIGURES, days=90))["affiliationFigures"]
    office = await organization.live_office()
    early = await organization.add_provider(submit=True)
    await organization.place(early, office)
    await organization.versioned("approveProvider", early)
    late, never = await organization.approved(), await organization.approved()
    await directory.running.advance(timedelta(hours=30))
    await organization.place(late, office)
    figures = (await organization.ask(FIGURES, days=90))["affiliationFigures"]
    gone = await organization.versioned("removeProvider", never)
    staff = organization.somebody(office_admin_of=frozenset({UUID(office["id"])}))
    denied = await directory.running.gql(FIGURES, {"days": 90}, viewer=staff)
    far = await directory.running.gql(FIGURES, {"days": 367}, viewer=organization.admin)
    theirs = (await other.ask(FIGURES, days=90))["affiliationFigures"]

    assert empty == theirs
    assert (empty["approved"], empty["placed"], empty["medianHours"]) == (0, 0, None)
    assert gone["state"] == "REMOVED"
    assert (figures["approved"], figures["placed"], figures["withoutOffice"]) == (3, 2, 1)
    assert round(figures["longestHours"]) == 30
    assert round(figures["medianHours"]) == 15
    assert denied["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "days must be" in far["errors"][0]["message"]


async def test_support_inside_an_organization_sets_up_a_group_and_it_is_written_down(
    directory: Directory, organization: Organization
) -> None:
    """R25: what nobody of the organization managed; why, and the mail to its client admins, are identity's (R25, break-glass)."""
    office = await organization.live_office()
    group = await organization.add_group(officeIds=[office["id"]])
    inside = organization.somebody(support=True, client_admin=True)
    given = {"groupId": group["id"], "expectedVersion": group["version"]}
    given |= {"maySend": True, "mayReceive": True}
    fields = "... on Group { maySend } ... on Problem { code }"
    outside = Viewer(kind=Kind.USER, user_id=uuid4(), support=True)
    verb, kind = "changeGroupFlags", "ChangeGroupFlagsInput"
    refused = await organization.do(verb, kind, fields, given, outside)
    changed = await organization.do(verb, kind, fields, given, inside)
    (row,) = await directory.running.sql.fetch(
        "SELECT user_id, support FROM audit_entries WHERE about = $1 AND act = 'group.flags_changed'",
        UUID(group["id"]),
    )

    assert refused["code"] == "FORBIDDEN"
    assert changed == {"maySend": True}
    assert (row["user_id"], row["support"]) == (inside.user_id, True)
