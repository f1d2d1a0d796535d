"""People, offices, placements, the teams of groups, and what is listed of plans: as they were heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.reporting.domain import GroupId, OfficeId, OrganizationId, UserId

# People ---------------------------------------------------------------------------------------------------------------


async def came(
    tx: Connection, organization_id: OrganizationId, user_id: UUID, at: datetime
) -> None:
    """Somebody was invited, or is back: without roles until they are granted."""
    await db.run(
        tx,
        """INSERT INTO people (organization_id, user_id, since) VALUES ($1, $2, $3)
            ON CONFLICT (organization_id, user_id)
            DO UPDATE SET since = $3, confirmed_at = NULL, invite_expired = false, left_at = NULL,
                left_because = NULL""",
        organization_id,
        user_id,
        at,
    )


async def confirmed(
    tx: Connection, organization_id: OrganizationId, user_id: UUID, at: datetime
) -> None:
    """Somebody can sign in: who was never invited (by single sign-on) as well."""
    await db.run(
        tx,
        """INSERT INTO people AS p (organization_id, user_id, since, confirmed_at) VALUES ($1, $2, $3, $3)
            ON CONFLICT (organization_id, user_id)
            DO UPDATE SET confirmed_at = coalesce(p.confirmed_at, $3), invite_expired = false""",
        organization_id,
        user_id,
        at,
    )


async def invite_expired(tx: Connection, organization_id: OrganizationId, user_id: UUID) -> None:
    """Somebody did not come in time."""
    await db.run(
        tx,
        "UPDATE people SET invite_expired = true WHERE organization_id = $1 AND user_id = $2",
        organization_id,
        user_id,
    )


async def left(
    tx: Connection, organization_id: OrganizationId, user_id: UUID, at: datetime, because: str
) -> None:
    """Somebody was deactivated: every role ends with it."""
    await db.run(
        tx,
        "UPDATE people SET left_at = $3, left_because = $4 WHERE organization_id = $1 AND user_id = $2",
        organization_id,
        user_id,
        at,
        because,
    )
    await db.run(
        tx,
        "DELETE FROM person_roles WHERE organization_id = $1 AND user_id = $2",
        organization_id,
        user_id,
    )


@dataclass(frozen=True, slots=True)
class Grant:
    """A role of somebody, at an office if it is for one."""

    organization_id: OrganizationId
    user_id: UserId
    role: str
    office_id: OfficeId | None


async def granted(tx: Connection, grant: Grant, at: datetime) -> None:
    """Somebody has a role."""
    await db.run(
        tx,
        """INSERT INTO person_roles (organization_id, user_id, role, office_id, granted_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT DO NOTHING""",
        grant.organization_id,
        grant.user_id,
        grant.role,
        grant.office_id,
        at,
    )


async def revoked(tx: Connection, grant: Grant) -> None:
    """Somebody has a role no more."""
    await db.run(
        tx,
        """DELETE FROM person_roles WHERE organization_id = $1 AND user_id = $2 AND role = $3
            AND office_id IS NOT DISTINCT FROM $4""",
        grant.organization_id,
        grant.user_id,
        grant.role,
        grant.office_id,
    )


# Places ---------------------------------------------------------------------------------------------------------------


async def keep_office(
    tx: Connection, organization_id: OrganizationId, office_id: OfficeId, name: str
) -> None:
    """An office is planned, or called otherwise."""
    await db.run(
        tx,
        """INSERT INTO offices (organization_id, office_id, name, state) VALUES ($1, $2, $3, 'PLANNED')
            ON CONFLICT (organization_id, office_id) DO UPDATE SET name = $3""",
        organization_id,
        office_id,
        name,
    )


async def office_is(
    tx: Connection, organization_id: OrganizationId, office_id: OfficeId, state: str
) -> None:
    """An office went live, closes, is closed, or is planned anew."""
    await db.run(
        tx,
        "UPDATE offices SET state = $3::office_state WHERE organization_id = $1 AND office_id = $2",
        organization_id,
        office_id,
        state,
    )


@dataclass(frozen=True, slots=True)
class Placement:
    """A provider at an office, until a day."""

    organization_id: OrganizationId
    placement_id: UUID
    provider_id: UUID
    office_id: UUID
    effective_until: date | None


async def keep_placement(tx: Connection, placement: Placement) -> None:
    """A provider works at an office, until another day than before."""
    await db.run(
        tx,
        """INSERT INTO placements (organization_id, placement_id, provider_id, office_id, effective_until)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (organization_id, placement_id)
            DO UPDATE SET provider_id = $3, office_id = $4, effective_until = $5""",
        placement.organization_id,
        placement.placement_id,
        placement.provider_id,
        placement.office_id,
        placement.effective_until,
    )


@dataclass(frozen=True, slots=True)
class Team:
    """A part of what a group is; None is left as it was."""

    office_ids: Sequence[UUID] | None = None
    may_send: bool | None = None
    may_receive: bool | None = None
    provider_ids: Sequence[UUID] | None = None
    staff_user_ids: Sequence[UUID] | None = None
    removed: bool | None = None


async def keep_team(
    tx: Connection, organization_id: OrganizationId, group_id: GroupId, team: Team
) -> None:
    """What a fact says of a group."""
    await db.run(
        tx,
        """INSERT INTO group_teams AS t (organization_id, group_id, office_ids, may_send, may_receive, provider_ids,
                staff_user_ids, removed)
            VALUES ($1, $2, coalesce($3, '{}'::uuid[]), coalesce($4, false), coalesce($5, false), coalesce($6, '{}'::uuid[]),
                coalesce($7, '{}'::uuid[]), coalesce($8, false))
            ON CONFLICT (organization_id, group_id) DO UPDATE SET
                office_ids = coalesce($3, t.office_ids), may_send = coalesce($4, t.may_send),
                may_receive = coalesce($5, t.may_receive), provider_ids = coalesce($6, t.provider_ids),
                staff_user_ids = coalesce($7, t.staff_user_ids), removed = coalesce($8, t.removed)""",
        organization_id,
        group_id,
        team.office_ids,
        team.may_send,
        team.may_receive,
        team.provider_ids,
        team.staff_user_ids,
        team.removed,
    )


# Plans ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Participation:
    """A provider accepts a plan at an office, as somebody said on a day last."""

    organization_id: OrganizationId
    participation_id: UUID
    provider_id: UUID
    office_id: UUID
    effective_from: date
    effective_until: date | None
    verified_on: date | None


async def keep_participation(tx: Connection, row: Participation) -> None:
    """What a fact says of a participation."""
    await db.run(
        tx,
        """INSERT INTO participations (organization_id, participation_id, provider_id, office_id, effective_from,
                effective_until, verified_on)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (organization_id, participation_id) DO UPDATE SET provider_id = $3, office_id = $4,
                effective_from = $5, effective_until = $6, verified_on = $7""",
        row.organization_id,
        row.participation_id,
        row.provider_id,
        row.office_id,
        row.effective_from,
        row.effective_until,
        row.verified_on,
    )


# Reading --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Staffed:
    """Somebody who works at an office: by a role there, or for a group that is there."""

    user_id: UserId
    office_id: OfficeId
    role: str
    confirmed_at: datetime | None
    since: datetime
    invite_expired: bool


async def staffing(
    tx: Connection, organization_id: OrganizationId, office_ids: Sequence[UUID] | None = None
) -> list[Staffed]:
    """Who works where: at these offices, or (None) anywhere."""
    return await db.many(
        tx,
        Staffed,
        """SELECT user_id, office_id, role, confirmed_at, since, invite_expired FROM staffing
            WHERE organization_id = $1 AND ($2::uuid[] IS NULL OR office_id = ANY($2))
            ORDER BY office_id, user_id, role""",
        organization_id,
        office_ids,
    )


async def active_users(
    tx: Connection, organization_id: OrganizationId, user_ids: Sequence[UUID]
) -> set[UUID]:
    """Which of these belong to the organization and have not left."""
    rows = await tx.fetch(
        "SELECT user_id FROM people WHERE organization_id = $1 AND user_id = ANY($2) AND left_at IS NULL",
        organization_id,
        user_ids,
    )
    return {row["user_id"] for row in rows}
