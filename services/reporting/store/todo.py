"""What is left for people to do: guides to read and trainings to do, counted for offices, groups, users and organizations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from kit import db
from kit.db import Connection
from services.reporting.domain import OfficeId, OrganizationId


@dataclass(frozen=True, slots=True)
class ToDo:
    """How many readings are missing of people who can sign in, and how many trainings nobody has done yet."""

    unread_guides: int = 0
    training_due: int = 0


_UNREAD = """a.confirmed_at IS NOT NULL AND NOT EXISTS (SELECT FROM guide_reads r
    WHERE r.organization_id = a.organization_id AND r.guide_id = a.guide_id AND r.number = a.number AND r.user_id = a.user_id)"""
_OPEN = """training_tasks k JOIN trainings t ON t.id = k.training_id AND t.cancelled_at IS NULL AND k.outcome IS NULL"""


async def at_places(
    tx: Connection, organization_id: OrganizationId, places: Mapping[UUID, Sequence[UUID]]
) -> dict[UUID, ToDo]:
    """Of the people at the offices of each place: an office has one, a group those where it is."""
    pairs = [(key, office) for key, offices in places.items() for office in offices]
    asked = (organization_id, [key for key, _ in pairs], [office for _, office in pairs])
    unread = await tx.fetch(
        f"""SELECT w.key, count(DISTINCT (a.guide_id, a.user_id)) AS many
            FROM unnest($2::uuid[], $3::uuid[]) AS w (key, office_id) JOIN guide_audience a USING (office_id)
            WHERE a.organization_id = $1 AND {_UNREAD} GROUP BY w.key""",  # noqa: S608 - words of ours
        *asked,
    )
    due = await tx.fetch(
        f"""SELECT w.key, count(DISTINCT (k.training_id, k.user_id)) AS many
            FROM unnest($2::uuid[], $3::uuid[]) AS w (key, office_id) JOIN staffing s USING (office_id)
            JOIN {_OPEN} ON k.organization_id = s.organization_id AND k.user_id = s.user_id
            WHERE s.organization_id = $1 GROUP BY w.key""",  # noqa: S608 - words of ours
        *asked,
    )
    return _both(unread, due, places)


async def of_users(
    tx: Connection, organization_id: OrganizationId, user_ids: Sequence[UUID]
) -> dict[UUID, ToDo]:
    """Of each user the organization has or had."""
    known = await tx.fetch(
        "SELECT user_id FROM people WHERE organization_id = $1 AND user_id = ANY($2)",
        organization_id,
        user_ids,
    )
    unread = await tx.fetch(
        f"""SELECT a.user_id AS key, count(DISTINCT a.guide_id) AS many FROM guide_audience a
            WHERE a.organization_id = $1 AND a.user_id = ANY($2) AND {_UNREAD} GROUP BY a.user_id""",  # noqa: S608 - words of ours
        organization_id,
        user_ids,
    )
    due = await tx.fetch(
        f"""SELECT k.user_id AS key, count(*) AS many FROM {_OPEN}
            WHERE k.organization_id = $1 AND k.user_id = ANY($2) GROUP BY k.user_id""",  # noqa: S608 - words of ours
        organization_id,
        user_ids,
    )
    return _both(unread, due, {row["user_id"]: () for row in known})


async def of_organization(tx: Connection, organization_id: OrganizationId) -> ToDo:
    """Of everybody."""
    return await db.one(
        tx,
        ToDo,
        f"""SELECT (SELECT count(DISTINCT (a.guide_id, a.user_id)) FROM guide_audience a
                WHERE a.organization_id = $1 AND {_UNREAD}) AS unread_guides,
            (SELECT count(*) FROM {_OPEN} WHERE k.organization_id = $1) AS training_due""",  # noqa: S608 - words of ours
        organization_id,
    )


async def open_findings(tx: Connection, organization_id: OrganizationId) -> int:
    """How many findings are not closed."""
    found: int = await db.value(
        tx,
        "SELECT count(*) FROM findings WHERE organization_id = $1 AND state <> 'CLOSED'",
        organization_id,
    )
    return found


async def offices_of(
    tx: Connection, organization_id: OrganizationId, user_ids: Sequence[UUID]
) -> dict[UUID, set[OfficeId]]:
    """Where each of these users has a role."""
    rows = await tx.fetch(
        """SELECT user_id, office_id FROM person_roles WHERE organization_id = $1 AND user_id = ANY($2)
            AND office_id IS NOT NULL""",
        organization_id,
        user_ids,
    )
    found: dict[UUID, set[OfficeId]] = {}
    for row in rows:
        found.setdefault(row["user_id"], set()).add(OfficeId(row["office_id"]))
    return found


def _both(
    unread: Sequence[db.Row], due: Sequence[db.Row], keys: Mapping[UUID, object]
) -> dict[UUID, ToDo]:
    reading = {row["key"]: row["many"] for row in unread}
    training = {row["key"]: row["many"] for row in due}
    return {key: ToDo(reading.get(key, 0), training.get(key, 0)) for key in keys}
