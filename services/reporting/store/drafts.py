"""Drafts of referrals, as they were heard of."""

from datetime import datetime

from kit import db
from kit.db import Connection
from services.reporting.domain import OrganizationId, ReferralId
from services.reporting.domain.scorecards import Draft


async def keep(tx: Connection, organization_id: OrganizationId, draft: Draft) -> None:
    """A draft is kept somewhere, or somewhere else than before."""
    await db.run(
        tx,
        """INSERT INTO drafts (organization_id, referral_id, office_id, group_id, drafted_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (organization_id, referral_id) DO UPDATE SET office_id = $3, group_id = $4""",
        organization_id,
        draft.referral_id,
        draft.office_id,
        draft.group_id,
        draft.drafted_at,
    )


async def end(
    tx: Connection, organization_id: OrganizationId, referral_id: ReferralId, at: datetime
) -> None:
    """It was sent, or will not be."""
    await db.run(
        tx,
        "UPDATE drafts SET ended_at = $3 WHERE organization_id = $1 AND referral_id = $2 AND ended_at IS NULL",
        organization_id,
        referral_id,
        at,
    )


async def kept(
    tx: Connection, organization_id: OrganizationId, span: tuple[datetime, datetime]
) -> list[Draft]:
    """The drafts that were there in a span."""
    return await db.many(
        tx,
        Draft,
        """SELECT referral_id, office_id, group_id, drafted_at, ended_at FROM drafts
            WHERE organization_id = $1 AND drafted_at < $3 AND (ended_at IS NULL OR ended_at >= $2)
            ORDER BY referral_id""",
        organization_id,
        *span,
    )
