"""What was done with referrals at offices."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kit import db
from kit.db import Connection
from services.reporting.domain import Deed, DeedKind, OrganizationId
from services.reporting.domain.performance import WAITED_FOR, Done, Scope, Turnaround, Waited


async def add(tx: Connection, organization_id: OrganizationId, deeds: Sequence[Deed]) -> None:
    """Keep what a step did."""
    for deed in deeds:
        await db.run(
            tx,
            """INSERT INTO deeds (organization_id, kind, referral_id, sequence, at, waited, office_id, provider_id, reason_code,
                plan_id, outside_plan)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
            organization_id,
            deed.kind,
            deed.referral_id,
            deed.sequence,
            deed.at,
            deed.waited,
            deed.office_id,
            deed.provider_id,
            deed.reason_code,
            deed.plan_id,
            deed.outside_plan,
        )


async def done(
    tx: Connection, organization_id: OrganizationId, whose: Scope, span: tuple[datetime, datetime]
) -> list[Done]:
    """What was done from a start (included) until an end (not included)."""
    return await db.many(
        tx,
        Done,
        """SELECT kind, office_id, provider_id, reason_code, plan_id, outside_plan, count(*) FROM deeds
            WHERE organization_id = $1 AND ($2::uuid[] IS NULL OR office_id = ANY($2)) AND at >= $3 AND at < $4
            AND ($5::uuid IS NULL OR provider_id = $5)
            GROUP BY 1, 2, 3, 4, 5, 6""",
        organization_id,
        whose.office_ids,
        *span,
        whose.provider_id,
    )


async def waited(
    tx: Connection, organization_id: OrganizationId, whose: Scope, span: tuple[datetime, datetime]
) -> Waited:
    """How long it took until then."""
    rows = await tx.fetch(
        """SELECT kind, GROUPING(office_id), GROUPING(provider_id), office_id, provider_id,
                percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM waited)::float8 / 3600)
            FROM deeds
            WHERE organization_id = $1 AND ($2::uuid[] IS NULL OR office_id = ANY($2)) AND at >= $3 AND at < $4
            AND kind = ANY($5) AND ($6::uuid IS NULL OR provider_id = $6)
            GROUP BY GROUPING SETS ((kind), (kind, office_id), (kind, provider_id))""",
        organization_id,
        whose.office_ids,
        *span,
        WAITED_FOR,
        whose.provider_id,
    )
    total: dict[DeedKind, Turnaround] = {}
    offices: dict[UUID, dict[DeedKind, Turnaround]] = {}
    providers: dict[UUID | None, dict[DeedKind, Turnaround]] = {}
    for kind, not_of_office, not_of_provider, office_id, provider_id, (median, p90) in rows:
        if not not_of_office:
            of = offices.setdefault(office_id, {})
        elif not not_of_provider:
            of = providers.setdefault(provider_id, {})
        else:
            of = total
        of[DeedKind(kind)] = Turnaround(round(median, 2), round(p90, 2))
    return Waited(total, offices, providers)
