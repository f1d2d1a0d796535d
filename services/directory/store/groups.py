"""Rows of groups, their offices, members and staff."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.directory.domain.nouns import (
    Group,
    GroupId,
    GroupState,
    OfficeId,
    OrganizationId,
    ProviderId,
    UserId,
)

_GROUP = """SELECT g.*,
    ARRAY(SELECT office_id FROM group_offices WHERE group_id = g.id ORDER BY office_id) AS office_ids,
    ARRAY(SELECT provider_id FROM group_providers WHERE group_id = g.id ORDER BY provider_id) AS provider_ids,
    ARRAY(SELECT user_id FROM group_staff WHERE group_id = g.id ORDER BY user_id) AS staff_user_ids,
    (SELECT count(*) FROM group_staff WHERE group_id = g.id AND confirmed)::integer AS confirmed_staff
    FROM groups g"""


_OWN = "g.organization_id = $1"
_OF_NETWORK = "$1::uuid IS NULL AND g.state = 'READY'"
"""As the index of the network's list has it."""


async def add(tx: Connection, group: Group, by: UserId, at: datetime) -> None:
    """Keep a new group with its offices. Raises the violation of groups_name when the organization has one of that name."""
    await db.run(
        tx,
        """INSERT INTO groups (id, organization_id, name, may_send, may_receive, added_by, added_at, unstaffed_since)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $7)""",
        group.id,
        group.organization_id,
        group.name,
        group.may_send,
        group.may_receive,
        by,
        at,
    )
    await db.run(
        tx,
        "INSERT INTO group_offices SELECT $1, $2, unnest($3::uuid[])",
        group.organization_id,
        group.id,
        list(group.office_ids),
    )


async def save(tx: Connection, group: Group, at: datetime) -> None:
    """Keep a changed group, which this transaction has locked, as its next version."""
    await db.run(
        tx,
        """UPDATE groups SET state = $3, may_send = $4, may_receive = $5, ready_at = $6, fence = $7,
            fence_at = CASE WHEN $7::fence_step IS NOT NULL THEN $8::timestamptz END, redistribution = $9,
            overridden_at = $10, overridden_by = $11, override_reason = $12, override_request = $13,
            unstaffed_since = CASE WHEN $3 = 'INCOMPLETE'::group_state OR $10::timestamptz IS NOT NULL
                THEN coalesce(unstaffed_since, $8) END,
            version = version + 1 WHERE organization_id = $1 AND id = $2""",
        group.organization_id,
        group.id,
        group.state,
        group.may_send,
        group.may_receive,
        group.ready_at,
        group.fence,
        at,
        [
            {name: str(value) for name, value in asdict(one).items() if value is not None}
            for one in group.redistribution
        ],
        group.overridden_at,
        group.overridden_by,
        group.override_reason,
        group.override_request,
    )


async def keep_members(tx: Connection, group: Group, providers: Iterable[ProviderId]) -> None:
    """Make these providers the members of the group."""
    await db.run(tx, "DELETE FROM group_providers WHERE group_id = $1", group.id)
    await db.run(
        tx,
        "INSERT INTO group_providers SELECT $1, $2, unnest($3::uuid[])",
        group.organization_id,
        group.id,
        list(providers),
    )


async def keep_staff(tx: Connection, group_id: GroupId, staff: Mapping[UserId, bool]) -> None:
    """Make these users the staff of the group; the value says whether the user is confirmed."""
    await db.run(tx, "DELETE FROM group_staff WHERE group_id = $1", group_id)
    await db.run(
        tx,
        "INSERT INTO group_staff SELECT $1, * FROM unnest($2::uuid[], $3::boolean[])",
        group_id,
        list(staff),
        list(staff.values()),
    )


async def staff(tx: Connection, group_id: GroupId) -> dict[UserId, bool]:
    """Who works for a locked group, and whether each is confirmed."""  # any-organization: the caller holds the group
    rows = await tx.fetch(
        "SELECT user_id, confirmed FROM group_staff WHERE group_id = $1 ORDER BY user_id", group_id
    )
    return {row["user_id"]: row["confirmed"] for row in rows}


async def with_name(tx: Connection, organization_id: OrganizationId, name: str) -> bool:
    """Whether the organization has a group of that name that is not removed."""
    found: bool = await db.value(
        tx,
        """SELECT EXISTS (SELECT FROM groups
            WHERE organization_id = $1 AND lower(name) = lower($2) AND state <> 'REMOVED')""",
        organization_id,
        name,
    )
    return found


async def confirm_staff(tx: Connection, user_id: UserId, groups: Iterable[GroupId]) -> None:
    """The user, who works for these groups, has confirmed the account."""  # any-organization: the caller holds the groups
    await db.run(
        tx,
        "UPDATE group_staff SET confirmed = true WHERE user_id = $1 AND group_id = ANY($2)",
        user_id,
        list(groups),
    )


