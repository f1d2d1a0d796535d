"""What identity hears: offices that close, providers that leave, what the call centre is told, its own facts about partners, and
whatever people are told of by mail."""

from dataclasses import replace
from uuid import UUID

from google.protobuf.message import Message

from kit.db import Connection
from kit.inbox import Handler, Heard, Hearing, from_here_on
from kit.service import Parts
from proto.directory.v1.events_pb2 import (
    ChangeFeedEscalated,
    ChangeFeedExtended,
    GroupAdded,
    GroupOverridden,
    GroupRemoved,
    GroupStaffed,
    OfficeClosed,
    OfficeReopened,
    ProviderMerged,
    ProviderRemoved,
)
from proto.identity.v1.events_pb2 import PartnerAdded, PartnerRemoved
from services.identity import actions, store
from services.identity.actions import Means
from services.identity.consumers.news import news_of_organizations
from services.identity.consumers.referrals import news_of_referrals
from services.identity.consumers.removals import news_of_removals
from services.identity.domain import OfficeId, OrganizationId, PartnerId
from services.identity.domain.notices import KnownGroup, is_news
from services.identity.domain.nouns import UserId
from services.identity.domain.roles import ProviderId
from services.identity.store import notices as rows


async def _office_closed(tx: Connection, heard: Heard) -> None:
    """Grants on a closed office lapse (R08)."""
    fact: OfficeClosed = heard.fact
    organization_id = OrganizationId(heard.organization_id)
    if await store.organization(tx, organization_id) is None:
        raise LookupError("an office of an organization nobody opened")
    await actions.lapse_grants(tx, organization_id, OfficeId(UUID(fact.office_id)), heard.time)


async def _office_reopened(tx: Connection, heard: Heard) -> None:
    """An office that is planned anew has staff again (R19)."""
    fact: OfficeReopened = heard.fact
    await actions.open_office(tx, _here(heard), OfficeId(UUID(fact.office_id)))


async def _provider_merged(tx: Connection, heard: Heard) -> None:
    """Whoever is the provider that went is the one that stays."""
    fact: ProviderMerged = heard.fact
    organization_id = OrganizationId(heard.organization_id)
    if await store.organization(tx, organization_id) is None:
        raise LookupError("a provider of an organization nobody opened")
    gone, stays = (ProviderId(UUID(one)) for one in (fact.provider_id, fact.survivor_id))
    await actions.follow_merge(tx, organization_id, gone, stays, heard.time)


async def _provider_removed(tx: Connection, heard: Heard) -> None:
    """Nobody is that provider any more."""
    fact: ProviderRemoved = heard.fact
    organization_id = OrganizationId(heard.organization_id)
    if await store.organization(tx, organization_id) is None:
        raise LookupError("a provider of an organization nobody opened")
    provider_id = ProviderId(UUID(fact.provider_id))
    await actions.lapse_provider(tx, organization_id, provider_id, heard.time)


async def _group_added(tx: Connection, heard: Heard) -> None:
    """Where a group is."""
    fact: GroupAdded = heard.fact
    offices = frozenset(map(UUID, fact.office_ids))
    await rows.keep_group(tx, _here(heard), replace(await _group(tx, heard), office_ids=offices))


async def _group_staffed(tx: Connection, heard: Heard) -> None:
    """Who works for a group."""
    fact: GroupStaffed = heard.fact
    staff = frozenset(UserId(UUID(one)) for one in fact.staff_user_ids)
    await rows.keep_group(tx, _here(heard), replace(await _group(tx, heard), staff=staff))


async def _group_removed(tx: Connection, heard: Heard) -> None:
    """Nobody works for it any more."""
    await rows.forget_group(tx, _here(heard), heard.aggregate_id)


async def _group(tx: Connection, heard: Heard) -> KnownGroup:
    if await store.organization(tx, _here(heard)) is None:
        raise LookupError("a group of an organization nobody opened")
    found = await rows.group(tx, _here(heard), heard.aggregate_id)
    return found or KnownGroup(heard.aggregate_id, frozenset(), frozenset())


def _here(heard: Heard) -> OrganizationId:
    return OrganizationId(heard.organization_id)


_GROUPS = Hearing(
    "directory",
    "group",
    {GroupAdded: _group_added, GroupStaffed: _group_staffed, GroupRemoved: _group_removed},
)
_OFFICES = Hearing(
    "directory", "office", {OfficeClosed: _office_closed, OfficeReopened: _office_reopened}
)
_MERGED: dict[type[Message], Handler] = {ProviderMerged: _provider_merged}


def hearings(parts: Parts[Means]) -> list[Hearing]:
    """The handlers, by service and aggregate. Most need no fact but their own: what is older than the stream is of no use to them. A
    group is known by all its facts."""
    by_themselves = [
        _OFFICES,
        news_of_removals(parts, _provider_removed, _MERGED),
        _change_feed(parts),
        _partners(parts),
        *news_of_referrals(parts),
        *news_of_organizations(parts),
    ]
    return [_groups(parts), *(one._replace(begin=from_here_on) for one in by_themselves)]


def _groups(parts: Parts[Means]) -> Hearing:
    async def overridden(tx: Connection, heard: Heard) -> None:
        """What support has set up against a rule is told to the client admins at once (R25)."""
        fact: GroupOverridden = heard.fact
        by = UserId(UUID(fact.user_id))
        if is_news(heard.time, parts.clock.now()):
            await actions.write_of_override(parts.call(), tx, _here(heard), fact.name, by)

    return _GROUPS._replace(handlers={**_GROUPS.handlers, GroupOverridden: overridden})


def _partners(parts: Parts[Means]) -> Hearing:
    async def changed(tx: Connection, heard: Heard) -> None:
        """The broker's consumer follows the row as it is now, so that a late fact cannot undo a later one."""
        organization_id = OrganizationId(heard.organization_id)
        partner = await store.partner(tx, organization_id, PartnerId(heard.aggregate_id))
        if partner is None:
            raise LookupError("a fact about a partner that never was")
        await actions.keep_consumer(parts.bus, partner)

    return Hearing("identity", "partner", {PartnerAdded: changed, PartnerRemoved: changed})


def _change_feed(parts: Parts[Means]) -> Hearing:
    async def extended(tx: Connection, heard: Heard) -> None:
        """The call centre's users are told within the minute (R10)."""
        fact: ChangeFeedExtended = heard.fact
        here = OrganizationId(heard.organization_id)
        await actions.write_to_call_centre(parts.call(), tx, here, fact.items)

    async def escalated(tx: Connection, heard: Heard) -> None:
        """Nobody has acknowledged it: the client admins are told, once (R10)."""
        fact: ChangeFeedEscalated = heard.fact
        here = OrganizationId(heard.organization_id)
        await actions.write_to_client_admins(parts.call(), tx, here, fact.items)

    return Hearing(
        "directory",
        "change_feed",
        {ChangeFeedExtended: extended, ChangeFeedEscalated: escalated},
    )
