"""Support sets a group up against a rule of prudence: it takes part in referrals though nobody who has confirmed works for it (R25).

What keeps the directory true is never overridden: another organization's things, who was removed or leaves, offices that are not
live, members who do not work there, open referrals.
"""

from uuid import UUID

from kit import audit
from kit.db import Connection
from proto.directory.v1 import events_pb2 as facts
from services.directory import policy
from services.directory.actions import finding, group_removal, members, telling
from services.directory.actions.groups import require_changeable
from services.directory.actions.peers import Call
from services.directory.domain import groups, profiles
from services.directory.domain.nouns import Group
from services.directory.store import groups as store


async def override_staffing(
    call: Call, group_id: UUID, seen: int, why: str, request_id: UUID | None
) -> Group:
    """Let the group send and receive, as its flags say, before anybody who has confirmed works for it: the staff of its offices
    look after its referrals. It ends by itself once somebody does, or with `end_override`. Refuses NOTHING_TO_OVERRIDE."""
    policy.acting(call.viewer)
    async with call.db.transaction() as tx:
        before = await finding.group(tx, call.viewer, group_id)
        policy.permit_override(call.viewer, before.organization_id)
        reason = profiles.clean_reason(why)
        require_changeable(before, seen)
        groups.require_overridable(before)
        by, now = policy.acting_user(call.viewer), call.clock.now()
        after = groups.overridden(before, by, now, (reason, request_id))
        await store.save(tx, after, now)
        fact = facts.GroupOverridden(
            group_id=str(group_id),
            name=after.name,
            user_id=str(by),
            support_request_id=str(request_id) if request_id else "",
        )
        await telling.of_group(tx, call, after, fact, audited=True)
        await _note(tx, call, after, "group.overridden", reason)
        await members.settle(tx, call, after)
    return await group_removal.read(call, group_id)


async def end_override(call: Call, group_id: UUID, seen: int) -> Group:
    """Take the override back: the group is what its staff makes it, and what is open with it stays in its queue. Refuses
    NOT_OVERRIDDEN."""
    policy.acting(call.viewer)
    async with call.db.transaction() as tx:
        before = await finding.group(tx, call.viewer, group_id)
        policy.permit_client_admin(call.viewer, before.organization_id)
        require_changeable(before, seen)
        groups.require_overridden(before)
        after = groups.without_override(before)
        await store.save(tx, after, call.clock.now())
        fact = facts.GroupOverrideEnded(group_id=str(group_id), because="TAKEN_BACK")
        await telling.of_group(tx, call, after, fact)
        await members.settle(tx, call, after)
    return await group_removal.read(call, group_id)


async def _note(tx: Connection, call: Call, group: Group, act: str, reason: str) -> None:
    await audit.record(
        tx,
        call.viewer,
        act=act,
        kind="group",
        about=group.id,
        organization_id=group.organization_id,
        at=call.clock.now(),
        reason=reason,
    )
