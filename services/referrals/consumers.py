"""What referrals hears: who left, who works for a group, whose referrals are no longer an organization's."""

from uuid import UUID

from kit.db import Connection
from kit.inbox import Heard, Hearing
from kit.service import Parts
from proto.directory.v1.events_pb2 import GroupRemoved, GroupStaffed, ProviderRemoved
from proto.identity.v1.events_pb2 import (
    OrganizationAdded,
    RoleRevoked,
    SessionsRevoked,
    UserDeactivated,
)
from services.referrals.actions import leaving
from services.referrals.actions.peers import Peers
from services.referrals.domain import GroupId, OfficeId, OrganizationId, ProviderId, UserId
from services.referrals.store import people


def hearings(parts: Parts[Peers]) -> list[Hearing]:
    """Everything that is heard, by aggregate."""

    async def user_deactivated(tx: Connection, heard: Heard) -> None:
        """Claims go back to their queues, and whatever the user watches ends (R07)."""
        fact: UserDeactivated = heard.fact
        user_id = UserId(UUID(fact.user_id))
        organization_id = OrganizationId(heard.organization_id)
        await leaving.release_claims(tx, parts.call(), organization_id, user_id)
        await leaving.end_watching(tx, user_id)

    return [
        Hearing("identity", "organization", {OrganizationAdded: _organization_added}),
        Hearing(
            "identity",
            "user",
            {
                UserDeactivated: user_deactivated,
                RoleRevoked: _role_revoked,
                SessionsRevoked: _sessions_revoked,
            },
        ),
        Hearing("directory", "provider", {ProviderRemoved: _provider_removed}),
        Hearing("directory", "group", {GroupStaffed: _group_staffed, GroupRemoved: _group_removed}),
    ]


async def _organization_added(tx: Connection, heard: Heard) -> None:
    fact: OrganizationAdded = heard.fact
    organization_id = OrganizationId(heard.organization_id)
    await people.keep_time_zone(tx, organization_id, fact.time_zone)


async def _role_revoked(tx: Connection, heard: Heard) -> None:
    fact: RoleRevoked = heard.fact
    if fact.office_id:
        office_id = OfficeId(UUID(fact.office_id))
        await leaving.end_watching(tx, UserId(UUID(fact.user_id)), office_id=office_id)


async def _sessions_revoked(tx: Connection, heard: Heard) -> None:
    fact: SessionsRevoked = heard.fact
    session_id = UUID(fact.session_id) if fact.session_id else None
    await leaving.end_watching(tx, UserId(UUID(fact.user_id)), session_id=session_id)


async def _provider_removed(tx: Connection, heard: Heard) -> None:
    """R14, should directory's call after the removal have been lost."""
    fact: ProviderRemoved = heard.fact
    organization_id = OrganizationId(heard.organization_id)
    await leaving.end_access(tx, organization_id, ProviderId(UUID(fact.provider_id)), heard.time)


async def _group_staffed(tx: Connection, heard: Heard) -> None:
    fact: GroupStaffed = heard.fact
    await leaving.staff_group(
        tx,
        OrganizationId(heard.organization_id),
        GroupId(UUID(fact.group_id)),
        [UUID(one) for one in fact.staff_user_ids],
        [UUID(one) for one in fact.provider_ids],
    )


async def _group_removed(tx: Connection, heard: Heard) -> None:
    fact: GroupRemoved = heard.fact
    organization_id = OrganizationId(heard.organization_id)
    await leaving.staff_group(tx, organization_id, GroupId(UUID(fact.group_id)), [], [])
