"""Rows of cases in which something is leaving: what the resuming job looks after."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.directory.domain.nouns import FenceStep, OrganizationId


@dataclass(frozen=True, slots=True)
class Waiting:
    """A leaving thing whose case goes on by itself. `kind` is PROVIDER, OFFICE or GROUP."""

    kind: str
    organization_id: OrganizationId
    subject_id: UUID
    step: FenceStep
    version: int


_TABLES = {"PROVIDER": "providers", "OFFICE": "offices", "GROUP": "groups"}


async def is_staying(
    tx: Connection, kind: str, organization_id: OrganizationId, subject_id: UUID
) -> bool:
    """Whether the thing, locked from now on, neither leaves nor has left, or is on its way back."""
    found = await db.value(
        tx,
        f"""SELECT (fence IS NULL OR fence = 'KEEPING') AND state::text NOT IN ('REMOVED', 'CLOSED')
            FROM {_TABLES[kind]} WHERE organization_id = $1 AND id = $2 FOR UPDATE""",  # noqa: S608 - one of ours
        organization_id,
        subject_id,
    )
    return bool(found)


async def waiting(tx: Connection, *, since: datetime) -> list[Waiting]:
    """The cases that began before `since` and are neither finished nor left to people."""  # any-organization: the job
    return await db.many(
        tx,
        Waiting,
        """SELECT 'PROVIDER' AS kind, organization_id, id AS subject_id, fence AS step, version FROM providers
                WHERE fence IN ('REMOVING', 'KEEPING') AND fence_at <= $1
            UNION ALL SELECT 'OFFICE', organization_id, id, fence, version FROM offices
                WHERE fence IN ('REMOVING', 'KEEPING') AND fence_at <= $1
                AND (fence = 'KEEPING' OR NOT fenced OR closes_on <= ($1 AT TIME ZONE time_zone)::date)
            UNION ALL SELECT 'GROUP', organization_id, id, fence, version FROM groups
                WHERE fence IN ('REMOVING', 'KEEPING') AND fence_at <= $1
            ORDER BY 1, 3""",
        since,
    )
