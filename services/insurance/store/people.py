"""SQL of who answers for an organization's insurance data, and of which organizations something is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.insurance.domain import (
    Answering,
    AnsweringRole,
    CampaignId,
    OrganizationId,
    UserId,
)

# Where plans are listed today or later, and nobody is insurance manager: of the office, or of the whole organization `o`. Looked for
# at the offices $2, or at all of them.
_UNMANAGED = """NOT EXISTS (SELECT FROM role_holders h WHERE h.organization_id = o.organization_id
        AND h.role = 'INSURANCE_MANAGER' AND h.office_id IS NULL)
    AND EXISTS (SELECT FROM participations p WHERE p.organization_id = o.organization_id
        AND coalesce(p.effective_until, 'infinity') > greatest($1, p.effective_from)
        AND ($2::uuid[] IS NULL OR p.office_id = ANY($2))
        AND NOT EXISTS (SELECT FROM role_holders h WHERE h.organization_id = p.organization_id
            AND h.role = 'INSURANCE_MANAGER' AND h.office_id = p.office_id))"""


async def keep_holder(
    tx: Connection,
    organization_id: OrganizationId,
    user_id: UserId,
    answering: Answering,
    since: datetime,
) -> None:
    """Somebody has the role from now on."""
    await db.run(
        tx,
        """INSERT INTO role_holders (organization_id, user_id, role, office_id, since) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT DO NOTHING""",
        organization_id,
        user_id,
        answering.role,
        answering.office_id,
        since,
    )


async def forget_holder(
    tx: Connection,
    organization_id: OrganizationId,
    user_id: UserId,
    answering: Answering | None = None,
) -> None:
    """Somebody has the role (or, without one, any role) no more."""
    await db.run(
        tx,
        """DELETE FROM role_holders WHERE organization_id = $1 AND user_id = $2
            AND ($3::answering_role IS NULL OR role = $3 AND office_id IS NOT DISTINCT FROM $4)""",
        organization_id,
        user_id,
        answering.role if answering else None,
        answering.office_id if answering else None,
    )


async def holders(
    tx: Connection, organization_id: OrganizationId, role: AnsweringRole
) -> list[tuple[UserId, datetime]]:
    """Who has the role in the whole organization, and since when."""
    found = await tx.fetch(
        "SELECT user_id, since FROM role_holders WHERE organization_id = $1 AND role = $2 AND office_id IS NULL"
        " ORDER BY since, user_id",
        organization_id,
        role,
    )
    return [(UserId(row["user_id"]), row["since"]) for row in found]


async def managers_of_open_items(
    tx: Connection, organization_id: OrganizationId, campaign_id: CampaignId
) -> list[UserId]:
    """The insurance managers of just those offices at which something of the campaign is open."""
    found = await tx.fetch(
        """SELECT DISTINCT h.user_id FROM role_holders h JOIN campaign_items i USING (organization_id, office_id)
            WHERE h.organization_id = $1 AND i.campaign_id = $2 AND i.state = 'OPEN' AND h.role = 'INSURANCE_MANAGER'
            ORDER BY h.user_id""",
        organization_id,
        campaign_id,
    )
    return [UserId(row["user_id"]) for row in found]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Where an organization reads its calendar, since when it is there, and the year of its latest year-start campaign."""

    organization_id: OrganizationId
    time_zone: str
    added_at: datetime
    opened: int | None


# any-organization: the job goes through all of them
async def calendars(tx: Connection, before_year: int) -> list[Calendar]:
    """The organizations whose latest year-start campaign, if they had one, is of an earlier year."""
    return await db.many(
        tx,
        Calendar,
        """SELECT o.organization_id, o.time_zone, o.added_at, c.opened FROM organizations o LEFT JOIN (
                SELECT organization_id, max(year) AS opened FROM campaigns GROUP BY organization_id
            ) AS c USING (organization_id)
            WHERE c.opened IS NULL OR c.opened < $1 ORDER BY organization_id""",
        before_year,
    )


# any-organization: the job goes through all of them
async def organizations_with_open_campaigns(tx: Connection) -> list[OrganizationId]:
    """Whose campaigns are not over."""
    found = await tx.fetch(
        "SELECT DISTINCT organization_id FROM campaigns WHERE closed_at IS NULL ORDER BY organization_id"
    )
    return [OrganizationId(row["organization_id"]) for row in found]


# any-organization: the job goes through all of them
async def organizations_without_manager(tx: Connection, day: date) -> list[OrganizationId]:
    """Which list plans, on the day or later, at an office of which nobody is insurance manager."""
    found = await tx.fetch(
        f"SELECT organization_id FROM organizations o WHERE {_UNMANAGED} ORDER BY organization_id",  # noqa: S608 - a constant
        day,
        None,
    )
    return [OrganizationId(row["organization_id"]) for row in found]


async def manager_missing(
    tx: Connection, organization_id: OrganizationId, offices: Sequence[UUID] | None, day: date
) -> bool:
    """Whether the organization is one of them, for an office of these (None: of all)."""
    found: bool = await db.value(
        tx,
        f"SELECT {_UNMANAGED} FROM (SELECT $3::uuid AS organization_id) AS o",  # noqa: S608 - a constant
        day,
        offices,
        organization_id,
    )
    return found


async def note_reminder(tx: Connection, organization_id: OrganizationId, week: date) -> bool:
    """Whether the client admins are to be reminded in this week: the first time it is asked about."""
    return bool(
        await db.run(
            tx,
            "INSERT INTO manager_reminders (organization_id, week) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            organization_id,
            week,
        )
    )
