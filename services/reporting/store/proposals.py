"""Changes of roles that were proposed, and what they are judged by."""

from collections.abc import Sequence
from datetime import datetime

from kit import db
from kit.db import Connection
from services.reporting.domain import OfficeId, OrganizationId
from services.reporting.domain.findings import FindingId
from services.reporting.domain.proposals import Proposal, Roster, WantedChange

_COVERS = """FROM person_roles r JOIN people p USING (organization_id, user_id) WHERE organization_id = w.organization_id
    AND r.office_id = w.office_id AND r.role IN ('OFFICE_ADMIN', 'OFFICE_STAFF') AND p.left_at IS NULL AND p.confirmed_at IS NOT NULL"""
_PROPOSAL = f"""SELECT id, organization_id, finding_id, change, user_id, role, office_id, proposed_by, proposed_at, applied_at,
    change = 'REVOKE' AND applied_at IS NULL
    AND EXISTS (SELECT {_COVERS} AND user_id = w.user_id AND r.role = w.role)
    AND NOT EXISTS (SELECT {_COVERS} AND (user_id <> w.user_id OR r.role <> w.role)) AS last_coverage
    FROM role_proposals w"""  # noqa: S608 - constants of this file

_ROSTER = """SELECT
    array(SELECT DISTINCT p.user_id FROM person_roles r JOIN people p USING (organization_id, user_id)
        WHERE organization_id = $1 AND r.office_id = $2 AND r.role IN ('OFFICE_ADMIN', 'OFFICE_STAFF')
        AND p.left_at IS NULL AND p.confirmed_at IS NOT NULL) AS confirmed,
    EXISTS (SELECT FROM person_roles WHERE organization_id = $1 AND office_id = $2 AND user_id = $3
        AND role = $4) AS holds,
    EXISTS (SELECT FROM person_roles WHERE organization_id = $1 AND office_id = $2 AND user_id = $3
        AND role IN ('OFFICE_ADMIN', 'OFFICE_STAFF') AND role <> $4) AS other_role,
    EXISTS (SELECT FROM people WHERE organization_id = $1 AND user_id = $3 AND left_at IS NULL
        AND confirmed_at IS NOT NULL) AS user_confirmed,
    array(SELECT DISTINCT office_id FROM person_roles WHERE organization_id = $1 AND user_id = $3
        AND role IN ('OFFICE_ADMIN', 'OFFICE_STAFF')) AS offices,
    (SELECT count(*) FROM referrals r JOIN referral_changes l USING (organization_id, referral_id, sequence)
        WHERE r.organization_id = $1 AND l.office_id = $2
        AND l.status IN ('PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP')) AS open"""


async def roster(tx: Connection, organization_id: OrganizationId, wanted: WantedChange) -> Roster:
    """How the office stands, and the user: the same reading for the preview and for the verb."""
    row = await tx.fetchrow(
        _ROSTER,
        organization_id,
        wanted.office_id,
        wanted.user_id,
        wanted.role,
    )
    if row is None:
        raise LookupError("an aggregate without a row")
    return Roster(
        frozenset(row["confirmed"]),
        row["holds"],
        row["other_role"],
        row["user_confirmed"],
        frozenset(OfficeId(one) for one in row["offices"]),
        row["open"],
    )


async def add(tx: Connection, proposal: Proposal) -> bool:
    """Keep a proposal; False when the same one waits already."""
    return bool(
        await db.run(
            tx,
            """INSERT INTO role_proposals (id, organization_id, finding_id, change, user_id, role, office_id, proposed_by,
                proposed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                ON CONFLICT (finding_id, change, user_id, role, office_id) WHERE applied_at IS NULL DO NOTHING""",
            proposal.id,
            proposal.organization_id,
            proposal.finding_id,
            proposal.change,
            proposal.user_id,
            proposal.role,
            proposal.office_id,
            proposal.proposed_by,
            proposal.proposed_at,
        )
    )


async def apply(
    tx: Connection, organization_id: OrganizationId, wanted: WantedChange, at: datetime
) -> list[Proposal]:
    """Note that a change was made: the proposals that waited for it."""
    return await db.many(
        tx,
        Proposal,
        """UPDATE role_proposals SET applied_at = $6 WHERE organization_id = $1 AND change = $2 AND user_id = $3
            AND role = $4 AND office_id = $5 AND applied_at IS NULL RETURNING *""",
        organization_id,
        wanted.change,
        wanted.user_id,
        wanted.role,
        wanted.office_id,
        at,
    )


async def of_findings(
    tx: Connection, organization_id: OrganizationId, ids: Sequence[FindingId]
) -> list[Proposal]:
    """What was proposed because of these findings, the oldest first."""
    sql = f"{_PROPOSAL} WHERE organization_id = $1 AND finding_id = ANY($2) ORDER BY id"
    return await db.many(tx, Proposal, sql, organization_id, ids)
