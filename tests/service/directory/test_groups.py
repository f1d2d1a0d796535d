"""Groups and their suggestions on real servers (R20-R24)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from kit.auth import Viewer
from proto.identity.v1 import events_pb2 as identity_facts
from services.directory import store
from services.directory.domain.nouns import OrganizationId
from tests.service.directory.world import (
    FAMILY,
    GROUP,
    IN_THE_WAY,
    ITEMS,
    Directory,
    Organization,
)


async def _three(organization: Organization) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    providers = [await organization.approved() for _ in range(3)]
    return providers, await organization.live_office(*providers)


async def _group(organization: Organization, group: dict[str, Any]) -> Any:  # noqa: ANN401
    query = """query($id: ID!) { group(id: $id) {
        id state version staff { id } providers { id } allowedActions } }"""
    return (await organization.ask(query, id=group["id"]))["group"]


async def _staff(
    organization: Organization, group: dict[str, Any], viewer: Viewer | None = None, **given: object
) -> dict[str, Any]:
    asked = {"groupId": group["id"], "expectedVersion": group["version"], **given}
    fields = GROUP + ITEMS + IN_THE_WAY
    return await organization.do("changeGroupStaff", "ChangeGroupInput", fields, asked, viewer)


async def _remove(organization: Organization, group: dict[str, Any]) -> dict[str, Any]:
    given = {"groupId": group["id"], "expectedVersion": group["version"]}
    return await organization.do("removeGroup", "RemoveGroupInput", GROUP + IN_THE_WAY, given)


async def test_three_who_share_a_classification_at_an_office_are_suggested_as_a_group(
    directory: Directory, organization: Organization
) -> None:
    """R20."""
    providers, office = await _three(organization)
    found = await organization.suggestions(office["id"])

    assert [one["specialty"]["code"] for one in found] == ["207RC0000X"]
    assert {one["id"] for one in found[0]["providers"]} == {one["id"] for one in providers}
    assert found[0]["allowedActions"] == ["ADD_GROUP", "SNOOZE", "DISMISS"]
    assert await directory.facts(found[0]["id"]) == ["raised"]


async def test_two_are_not_enough_unless_the_organization_says_so(
    organization: Organization,
) -> None:
    """R20."""
    pair = [await organization.approved() for _ in range(2)]
    office = await organization.live_office(*pair)
    before = await organization.suggestions(office["id"])
    await organization.do(
        "changeDirectorySettings",
        "ChangeDirectorySettingsInput",
        "__typename",
        {"expectedVersion": 0, "suggestGroupsFrom": 2},
    )

    assert before == []
    assert len(await organization.suggestions(office["id"])) == 1


async def test_those_who_are_not_approved_do_not_count(organization: Organization) -> None:
    """R20."""
    approved = [await organization.approved() for _ in range(2)]
    draft = await organization.add_provider(submit=True)
    office = await organization.live_office(*approved, draft)
    before = await organization.suggestions(office["id"])
    await organization.versioned("approveProvider", draft)

    assert before == []
    assert len(await organization.suggestions(office["id"])) == 1


async def test_a_provider_at_two_offices_counts_at_both(organization: Organization) -> None:
    """R20."""
    both = await organization.approved()
    for _ in range(2):
        pair = [await organization.approved() for _ in range(2)]
        office = await organization.live_office(both, *pair)
        (found,) = await organization.suggestions(office["id"])

        assert {one["id"] for one in found["providers"]} == {one["id"] for one in [both, *pair]}


async def test_a_group_that_covers_the_suggestion_closes_it(
    directory: Directory, organization: Organization
) -> None:
    """R20."""
    providers, office = await _three(organization)
    raised = (await organization.suggestions(office["id"]))[0]
    await organization.add_group(
        officeIds=[office["id"]], providerIds=[one["id"] for one in providers]
    )

    assert await organization.suggestions(office["id"]) == []
    assert await directory.facts(raised["id"]) == ["raised", "closed"]


async def test_a_dismissed_suggestion_comes_back_only_for_other_providers(
    organization: Organization,
) -> None:
    """R20."""
    providers, office = await _three(organization)
    raised = (await organization.suggestions(office["id"]))[0]
    given = {"suggestionId": raised["id"], "expectedVersion": raised["version"]}
    fields = "... on GroupSuggestion { closedBecause } ... on Problem { code }"
    done = await organization.do("dismissSuggestion", "SuggestionVersionInput", fields, given)
    await organization.place(await organization.approved(specialtyCodes=[FAMILY]), office)
    same = await organization.suggestions(office["id"])
    await organization.place(await organization.approved(), office)
    other = await organization.suggestions(office["id"])

    assert done["closedBecause"] == "DISMISSED"
    assert same == []
    assert len(other[0]["providers"]) == len(providers) + 1


async def test_a_suggestion_that_is_no_longer_true_is_closed(organization: Organization) -> None:
    """R20."""
    providers, office = await _three(organization)
    await organization.end_placements(providers[0])

    assert await organization.suggestions(office["id"]) == []


async def test_reviews_at_once_raise_one_suggestion(organization: Organization) -> None:
    """R20."""
    approved = [await organization.approved() for _ in range(2)]
    office = await organization.live_office(*approved)
    late = [await organization.approved() for _ in range(4)]
    await asyncio.gather(*(organization.place(one, office) for one in late))
    found = await organization.suggestions(office["id"])

    assert [len(one["providers"]) for one in found] == [6]


async def test_a_group_is_incomplete_until_a_confirmed_user_works_for_it(
    directory: Directory, organization: Organization
) -> None:
    """R23."""
    _, office = await _three(organization)
    user = await organization.user(confirmed=False)
    group = await organization.add_group(officeIds=[office["id"]], staffUserIds=[user])
    now = directory.running.parts.clock.now()
    await directory.neighbours.say(
        identity_facts.UserConfirmed(user_id=user), organization.id, "user", UUID(user), now
    )
    ready = await _group(organization, group)

    assert (group["state"], ready["state"]) == ("INCOMPLETE", "READY")
    assert await directory.facts(group["id"]) == ["added", "staffed", "staffed"]


async def test_a_user_who_is_deactivated_leaves_the_group(
    directory: Directory, organization: Organization
) -> None:
    """R07, R23."""
    office, user = await organization.live_office(), await organization.user()
    group = await organization.add_group(officeIds=[office["id"]], staffUserIds=[user])
    now = directory.running.parts.clock.now()
    await directory.neighbours.say(
        identity_facts.UserDeactivated(user_id=user), organization.id, "user", UUID(user), now
    )
    after = await _group(organization, group)

    assert group["state"] == "READY"
    assert (after["state"], after["staff"]) == ("INCOMPLETE", [])


async def test_members_and_staff_that_cannot_be_are_named_one_by_one(
    organization: Organization, other: Organization
) -> None:
    providers, office = await _three(organization)
    elsewhere, foreign = await organization.approved(), await other.approved()
    stranger, gone = await other.user(), await organization.user(active=False)
    refused = await organization.add_group(
        officeIds=[office["id"]],
        providerIds=[providers[0]["id"], elsewhere["id"], foreign["id"]],
        staffUserIds=[stranger, gone],
    )

    assert [(one["id"], one["field"], one["code"]) for one in refused["items"]] == [
        (elsewhere["id"], "providerIds", "NOT_AT_OFFICE"),
        (foreign["id"], "providerIds", "NOT_FOUND"),
        (stranger, "staffUserIds", "NOT_FOUND"),
        (gone, "staffUserIds", "USER_INACTIVE"),
    ]


async def test_a_group_without_purpose_is_refused(organization: Organization) -> None:
    office = await organization.live_office()
    refused = await organization.add_group(officeIds=[office["id"]], mayReceive=False)

    assert refused["code"] == "GROUP_WITHOUT_PURPOSE"


async def test_an_office_admin_staffs_groups_of_own_offices_only(
    organization: Organization,
) -> None:
    """R23."""
    office, user = await organization.live_office(), await organization.user()
    group = await organization.add_group(officeIds=[office["id"]])
    own = organization.somebody(office_admin_of=frozenset({UUID(office["id"])}))
    foreign = organization.somebody(office_admin_of=frozenset({uuid4()}))
    refused = await _staff(organization, group, foreign, add=[user])
    staffed = await _staff(organization, group, own, add=[user])

    assert refused["code"] == "FORBIDDEN"
    assert staffed["state"] == "READY"


async def test_the_last_confirmed_user_stays_while_referrals_are_open(
    directory: Directory, organization: Organization
) -> None:
    """R23."""
    office, user = await organization.live_office(), await organization.user()
    group = await organization.add_group(officeIds=[office["id"]], staffUserIds=[user])
    directory.referrals.leave_open(group["id"], office["id"])
    refused = await _staff(organization, group, remove=[user])
    directory.referrals.work.clear()
    emptied = await _staff(organization, group, remove=[user])

    assert (refused["code"], refused["total"]) == ("OPEN_REFERRALS", 1)
    assert emptied["state"] == "INCOMPLETE"


async def test_flags_change_and_are_told(directory: Directory, organization: Organization) -> None:
    """R22."""
    office = await organization.live_office()
    group = await organization.add_group(officeIds=[office["id"]])
    given = {"groupId": group["id"], "expectedVersion": group["version"]}
    changed = await organization.do(
        "changeGroupFlags",
        "ChangeGroupFlagsInput",
        "... on Group { maySend mayReceive } ... on Problem { code }",
        given | {"maySend": True, "mayReceive": False},
    )

    assert changed == {"maySend": True, "mayReceive": False}
    assert (await directory.facts(group["id"]))[-1] == "flags_changed"


@pytest.mark.parametrize("away", [False, True])
async def test_a_group_with_open_referrals_stays(
    directory: Directory, organization: Organization, *, away: bool
) -> None:
    """R24."""
    office, user = await organization.live_office(), await organization.user()
    group = await organization.add_group(officeIds=[office["id"]], staffUserIds=[user])
    directory.referrals.leave_open(group["id"], office["id"])
    directory.referrals.fenceless = away
    refused = await _remove(organization, group)
    directory.referrals.fenceless = False
    after = await _group(organization, group)

    assert refused["code"] == ("UNAVAILABLE" if away else "OPEN_REFERRALS")
    assert after["state"] == ("REMOVING" if away else "READY")
    assert group["id"] not in directory.referrals.fences


async def test_a_group_without_open_referrals_is_removed_and_keeps_its_name(
    organization: Organization, other: Organization
) -> None:
    """R24."""
    office, user = await organization.live_office(), await organization.user()
    group = await organization.add_group(officeIds=[office["id"]], staffUserIds=[user])
    removed = await _remove(organization, group)
    again = await organization.add_group(officeIds=[office["id"]], name=group["name"])
    seen = await other.ask(
        "query($id: ID!) { group(id: $id) { name staff { id } } }", id=group["id"]
    )

    assert removed["state"] == "REMOVED"
    assert again["__typename"] == "Group"
    assert seen["group"] == {"name": group["name"], "staff": []}


async def test_a_group_of_another_organization_is_unknown_until_it_was_ready(
    organization: Organization, other: Organization
) -> None:
    office = await organization.live_office()
    group = await organization.add_group(officeIds=[office["id"]])
    seen = await other.ask("query($id: ID!) { group(id: $id) { name } }", id=group["id"])

    assert seen["group"] is None


async def test_two_groups_of_one_name_are_not_made_at_once(organization: Organization) -> None:
    office = await organization.live_office()
    answers = await asyncio.gather(
        *(organization.add_group(officeIds=[office["id"]], name="Heart") for _ in range(4))
    )

    assert sorted(one["__typename"] for one in answers) == ["ConflictProblem"] * 3 + ["Group"]


async def test_a_dismissal_is_remembered_when_others_came_and_went(
    organization: Organization,
) -> None:
    """R20."""
    _, office = await _three(organization)
    raised = (await organization.suggestions(office["id"]))[0]
    given = {"suggestionId": raised["id"], "expectedVersion": raised["version"]}
    await organization.do("dismissSuggestion", "SuggestionVersionInput", "__typename", given)
    fourth = await organization.approved()
    await organization.place(fourth, office)
    with_fourth = await organization.suggestions(office["id"])
    await organization.end_placements(fourth)
    without = await organization.suggestions(office["id"])

    assert len(with_fourth[0]["providers"]) == 4
    assert without == []


async def test_a_group_with_drafts_stops_sending_only_when_that_is_acknowledged(
    directory: Directory, organization: Organization
) -> None:
    """R22."""
    office = await organization.live_office()
    group = await organization.add_group(officeIds=[office["id"]], maySend=True)
    draft = directory.referrals.leave_open(group["id"], office["id"], side="SENDING")
    directory.referrals.work[group["id"]][0].status = "DRAFT"
    given = {"groupId": group["id"], "expectedVersion": group["version"]}
    given |= {"maySend": False, "mayReceive": True}
    fields = "__typename ... on Group { maySend } ... on DraftsOpenProblem { code referralIds }"

    async def change(**more: object) -> dict[str, Any]:
        return await organization.do(
            "changeGroupFlags", "ChangeGroupFlagsInput", fields, given | more
        )

    refused = await change()
    assert refused["referralIds"] == [draft]
    assert (await change(acknowledgeDrafts=True))["maySend"] is False


async def test_a_group_that_was_ready_once_is_found_by_nobody_else(
    organization: Organization, other: Organization
) -> None:
    """R23: it keeps a name for whoever has its id, and is in no list."""
    provider = await organization.approved()
    office, user = await organization.live_office(provider), await organization.user()
    group = await organization.add_group(
        officeIds=[office["id"]], providerIds=[provider["id"]], staffUserIds=[user]
    )
    query = """query($office: ID!, $provider: ID!, $group: ID!) { group(id: $group) { name }
        office(id: $office) { groups { id } } provider(id: $provider) { groups { id } } }"""
    about = {"office": office["id"], "provider": provider["id"], "group": group["id"]}
    ready = await other.ask(query, **about)
    await organization.hear(identity_facts.UserDeactivated(user_id=user), user)
    gone = await other.ask(query, **about)
    own = await organization.ask(query, **about)

    assert ready["office"]["groups"] == ready["provider"]["groups"] == [{"id": group["id"]}]
    assert gone["office"]["groups"] == gone["provider"]["groups"] == []
    assert gone["group"] == {"name": group["name"]}
    assert own["office"]["groups"] == [{"id": group["id"]}]


async def test_a_group_is_added_while_news_ready_its_offices_in_the_other_order(
    directory: Directory, organization: Organization
) -> None:
    """R16, R23: nobody waits for one who waits for them."""
    offices = sorted([(await organization.add_office())["id"] for _ in range(2)])
    first, second = [UUID(one) for one in offices]
    owner = OrganizationId(organization.id)
    async with directory.running.parts.db.everywhere().transaction() as tx:
        await store.offices.locked_waiting(tx, owner, [second])
        group = await asyncio.wait_for(organization.add_group(officeIds=offices), timeout=10)
        await store.offices.locked_waiting(tx, owner, [first])

    assert group["__typename"] == "Group"
