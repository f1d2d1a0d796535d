"""What directory tells identity about people: whose record a provider's is, and which groups would miss a user."""

from __future__ import annotations

from uuid import uuid4

from proto.directory.v1.directory_pb2 import ProvidersRequest, UserGroupsRequest
from proto.identity.v1 import events_pb2 as identity_facts
from tests.service.directory.world import Directory, Organization


async def test_identity_is_told_which_providers_an_organization_has(
    directory: Directory, organization: Organization, other: Organization
) -> None:
    """R08: only a provider of the organization can be linked to one of its users."""
    own = await organization.approved()
    foreign = await other.approved()

    reply = await directory.askers["identity"].ask(
        directory.stub.Providers,
        ProvidersRequest(
            organization_id=str(organization.id),
            provider_ids=[own["id"], foreign["id"], str(uuid4())],
        ),
    )

    (told,) = reply.providers
    assert (told.provider_id, told.state) == (own["id"], "APPROVED")
    assert told.name == own["name"]


async def test_identity_is_told_which_groups_would_miss_a_user(
    directory: Directory, organization: Organization
) -> None:
    """R07: a group member is listed in the preview of the deactivation."""
    provider = await organization.approved()
    office = await organization.add_office(groupOnly=True)
    await organization.place(provider, office)
    leaver, other = await organization.user(), await organization.user()
    for name, staff in (("Alone", [leaver]), ("Together", [leaver, other]), ("Others", [other])):
        group = await organization.add_group(
            name=name, officeIds=[office["id"]], providerIds=[provider["id"]], staffUserIds=staff
        )
        assert group["__typename"] == "Group", group

    async def told(organization_id: object) -> list[tuple[str, int]]:
        request = UserGroupsRequest(organization_id=str(organization_id), user_id=str(leaver))
        reply = await directory.askers["identity"].ask(directory.stub.UserGroups, request)
        return [(one.name, one.others) for one in reply.groups]

    assert await told(organization.id) == [("Alone", 0), ("Together", 1)]
    assert await told(uuid4()) == []


async def test_staff_who_confirm_or_go_while_they_are_added_are_not_missed(
    organization: Organization,
) -> None:
    """R23: identity had answered before, and told of it since."""
    office = await organization.live_office()
    confirms, goes = await organization.user(confirmed=False), await organization.user()
    await organization.hear(identity_facts.UserConfirmed(user_id=confirms), confirms)
    await organization.hear(identity_facts.UserDeactivated(user_id=goes), goes)
    ready = await organization.add_group(officeIds=[office["id"]], staffUserIds=[confirms])
    refused = await organization.add_group(officeIds=[office["id"]], staffUserIds=[goes])

    assert ready["state"] == "READY"
    assert [(one["id"], one["code"]) for one in refused["items"]] == [(goes, "USER_INACTIVE")]