async def drop_staff(tx: Connection, user_id: UserId, groups: Iterable[GroupId]) -> None:
    """The user no longer works for these groups."""
    await db.run(
        tx,
        "DELETE FROM group_staff WHERE user_id = $1 AND group_id = ANY($2)",
        user_id,
        list(groups),
    )


async def locked(tx: Connection, organization_id: OrganizationId, group_id: UUID) -> Group | None:
    """The group, locked until the transaction ends."""
    await db.run(
        tx,
        "SELECT FROM groups WHERE organization_id = $1 AND id = $2 FOR UPDATE",
        organization_id,
        group_id,
    )
    return await db.maybe(
        tx,
        Group,
        f"{_GROUP} WHERE g.organization_id = $1 AND g.id = $2",
        organization_id,
        group_id,
    )


async def of_staff(
    tx: Connection, organization_id: OrganizationId, user_id: UserId
) -> list[GroupId]:
    """The groups of the organization for which the user works, locked in one order."""
    rows = await tx.fetch(
        """SELECT id FROM groups WHERE organization_id = $1 AND state <> 'REMOVED'
            AND id IN (SELECT group_id FROM group_staff WHERE user_id = $2) ORDER BY id FOR UPDATE""",
        organization_id,
        user_id,
    )
    return [GroupId(row["id"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Staffed:
    """A group somebody works for, and how many others do."""

    id: GroupId
    name: str
    others: int


async def staffed_by(
    tx: Connection, organization_id: OrganizationId, user_id: UserId
) -> list[Staffed]:
    """The groups of the organization for which the user works, by name."""
    return await db.many(
        tx,
        Staffed,
        """SELECT g.id, g.name,
            (SELECT count(*) FROM group_staff o WHERE o.group_id = g.id AND o.user_id <> $2)::integer AS others
            FROM groups g JOIN group_staff s ON s.group_id = g.id AND s.user_id = $2
            WHERE g.organization_id = $1 AND g.state <> 'REMOVED' ORDER BY g.name, g.id""",
        organization_id,
        user_id,
    )


async def by_ids(tx: Connection, ids: Iterable[UUID]) -> dict[UUID, Group]:
    """The groups with these ids."""  # any-organization: policy decides for each what the viewer may see
    rows = await db.many(
        tx, Group, f"{_GROUP} WHERE g.id = ANY((SELECT $1::uuid[])::uuid[])", list(ids)
    )
    return {row.id: row for row in rows}


async def page(
    tx: Connection,
    organization_id: OrganizationId | None,
    state: GroupState | None,
    after: tuple[str, UUID] | None,
    limit: int,
) -> list[Group]:
    """Groups by name and id; without an organization the ready ones of the network."""  # any-organization: ready is public
    return await db.many(
        tx,
        Group,
        f"""{_GROUP} WHERE {_OF_NETWORK if organization_id is None else _OWN}
            AND ($2::group_state IS NULL OR g.state = $2)
            AND ($3::text IS NULL OR (g.name, g.id) > ($3, $4::uuid))
            ORDER BY g.name, g.id LIMIT $5""",
        organization_id,
        state,
        *(after or (None, None)),
        limit,
    )


async def at_offices(
    tx: Connection, organization_id: OrganizationId, offices: Iterable[OfficeId]
) -> list[Group]:
    """The groups of the organization at any of these offices that are not leaving, by name."""
    return await db.many(
        tx,
        Group,
        f"""{_GROUP} WHERE g.organization_id = $1 AND g.state IN ('INCOMPLETE', 'READY')
            AND EXISTS (SELECT FROM group_offices o WHERE o.group_id = g.id AND o.office_id = ANY($2))
            ORDER BY g.name, g.id""",
        organization_id,
        list(offices),
    )


async def of_offices(tx: Connection, ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """The ids of the groups at each of these offices."""  # any-organization: policy decides for each
    rows = await tx.fetch(
        "SELECT office_id, group_id FROM group_offices WHERE office_id = ANY((SELECT $1::uuid[])::uuid[]) ORDER BY group_id",
        list(ids),
    )
    found: dict[UUID, list[UUID]] = {}
    for row in rows:
        found.setdefault(row["office_id"], []).append(row["group_id"])
    return found


async def of_providers(tx: Connection, ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """The ids of the groups of each of these providers."""  # any-organization: policy decides for each
    rows = await tx.fetch(
        "SELECT provider_id, group_id FROM group_providers WHERE provider_id = ANY((SELECT $1::uuid[])::uuid[]) ORDER BY group_id",
        list(ids),
    )
    found: dict[UUID, list[UUID]] = {}
    for row in rows:
        found.setdefault(row["provider_id"], []).append(row["group_id"])
    return found
