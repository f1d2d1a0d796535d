"""Verbs of groups: add, change flags, members and staff (R20-R23)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from kit.db import Connection
from kit.errors import Conflict, Invalid, Refusal
from kit.idempotency import once
from kit.ids import new_id
from proto.directory.v1 import events_pb2 as facts
from services.directory import policy, store
from services.directory.actions import (
    finding,
    group_removal,
    items,
    members,
    peers,
    suggestions,
    telling,
)
from services.directory.actions import placements as placing
from services.directory.actions.peers import Call, KnownUser
from services.directory.domain import fences, places
from services.directory.domain.fences import OpenReferral, OpenWork
from services.directory.domain.nouns import (
    Group,
    GroupId,
    GroupState,
    Office,
    OfficeId,
    OrganizationId,
    Provider,
    ProviderId,
    UserId,
    require_version,
)

MOST_OFFICES, MOST_MEMBERS, MOST_STAFF = 50, 200, 200


@dataclass(frozen=True, slots=True)
class NewGroup:
    """A group as it is asked for."""

    name: str
    office_ids: tuple[UUID, ...]
    provider_ids: tuple[UUID, ...]
    staff_user_ids: tuple[UUID, ...]
    may_send: bool
    may_receive: bool


@dataclass(frozen=True, slots=True)
class Flags:
    """What a group does."""

    may_send: bool
    may_receive: bool


async def add_group(call: Call, wanted: NewGroup, *, key: str) -> Group:
    """Add a group with its offices, members and staff, all or nothing. INCOMPLETE until a confirmed staff is in it (R23)."""
    organization_id = policy.acting(call.viewer)
    policy.permit_client_admin(call.viewer, organization_id)
    _require_purpose(may_send=wanted.may_send, may_receive=wanted.may_receive)
    users = await call.peers.identity.users(organization_id, wanted.staff_user_ids)
    async with call.db.transaction() as tx:

        async def make() -> UUID:
            heard = await members.as_heard(tx, organization_id, users)
            group = await _added(tx, call, organization_id, wanted)
            await _fill(tx, call, group, wanted, heard)
            return group.id

        made = await once(
            tx,
            call.viewer,
            key=key,
            request=("addGroup", wanted),
            at=call.clock.now(),
            make=make,
        )
        group = (await store.groups.by_ids(tx, [made]))[made]
    await suggestions.review(call, organization_id, group.office_ids)
    return group


def _require_purpose(*, may_send: bool, may_receive: bool) -> None:
    if not (may_send or may_receive):
        raise Invalid(
            "A group sends, or receives, or both.",
            code="GROUP_WITHOUT_PURPOSE",
            field="mayReceive",
            remedy="Set maySend or mayReceive.",
        )


async def _added(
    tx: Connection, call: Call, organization_id: OrganizationId, wanted: NewGroup
) -> Group:
    if not 1 <= len(wanted.office_ids) <= MOST_OFFICES:
        raise Invalid(f"A group is at 1 to {MOST_OFFICES} offices.", field="officeIds")
    group = Group(
        id=GroupId(new_id()),
        organization_id=organization_id,
        name=places.clean_name(wanted.name),
        state=GroupState.INCOMPLETE,
        may_send=wanted.may_send,
        may_receive=wanted.may_receive,
        office_ids=tuple(OfficeId(one) for one in wanted.office_ids),
        provider_ids=(),
        staff_user_ids=(),
        confirmed_staff=0,
        ready_at=None,
        fence=None,
        version=1,
    )
    await _require_free_name(tx, group)
    offices = await store.offices.shared(tx, organization_id, group.office_ids)
    items.require_none(items.check(group.office_ids, offices, "officeIds", _office_hindrance))
    await store.groups.add(tx, group, policy.acting_user(call.viewer), call.clock.now())
    await telling.of_group(tx, call, group, _added_fact(group))
    return group


async def _require_free_name(tx: Connection, group: Group) -> None:
    await store.catalogue.hold(tx, group.organization_id, f"group {group.name.lower()}")
    if await store.groups.with_name(tx, group.organization_id, group.name):
        raise Conflict(
            "Your organization has a group of this name.",
            code="NAME_TAKEN",
            field="name",
            remedy="Choose another name, or use that group.",
        )


def _added_fact(group: Group) -> facts.GroupAdded:
    return facts.GroupAdded(
        group_id=str(group.id),
        name=group.name,
        office_ids=[str(one) for one in group.office_ids],
        may_send=group.may_send,
        may_receive=group.may_receive,
    )


def _office_hindrance(office: Office) -> Refusal | None:
    try:
        placing.require_open(office)
    except Refusal as refusal:
        return refusal
    return None


async def _fill(
    tx: Connection, call: Call, group: Group, wanted: NewGroup, users: dict[UUID, KnownUser]
) -> None:
    refused = await _refused_members(tx, call, group, wanted.provider_ids)
    refused += items.check(wanted.staff_user_ids, users, "staffUserIds", _user_hindrance)
    items.require_none(refused)
    await store.groups.keep_members(tx, group, [ProviderId(one) for one in wanted.provider_ids])
    staff = {UserId(one): users[one].confirmed for one in wanted.staff_user_ids}
    await store.groups.keep_staff(tx, group.id, staff)
    await members.settle(tx, call, group)


async def _refused_members(
    tx: Connection, call: Call, group: Group, ids: Sequence[UUID]
) -> list[items.RefusedItem]:
    """A member is one of the organization's providers, is not leaving, and works at one of the group's offices."""
    _require_few_members(ids)
    found = await store.providers.locked_all(tx, group.organization_id, ids)
    now, at_office = call.clock.now(), set[UUID]()
    for office_id in group.office_ids:
        rows = await store.placements.remaining_at_office(tx, group.organization_id, office_id, now)
        at_office |= {row.provider_id for row in rows}

    def hindrance(provider: Provider) -> Refusal | None:
        if provider.id not in at_office:
            return Conflict("Works at none of the group's offices.", code="NOT_AT_OFFICE")
        return placing.hindrance(provider)

    return items.check(ids, found, "providerIds", hindrance)


def _require_few_members(ids: Collection[UUID]) -> None:
    if len(ids) > MOST_MEMBERS:
        raise Invalid(f"A group has at most {MOST_MEMBERS} members.", field="providerIds")


def _user_hindrance(user: KnownUser) -> Refusal | None:
    return None if user.active else Conflict("The user is deactivated.", code="USER_INACTIVE")


async def change_group_flags(
    call: Call, group_id: UUID, seen: int, flags: Flags, *, acknowledge_drafts: bool
) -> Group:
    """Say whether the group sends and whether it receives (R21, R22).

    Refuses DRAFTS_OPEN when it is to send no longer and has drafts that then cannot be sent, until that is acknowledged.
    """
    _require_purpose(may_send=flags.may_send, may_receive=flags.may_receive)
    drafts: list[OpenReferral] = []
    if not (flags.may_send or acknowledge_drafts):
        organization_id = policy.acting(call.viewer)
        work = await call.peers.referrals.open_work(organization_id, peers.GROUP, group_id)
        drafts = [one for one in work.referrals if one.status == "DRAFT"]
    async with call.db.transaction() as tx:
        before = await finding.group(tx, call.viewer, group_id)
        policy.permit_client_admin(call.viewer, before.organization_id)
        require_changeable(before, seen)
        if before.may_send and drafts:
            raise fences.drafts_open(drafts)
        after = replace(before, may_send=flags.may_send, may_receive=flags.may_receive)
        await store.groups.save(tx, after, call.clock.now())
        fact = facts.GroupFlagsChanged(
            group_id=str(group_id), may_send=flags.may_send, may_receive=flags.may_receive
        )
        await telling.of_group(tx, call, after, fact)
    return await group_removal.read(call, group_id)


async def change_group_members(
    call: Call, group_id: UUID, seen: int, *, add: Sequence[UUID], remove: Iterable[UUID]
) -> Group:
    """Take providers out of the group and put others in; each that cannot be added is told (ITEMS_REFUSED)."""
    async with call.db.transaction() as tx:
        before = await finding.group(tx, call.viewer, group_id)
        policy.permit_office(call.viewer, before.organization_id, *before.office_ids)
        require_changeable(before, seen)
        items.require_none(await _refused_members(tx, call, before, add))
        kept = (set(before.provider_ids) - {ProviderId(one) for one in remove}) | set(add)
        _require_few_members(kept)
        await store.groups.keep_members(tx, before, [ProviderId(one) for one in sorted(kept)])
        await members.settle(tx, call, before)
    await suggestions.review(call, before.organization_id, before.office_ids)
    return await group_removal.read(call, group_id)


async def change_group_staff(
    call: Call, group_id: UUID, seen: int, *, add: Sequence[UUID], remove: Iterable[UUID]
) -> Group:
    """Let users work for the group, and others no longer (R23).

    The last confirmed one stays while the group has open referrals: refused with OPEN_REFERRALS.
    """
    organization_id, dropped = policy.acting(call.viewer), frozenset(remove)
    users = await call.peers.identity.users(organization_id, add)
    work = OpenWork(0)
    if dropped:
        work = await call.peers.referrals.open_work(organization_id, peers.GROUP, group_id)
    async with call.db.transaction() as tx:
        users = await members.as_heard(tx, organization_id, users)
        before = await finding.group(tx, call.viewer, group_id)
        policy.permit_office(call.viewer, before.organization_id, *before.office_ids)
        require_changeable(before, seen)
        items.require_none(items.check(add, users, "add", _user_hindrance))
        staff = await store.groups.staff(tx, before.id)
        staff = {user: known for user, known in staff.items() if user not in dropped}
        staff |= {UserId(one): users[one].confirmed for one in add}
        if len(staff) > MOST_STAFF:
            raise Invalid(f"A group has at most {MOST_STAFF} staff.", field="add")
        if before.confirmed_staff and not any(staff.values()) and work.total:
            raise fences.in_the_way(work)
        await store.groups.keep_staff(tx, before.id, staff)
        await members.settle(tx, call, before)
    return await group_removal.read(call, group_id)


def require_changeable(group: Group, seen: int) -> None:
    """STALE_VERSION for another version than was seen, GROUP_STATE for a group that is being removed or is gone."""
    require_version("group", seen, group.version)
    if group.state in {GroupState.REMOVING, GroupState.REMOVED}:
        raise Conflict(
            "The group is being removed."
            if group.state is GroupState.REMOVING
            else "The group is removed.",
            code="GROUP_STATE",
        )
