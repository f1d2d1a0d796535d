"""Rows of what other services said: participations, answers to referrals, users and where they work."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.directory.domain.closures import PlanRow
from services.directory.domain.nouns import OfficeId, OrganizationId, UserId


@dataclass(frozen=True, slots=True)
class ParticipationHeard:
    """A provider accepts a plan at an office on half-open days."""

    participation_id: UUID
    organization_id: UUID
    provider_id: UUID
    office_id: UUID
    plan_id: UUID
    effective_from: date
    effective_until: date | None
    verified_on: date | None


async def keep_participation(tx: Connection, row: ParticipationHeard) -> None:
    """Keep a participation as it was told."""
    await db.run(
        tx,
        """INSERT INTO participations_heard VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (participation_id) DO UPDATE SET effective_from = $6, effective_until = $7,
                verified_on = coalesce($8, participations_heard.verified_on)""",
        row.participation_id,
        row.organization_id,
        row.provider_id,
        row.office_id,
        row.plan_id,
        row.effective_from,
        row.effective_until,
        row.verified_on,
    )


async def verify_participation(tx: Connection, participation_id: UUID, on: date) -> None:
    """A participation was verified on a day."""  # any-organization: the fact names the participation
    await db.run(
        tx,
        "UPDATE participations_heard SET verified_on = $2 WHERE participation_id = $1",
        participation_id,
        on,
    )


async def plan_rows(
    tx: Connection,
    organization_id: OrganizationId,
    on: date,
    *,
    office_id: UUID | None = None,
    provider_id: UUID | None = None,
) -> list[PlanRow]:
    """The plans accepted at an office, or by a provider, on that day or later, as far as insurance has told."""
    return await db.many(
        tx,
        PlanRow,
        """SELECT participation_id, provider_id, office_id, plan_id, effective_until FROM participations_heard
            WHERE organization_id = $1 AND ($2::uuid IS NULL OR office_id = $2)
                AND ($3::uuid IS NULL OR provider_id = $3)
                AND (effective_until IS NULL OR effective_until > greatest(effective_from, $4))
            ORDER BY provider_id, office_id, plan_id, participation_id""",
        organization_id,
        office_id,
        provider_id,
        on,
    )


async def plans_listed(
    tx: Connection, organization_id: OrganizationId, providers: Iterable[UUID], on: date
) -> dict[UUID, int]:
    """How many plans are listed as accepted by each of these providers on that day or later."""
    rows = await tx.fetch(
        """SELECT provider_id, count(DISTINCT plan_id) AS plans FROM participations_heard
            WHERE organization_id = $1 AND provider_id = ANY($2)
                AND (effective_until IS NULL OR effective_until > greatest(effective_from, $3)) GROUP BY provider_id""",
        organization_id,
        list(providers),
        on,
    )
    return {row["provider_id"]: row["plans"] for row in rows}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A referral reached a receiver."""

    referral_id: UUID
    hop: int
    office_id: UUID
    provider_id: UUID | None
    group_id: UUID | None
    at: datetime


async def keep_arrival(tx: Connection, arrival: Arrival) -> None:
    """Keep when a referral reached a receiver."""  # any-organization: told of the receiver, whoever it belongs to
    await db.run(
        tx,
        """INSERT INTO answers_heard VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (referral_id, hop) DO NOTHING""",
        arrival.referral_id,
        arrival.hop,
        arrival.office_id,
        arrival.provider_id,
        arrival.group_id,
        arrival.at,
    )


async def keep_answer(tx: Connection, referral_id: UUID, hop: int, at: datetime) -> None:
    """Keep the first answer of the receiver of a hop."""  # any-organization: told of the receiver
    await db.run(
        tx,
        """UPDATE answers_heard SET acknowledged_at = $3
            WHERE referral_id = $1 AND hop = $2 AND acknowledged_at IS NULL""",
        referral_id,
        hop,
        at,
    )


async def keep_user(
    tx: Connection,
    organization_id: OrganizationId,
    user_id: UserId,
    *,
    confirmed: bool | None = None,
    active: bool | None = None,
) -> None:
    """Keep what was told of a user; None leaves what is known."""
    await db.run(
        tx,
        """INSERT INTO users_heard (user_id, organization_id, confirmed, active)
            VALUES ($1, $2, coalesce($3, false), coalesce($4, true))
            ON CONFLICT (user_id, organization_id) DO UPDATE SET
                confirmed = coalesce($3, users_heard.confirmed), active = coalesce($4, users_heard.active)""",
        user_id,
        organization_id,
        confirmed,
        active,
    )


