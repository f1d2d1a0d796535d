"""What referrals hears: who left, who works for a group, whose referrals are no longer an organization's."""

from uuid import UUID

from google.protobuf.message import Message

from kit.db import Connection
from kit.inbox import Handler, Heard, Hearing
from kit.service import Parts
from kit.workplace import workplace
from proto.directory.v1.events_pb2 import (
    GroupRemoved,
    GroupStaffed,
    ProviderMerged,
    ProviderOffboardingStarted,
    ProviderOffboardingStopped,
    ProviderRemoved,
)
from proto.identity.v1.events_pb2 import (
    OrganizationAdded,
    RoleRevoked,
    SessionsRevoked,
    UserDeactivated,
)
from services.referrals.actions import cases, leaving
from services.referrals.actions.peers import Peers
from services.referrals.domain import (
    CaseEnd,
    GroupId,
    OfficeId,
    OrganizationId,
    ProviderId,
    UserId,
)
from services.referrals.store import people


def hearings(parts: Parts[Peers]) -> list[Hearing]:
    """Everything that is heard, by aggregate."""
    return [
        Hearing("identity", "organization", {OrganizationAdded: _organization_added}),
        Hearing("identity", "user", _of_users(parts)),
        Hearing("directory", "provider", _of_providers(parts)),
        Hearing("directory", "group", {GroupStaffed: _group_staffed, GroupRemoved: _group_removed}),
    ]


def _of_users(parts: Parts[Peers]) -> dict[type[Message], Handler]:
    async def user_deactivated(tx: Connection, heard: Heard) -> None:
        """Claims go back to their queues, and whatever the user watches ends (R07)."""
        fact: UserDeactivated = heard.fact
        user_id = UserId(UUID(fact.user_id))
        organization_id = OrganizationId(heard.organization_id)
        await leaving.release_claims(tx, parts.call(), organization_id, user_id)
        await leaving.end_watching(tx, user_id)

    return {
        UserDeactivated: user_deactivated,
        RoleRevoked: _role_revoked,
        SessionsRevoked: _sessions_revoked,
    }


def _of_providers(parts: Parts[Peers]) -> dict[type[Message], Handler]:
    """Who starts to leave has a case, until the provider is kept or removed (R13)."""

    async def offboarding_started(tx: Connection, heard: Heard) -> None:
        await cases.open_case(tx, parts.call(), _provider(heard), heard.time)

    async def offboarding_stopped(tx: Connection, heard: Heard) -> None:
        await cases.close_case(tx, parts.call(), _provider(heard), CaseEnd.KEPT, heard.time)

    async def provider_removed(tx: Connection, heard: Heard) -> None:
        """R14, should directory's call after the removal have been lost."""
        await leaving.end_access(tx, *_provider(heard), heard.time)
        await cases.close_case(tx, parts.call(), _provider(heard), CaseEnd.REMOVED, heard.time)

    async def provider_merged(tx: Connection, heard: Heard) -> None:
        """Directory tells of a merger as of somebody who starts to leave; what the record had ended is read as long as the other
        one stays."""
        fact: ProviderMerged = heard.fact
        survivor_id = ProviderId(UUID(fact.survivor_id))
        await leaving.merge(tx, *_provider(heard), survivor_id, heard.time)
        await cases.close_case(tx, parts.call(), _provider(heard), CaseEnd.REMOVED, heard.time)

    return {
        ProviderMerged: provider_merged,
        ProviderOffboardingStarted: offboarding_started,
        ProviderOffboardingStopped: offboarding_stopped,
        ProviderRemoved: provider_removed,
    }


async def _organization_added(tx: Connection, heard: Heard) -> None:
    fact: OrganizationAdded = heard.fact
    organization_id = OrganizationId(heard.organization_id)
    await people.keep_time_zone(tx, organization_id, fact.time_zone)


async def _role_revoked(tx: Connection, heard: Heard) -> None:
    fact: RoleRevoked = heard.fact
    user_id = UserId(UUID(fact.user_id))
    if office := workplace(fact.role, fact.office_id):
        await leaving.end_watching(tx, user_id, office_id=OfficeId(office))
    if fact.provider_id:
        await leaving.end_watching(tx, user_id, provider_id=ProviderId(UUID(fact.provider_id)))


async def _sessions_revoked(tx: Connection, heard: Heard) -> None:
    fact: SessionsRevoked = heard.fact
    session_id = UUID(fact.session_id) if fact.session_id else None
    await leaving.end_watching(tx, UserId(UUID(fact.user_id)), session_id=session_id)


def _provider(heard: Heard) -> tuple[OrganizationId, ProviderId]:
    """Of which organization, and whom the fact is about."""
    fact: (
        ProviderMerged | ProviderOffboardingStarted | ProviderOffboardingStopped | ProviderRemoved
    ) = heard.fact
    return OrganizationId(heard.organization_id), ProviderId(UUID(fact.provider_id))


async def _group_staffed(tx: Connection, heard: Heard) -> None:
    fact: GroupStaffed = heard.fact
    await leaving.staff_group(
        tx,
        OrganizationId(heard.organization_id),
        GroupId(UUID(fact.group_id)),
        [UUID(one) for one in fact.staff_user_ids],
        [UUID(one) for one in fact.provider_ids],
        heard.time,
    )


async def _group_removed(tx: Connection, heard: Heard) -> None:
    fact: GroupRemoved = heard.fact
    organization_id = OrganizationId(heard.organization_id)
    await leaving.staff_group(tx, organization_id, GroupId(UUID(fact.group_id)), [], [], heard.time)
