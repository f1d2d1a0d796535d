"""Who is in a group and who works for it, kept true when providers leave and users come and go (R23)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from kit.db import Connection
from proto.directory.v1 import events_pb2 as facts
from services.directory import store
from services.directory.actions import telling
from services.directory.actions.peers import Call, KnownUser
from services.directory.domain.groups import group_state, without_override
from services.directory.domain.nouns import (
    Group,
    GroupState,
    OrganizationId,
    ProviderId,
    UserId,
)


async def as_heard(
    tx: Connection, organization_id: OrganizationId, users: Mapping[UUID, KnownUser]
) -> dict[UUID, KnownUser]:
    """These users as identity answered, and as it has told since: whoever confirms or goes in between is not missed, since that is
    heard before this, or once this is committed. Ask before any group is locked (R23)."""
    told = await store.heard.users_held(tx, organization_id, users)
    found = dict(users)
    for one in told.values():
        known = users[one.user_id]
        found[one.user_id] = replace(
            known,
            confirmed=known.confirmed or one.confirmed,
            active=known.active and one.active,
        )
    return found


async def groups_of_provider(
    tx: Connection, organization_id: OrganizationId, provider_id: UUID
) -> list[Group]:
    """The groups of which the provider is a member, locked in one order; before the provider itself is locked."""
    ids = (await store.groups.of_providers(tx, [provider_id])).get(provider_id, [])
    found = [await store.groups.locked(tx, organization_id, one) for one in sorted(ids)]
    return [one for one in found if one is not None]


async def leave_groups(
    tx: Connection, call: Call, groups: Iterable[Group], provider_id: ProviderId
) -> None:
    """Take the provider out of these locked groups; removed groups keep their history."""
    for group in groups:
        if group.state is not GroupState.REMOVED:
            left = tuple(one for one in group.provider_ids if one != provider_id)
            await store.groups.keep_members(tx, group, left)
            await settle(tx, call, group)


async def replace_member(
    tx: Connection,
    call: Call,
    groups: Iterable[Group],
    provider_id: ProviderId,
    by: ProviderId,
) -> None:
    """Put another provider in the place of this one in these locked groups; removed groups keep their history."""
    for group in groups:
        if group.state is not GroupState.REMOVED:
            others = {one for one in group.provider_ids if one != provider_id} | {by}
            await store.groups.keep_members(tx, group, sorted(others))
            await settle(tx, call, group)


async def settle(tx: Connection, call: Call, group: Group) -> Group:
    """After members or staff changed: the group's state by its confirmed staff, and the whole truth about it told. Once somebody
    who has confirmed works for it, it needs support's override no longer (R25)."""
    stands = await store.groups.locked(tx, group.organization_id, group.id)
    if stands is None:
        raise LookupError("a locked group is gone")
    if stands.overridden_at is not None and stands.confirmed_staff:
        stands = without_override(stands)
        fact = facts.GroupOverrideEnded(group_id=str(group.id), because="STAFFED")
        await telling.of_group(tx, call, stands, fact)
    state = group_state(stands, stands.confirmed_staff)
    now = call.clock.now()
    ready_at = stands.ready_at or (now if state is GroupState.READY else None)
    after = replace(stands, state=state, ready_at=ready_at)
    await store.groups.save(tx, after, now)
    await telling.of_group(tx, call, after, telling.staffed(after))
    return after


async def staff_confirmed(
    tx: Connection, call: Call, organization_id: OrganizationId, user_id: UserId
) -> None:
    """The user has confirmed the account: groups that waited for it are ready (R23)."""
    groups = await store.groups.of_staff(tx, organization_id, user_id)
    await store.groups.confirm_staff(tx, user_id, groups)
    await _settle_all(tx, call, organization_id, groups)


async def staff_gone(
    tx: Connection, call: Call, organization_id: OrganizationId, user_id: UserId
) -> None:
    """The user works for no group of the organization any more; a group without confirmed staff is incomplete (R07, R23)."""
    groups = await store.groups.of_staff(tx, organization_id, user_id)
    await store.groups.drop_staff(tx, user_id, groups)
    await _settle_all(tx, call, organization_id, groups)


async def _settle_all(
    tx: Connection, call: Call, organization_id: OrganizationId, groups: Iterable[UUID]
) -> None:
    for group_id in groups:
        group = await store.groups.locked(tx, organization_id, group_id)
        if group is not None:
            await settle(tx, call, group)