@dataclass(frozen=True, slots=True)
class UserHeard:
    """A user, as far as identity has told."""

    user_id: UserId
    confirmed: bool
    active: bool


async def users_held(
    tx: Connection, organization_id: OrganizationId, ids: Iterable[UUID]
) -> dict[UUID, UserHeard]:
    """What has been told of these users; until the transaction ends nothing else is heard of them."""
    rows = await db.many(
        tx,
        UserHeard,
        """SELECT * FROM users_heard WHERE organization_id = $1 AND user_id = ANY($2)
            ORDER BY user_id FOR SHARE""",
        organization_id,
        list(ids),
    )
    return {row.user_id: row for row in rows}


async def keep_role(
    tx: Connection,
    organization_id: OrganizationId,
    user_id: UserId,
    office_id: OfficeId,
    role: str,
) -> None:
    """The user works for the office."""
    await db.run(
        tx,
        "INSERT INTO office_users_heard VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        user_id,
        organization_id,
        office_id,
        role,
    )


async def drop_role(
    tx: Connection,
    organization_id: OrganizationId,
    user_id: UserId,
    office_id: OfficeId,
    role: str,
) -> None:
    """The user no longer works for the office in that role."""
    await db.run(
        tx,
        """DELETE FROM office_users_heard
            WHERE user_id = $1 AND organization_id = $2 AND office_id = $3 AND role = $4""",
        user_id,
        organization_id,
        office_id,
        role,
    )


async def drop_roles(
    tx: Connection, organization_id: OrganizationId, user_id: UserId
) -> list[OfficeId]:
    """The user works for no office of the organization any more; answers those for which they did."""
    rows = await tx.fetch(
        """DELETE FROM office_users_heard WHERE user_id = $1 AND organization_id = $2 RETURNING office_id""",
        user_id,
        organization_id,
    )
    return sorted({row["office_id"] for row in rows})


async def rosters(
    tx: Connection, organization_id: OrganizationId, offices: Iterable[OfficeId]
) -> dict[UUID, tuple[UserId, ...]]:
    """Who works for each of these offices, confirmed or still invited, as far as it has been told (R18)."""
    rows = await tx.fetch(
        """SELECT w.office_id, array_agg(DISTINCT w.user_id ORDER BY w.user_id) AS users
            FROM office_users_heard w JOIN users_heard u USING (user_id, organization_id)
            WHERE w.organization_id = $1 AND w.office_id = ANY($2) AND u.active GROUP BY w.office_id""",
        organization_id,
        list(offices),
    )
    return {row["office_id"]: tuple(row["users"]) for row in rows}


async def overloaded(
    tx: Connection, organization_id: OrganizationId, offices: Iterable[OfficeId], most: int
) -> dict[UUID, int]:
    """How many of those who work for each of these offices work for more than so many that are not closed (R18)."""
    rows = await tx.fetch(
        """WITH loads AS (SELECT w.user_id FROM office_users_heard w
                JOIN users_heard u USING (user_id, organization_id) JOIN offices o ON o.id = w.office_id
                WHERE w.organization_id = $1 AND u.active AND o.state <> 'CLOSED'
                GROUP BY w.user_id HAVING count(DISTINCT w.office_id) > $3)
            SELECT w.office_id, count(DISTINCT w.user_id) AS users FROM office_users_heard w JOIN loads USING (user_id)
            WHERE w.organization_id = $1 AND w.office_id = ANY($2) GROUP BY w.office_id""",
        organization_id,
        list(offices),
        most,
    )
    return {row["office_id"]: row["users"] for row in rows}


async def offices_of(
    tx: Connection, organization_id: OrganizationId, user_id: UserId
) -> list[OfficeId]:
    """The offices of the organization for which the user works."""
    rows = await tx.fetch(
        """SELECT DISTINCT office_id FROM office_users_heard
            WHERE organization_id = $1 AND user_id = $2 ORDER BY office_id""",
        organization_id,
        user_id,
    )
    return [row["office_id"] for row in rows]


async def coverage(
    tx: Connection, organization_id: OrganizationId, offices: Iterable[OfficeId]
) -> dict[UUID, int]:
    """How many confirmed, active users work for each of these offices, as far as it has been told (R18)."""
    rows = await tx.fetch(
        """SELECT w.office_id, count(DISTINCT w.user_id) AS staff
            FROM office_users_heard w JOIN users_heard u USING (user_id, organization_id)
            WHERE w.organization_id = $1 AND w.office_id = ANY($2) AND u.confirmed AND u.active
            GROUP BY w.office_id""",
        organization_id,
        list(offices),
    )
    return {row["office_id"]: row["staff"] for row in rows}
