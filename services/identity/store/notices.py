"""What people are told by mail about their work: what waits, what they chose, and the groups they work for."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from kit.ids import new_id
from services.identity.domain import OrganizationId, Role, UserId
from services.identity.domain.notices import (
    Delivery,
    KnownGroup,
    Mail,
    Member,
    News,
    NoticeKind,
    Topic,
    Waiting,
)

# Who there is ---------------------------------------------------------------------------------------------------------

_ADDRESSEES = """
WITH around AS MATERIALIZED (
    SELECT m.id FROM memberships m
    WHERE m.organization_id = $1 AND m.user_id = ANY((SELECT $3::uuid[])::uuid[])
    UNION SELECT h.membership_id FROM live_grants h WHERE h.workplace = ANY((SELECT $4::uuid[])::uuid[])
    UNION SELECT h.membership_id FROM live_grants h WHERE h.provider_id = ANY((SELECT $6::uuid[])::uuid[])
    UNION SELECT h.membership_id FROM live_grants h JOIN memberships n ON n.id = h.membership_id
    WHERE cardinality($5::text[]) > 0 AND n.organization_id = $1 AND h.role::text = ANY((SELECT $5::text[])::text[])
)
SELECT m.user_id, o.time_zone, array_agg(g.role::text) AS roles, array_agg(g.office_id) AS offices,
    array_agg(g.provider_id) AS providers,
    (SELECT c.delivery FROM notice_choices c WHERE c.organization_id = $1 AND c.user_id = m.user_id AND c.kind = $2) AS chosen
FROM around JOIN memberships m ON m.id = around.id JOIN users u ON u.id = m.user_id
JOIN organizations o ON o.id = m.organization_id LEFT JOIN live_grants g ON g.membership_id = m.id
WHERE m.organization_id = $1 AND m.deactivated_at IS NULL AND u.confirmed_at IS NOT NULL
GROUP BY m.user_id, o.time_zone ORDER BY m.user_id
"""


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody who may be told, what they have chosen for the kind it is of, and their organization's time zone."""

    member: Member
    chosen: Delivery | None
    time_zone: str


@dataclass(frozen=True, slots=True)
class Around:
    """Who may be concerned: these users, who works at these offices, who has one of these roles, who is one of these providers."""

    ids: Collection[UserId] = ()
    offices: Collection[UUID] = ()
    roles: Collection[Role] = ()
    providers: Collection[UUID] = ()


async def addressees(
    tx: Connection, organization_id: OrganizationId, kind: NoticeKind, around: Around
) -> list[Addressee]:
    """The active, confirmed users of the organization who may be concerned."""
    rows = await tx.fetch(
        _ADDRESSEES,
        organization_id,
        kind,
        list(around.ids),
        list(around.offices),
        list(around.roles),
        list(around.providers),
    )
    return [
        Addressee(
            Member(
                UserId(row["user_id"]),
                _granted(row["roles"], row["offices"]),
                frozenset(row["providers"]) - {None},
            ),
            Delivery(row["chosen"]) if row["chosen"] else None,
            row["time_zone"],
        )
        for row in rows
    ]


def _granted(
    roles: Sequence[str | None], offices: Sequence[UUID | None]
) -> frozenset[tuple[Role, UUID | None]]:
    pairs = zip(roles, offices, strict=True)
    return frozenset((Role(role), office) for role, office in pairs if role is not None)


async def group(
    tx: Connection, organization_id: OrganizationId, group_id: UUID
) -> KnownGroup | None:
    """A group, as far as directory has told of it."""
    return await db.maybe(
        tx,
        KnownGroup,
        "SELECT group_id, office_ids, staff FROM known_groups WHERE organization_id = $1 AND group_id = $2",
        organization_id,
        group_id,
    )


async def keep_group(tx: Connection, organization_id: OrganizationId, group: KnownGroup) -> None:
    """What a group is from now on."""
    await db.run(
        tx,
        "INSERT INTO known_groups (organization_id, group_id, office_ids, staff) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (organization_id, group_id) DO UPDATE SET office_ids = $3, staff = $4",
        organization_id,
        group.group_id,
        sorted(group.office_ids),
        sorted(group.staff),
    )


async def forget_group(tx: Connection, organization_id: OrganizationId, group_id: UUID) -> None:
    """There is no such group any more."""
    await db.run(
        tx,
        "DELETE FROM known_groups WHERE organization_id = $1 AND group_id = $2",
        organization_id,
        group_id,
    )


# What they chose ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Choice:
    user_id: UserId
    kind: NoticeKind
    delivery: Delivery


async def choices(
    tx: Connection, organization_id: OrganizationId, users: Iterable[UserId]
) -> dict[tuple[UserId, NoticeKind], Delivery]:
    """What these users have chosen there; what is not among it is as by default."""
    found = await db.many(
        tx,
        _Choice,
        "SELECT user_id, kind, delivery FROM notice_choices WHERE organization_id = $1"
        " AND user_id = ANY((SELECT $2::uuid[])::uuid[])",
        organization_id,
        list(users),
    )
    return {(one.user_id, one.kind): one.delivery for one in found}


async def choose(
    tx: Connection,
    organization_id: OrganizationId,
    user_id: UserId,
    kind: NoticeKind,
    delivery: Delivery,
    at: datetime,
) -> None:
    """Keep how somebody wants to be told of a kind."""
    await db.run(
        tx,
        "INSERT INTO notice_choices (organization_id, user_id, kind, delivery, chosen_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (organization_id, user_id, kind) DO UPDATE SET delivery = $4, chosen_at = $5",
        organization_id,
        user_id,
        kind,
        delivery,
        at,
    )


