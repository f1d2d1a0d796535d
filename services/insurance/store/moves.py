"""SQL of providers who were placed at another office because theirs closes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kit import db
from kit.db import Connection
from services.insurance.domain import OfficeId, OrganizationId, ProviderId


@dataclass(frozen=True, slots=True)
class Move:
    """A provider who goes from an office to another on a day."""

    placement_id: UUID
    organization_id: OrganizationId
    provider_id: ProviderId
    from_office_id: OfficeId
    to_office_id: OfficeId
    effective_from: date


async def keep_move(tx: Connection, move: Move) -> None:
    """Remember a move."""
    await db.run(
        tx,
        """INSERT INTO moves (placement_id, organization_id, provider_id, from_office_id, to_office_id, effective_from)
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING""",
        move.placement_id,
        move.organization_id,
        move.provider_id,
        move.from_office_id,
        move.to_office_id,
        move.effective_from,
    )


async def moves_to_review(
    tx: Connection,
    organization_id: OrganizationId,
    offices: Sequence[UUID] | None,
    *,
    after: UUID | None,
    limit: int,
) -> list[Move]:
    """The moves to some offices or (None) any after which nothing was listed at the new office, while something was at the old
    one, and the provider still goes there."""
    return await db.many(
        tx,
        Move,
        """SELECT placement_id, organization_id, provider_id, from_office_id, to_office_id, effective_from FROM moves m
            WHERE organization_id = $1 AND ($2::uuid[] IS NULL OR to_office_id = ANY($2))
            AND ($3::uuid IS NULL OR placement_id > $3)
            AND EXISTS (SELECT FROM participations p WHERE p.organization_id = $1
                AND p.provider_id = m.provider_id AND p.office_id = m.from_office_id
                AND coalesce(p.effective_until, 'infinity') >= m.effective_from)
            AND NOT EXISTS (SELECT FROM participations p WHERE p.organization_id = $1
                AND p.provider_id = m.provider_id AND p.office_id = m.to_office_id
                AND coalesce(p.effective_until, 'infinity') > m.effective_from)
            AND EXISTS (SELECT FROM placements l WHERE l.organization_id = $1 AND l.id = m.placement_id
                AND coalesce(l.effective_until, 'infinity') > l.effective_from)
            ORDER BY placement_id LIMIT $4""",
        organization_id,
        offices,
        after,
        limit,
    )