# What waits -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """A notice for somebody, and when it is due."""

    user_id: UserId
    delivery: Delivery
    due_at: datetime


async def note(
    tx: Connection,
    organization_id: OrganizationId,
    event_id: UUID,
    news: News,
    entries: Sequence[Entry],
    at: datetime,
) -> None:
    """Let a notice wait for each of them; who has one of this event already keeps that."""
    await db.run(
        tx,
        "INSERT INTO notices (id, organization_id, user_id, event_id, topic, subject_id, office_id, group_id, delivery,"
        " noted_at, due_at, provider_id) SELECT new.id, $1, new.user_id, $2, $3, $4, $5, $6, new.delivery, $7, new.due_at, $12"
        " FROM unnest($8::uuid[], $9::uuid[], $10::text[], $11::timestamptz[]) AS new(id, user_id, delivery, due_at)"
        " ON CONFLICT (event_id, user_id) DO NOTHING",
        organization_id,
        event_id,
        news.topic,
        news.subject_id,
        news.office_id,
        news.group_id,
        at,
        [new_id() for _ in entries],
        [one.user_id for one in entries],
        [one.delivery for one in entries],
        [one.due_at for one in entries],
        news.provider_id,
    )


async def withdraw(
    tx: Connection,
    organization_id: OrganizationId,
    subject_id: UUID,
    topics: Collection[Topic],
    at: datetime,
    user_id: UserId | None = None,
) -> None:
    """What waits about this has been dealt with: nobody is told of it any more, or just that user."""
    await db.run(
        tx,
        "UPDATE notices SET settled_at = $4 WHERE organization_id = $1 AND subject_id = $2"
        " AND topic = ANY((SELECT $3::text[])::text[]) AND ($5::uuid IS NULL OR user_id = $5)"
        " AND settled_at IS NULL",
        organization_id,
        subject_id,
        list(topics),
        at,
        user_id,
    )


async def withdraw_from_provider(
    tx: Connection,
    organization_id: OrganizationId,
    subject_id: UUID,
    provider_id: UUID,
    at: datetime,
) -> None:
    """What waits about this for the user who is that provider is no longer theirs."""
    await db.run(
        tx,
        "UPDATE notices SET settled_at = $4 WHERE organization_id = $1 AND subject_id = $2 AND provider_id = $3"
        " AND settled_at IS NULL",
        organization_id,
        subject_id,
        provider_id,
        at,
    )


# any-organization: the post serves all
async def due_mails(tx: Connection, at: datetime, limit: int) -> list[Mail]:
    """Whose mail is to be made up now, the longest-waiting first."""
    return await db.many(
        tx,
        Mail,
        "SELECT organization_id, user_id, delivery FROM notices WHERE settled_at IS NULL AND due_at <= $1"
        " GROUP BY organization_id, user_id, delivery ORDER BY min(due_at), user_id LIMIT $2",
        at,
        limit,
    )


async def offices_of(
    tx: Connection, organization_id: OrganizationId, users: Collection[UserId]
) -> set[UUID]:
    """The offices that the waiting notices of these users are about."""
    rows = await tx.fetch(
        "SELECT DISTINCT office_id FROM notices WHERE organization_id = $1 AND user_id = ANY((SELECT $2::uuid[])::uuid[])"
        " AND settled_at IS NULL AND office_id IS NOT NULL",
        organization_id,
        list(users),
    )
    return {row["office_id"] for row in rows}


async def take(
    tx: Connection, organization_id: OrganizationId, mail: Mail, at: datetime
) -> list[Waiting]:
    """What goes into a mail: all that waits to leave at once, or what is due of the digest. Held until the transaction ends; what
    somebody else holds is left to them."""
    return await db.many(
        tx,
        Waiting,
        "SELECT id, topic, subject_id, office_id, group_id, due_at, provider_id FROM notices"
        " WHERE organization_id = $1 AND user_id = $2 AND delivery = $3 AND settled_at IS NULL"
        " AND (due_at <= $4 OR delivery = 'AT_ONCE') ORDER BY noted_at, id FOR UPDATE SKIP LOCKED",
        organization_id,
        mail.user_id,
        mail.delivery,
        at,
    )


async def settle(
    tx: Connection,
    organization_id: OrganizationId,
    taken: Iterable[Waiting],
    mailed: Iterable[Waiting],
    at: datetime,
) -> None:
    """They wait no more: some are in the mail, the others are dropped."""
    await db.run(
        tx,
        "UPDATE notices SET settled_at = $4, mailed = id = ANY((SELECT $3::uuid[])::uuid[])"
        " WHERE organization_id = $1 AND id = ANY((SELECT $2::uuid[])::uuid[])",
        organization_id,
        [one.id for one in taken],
        [one.id for one in mailed],
        at,
    )


# any-organization: housekeeping
async def forget(tx: Connection, before: datetime, limit: int) -> int:
    """Drop some notices that were settled before that moment; answers how many."""
    return await db.run(
        tx,
        "DELETE FROM notices WHERE id IN (SELECT id FROM notices WHERE settled_at < $1 LIMIT $2)",
        before,
        limit,
    )


# any-organization: a letter belongs to a person
async def forget_letters(tx: Connection, before: datetime, limit: int) -> int:
    """Drop some letters that only told something, and left before that moment; answers how many."""
    return await db.run(
        tx,
        "DELETE FROM letters WHERE id IN (SELECT id FROM letters WHERE kind = 'NOTICE' AND state IN ('SENT', 'BOUNCED')"
        " AND queued_at < $1 LIMIT $2)",
        before,
        limit,
    )
