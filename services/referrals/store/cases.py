"""SQL of the cases of providers who leave. What is open is asked of the referrals; items remember what a case has held."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from kit import db
from kit.db import Connection
from services.referrals.domain import (
    Case,
    CaseId,
    CaseItem,
    GroupId,
    OfficeId,
    OrganizationId,
    ProviderId,
    ReferralId,
    Tally,
)

# $1 organization, $2 provider: open on either side; what is open on both is one item, told as received.
_OPEN: Final = """
WITH sides AS (
    SELECT id, version, status, 'RECEIVING' AS side, receiving_office_id AS office_id, receiving_group_id AS group_id,
        specialty_code, plan_id, second_plan_id, appointment_at
    FROM referrals WHERE receiving_organization_id = $1 AND receiving_provider_id = $2
        AND status IN ('PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP')
    UNION ALL
    SELECT id, version, status, 'SENDING', sending_office_id, sending_group_id, specialty_code, plan_id, second_plan_id, appointment_at
    FROM referrals WHERE sending_organization_id = $1 AND sending_provider_id = $2
        AND status IN ('DRAFT', 'PENDING', 'IN_PROGRESS', 'SCHEDULED', 'FOLLOW_UP', 'DECLINED')
), open_items AS (SELECT DISTINCT ON (id) * FROM sides ORDER BY id, side)
"""


async def open_case(tx: Connection, case: Case) -> bool:
    """Keep a new case; False when the provider has an open one."""
    made = await db.run(
        tx,
        "INSERT INTO offboarding_cases (id, organization_id, provider_id, opened_at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (organization_id, provider_id) WHERE closed_at IS NULL DO NOTHING",
        case.id,
        case.organization_id,
        case.provider_id,
        case.opened_at,
    )
    return made == 1


async def lock_open(
    tx: Connection, organization_id: OrganizationId, provider_id: ProviderId
) -> Case | None:
    """The provider's open case, locked."""
    return await db.maybe(
        tx,
        Case,
        "SELECT * FROM offboarding_cases WHERE organization_id = $1 AND provider_id = $2 AND closed_at IS NULL FOR UPDATE",
        organization_id,
        provider_id,
    )


# any-organization: a job follows everybody's cases
async def all_open(tx: Connection) -> list[Case]:
    """Every open case."""
    return await db.many(
        tx, Case, "SELECT * FROM offboarding_cases WHERE closed_at IS NULL ORDER BY id"
    )


async def put_state(tx: Connection, case: Case) -> None:
    """Since when the locked case is ready, and how it was closed."""
    await db.run(
        tx,
        "UPDATE offboarding_cases SET ready_at = $3, closed_at = $4, closed_as = $5 WHERE organization_id = $1 AND id = $2",
        case.organization_id,
        case.id,
        case.ready_at,
        case.closed_at,
        case.closed_as,
    )


async def remember(tx: Connection, case: Case, at: datetime) -> None:
    """Write down what is open and was not known yet."""
    await db.run(
        tx,
        f"{_OPEN} INSERT INTO offboarding_items SELECT $3, id, $1, office_id, $4 FROM open_items o"  # noqa: S608 - constants of this file
        " WHERE NOT EXISTS (SELECT FROM offboarding_items i WHERE i.case_id = $3 AND i.referral_id = o.id)",
        case.organization_id,
        case.provider_id,
        case.id,
        at,
    )


async def remaining(tx: Connection, case: Case) -> int:
    """How much is open with the provider of an open case."""
    found: int = await db.value(
        tx,
        f"{_OPEN} SELECT count(*) FROM open_items",  # noqa: S608 - constants of this file
        case.organization_id,
        case.provider_id,
    )
    return found


_TALLY: Final = f"""
{_OPEN}, known AS (
    SELECT coalesce(o.office_id, i.office_id) AS office_id, o.id IS NOT NULL AS is_open
    FROM (SELECT * FROM open_items WHERE $4) AS o
    FULL JOIN (SELECT * FROM offboarding_items WHERE case_id = $3 AND organization_id = $1) AS i ON i.referral_id = o.id
)
SELECT office_id, count(*) AS total, count(*) FILTER (WHERE is_open) AS remaining FROM known GROUP BY office_id ORDER BY office_id
"""  # noqa: S608 - constants of this file


async def tally(tx: Connection, case: Case) -> list[Tally]:
    """How much the case has held at each office (where it is now, or was last), and how much of it is open."""
    is_open = case.closed_at is None
    whose = (case.organization_id, case.provider_id, case.id)
    return await db.many(tx, Tally, _TALLY, *whose, is_open)


# $3 offices and $4 groups whose items are wanted (null: all), $5 office, $6 after, $7 limit.
_ITEMS: Final = f"""
{_OPEN} SELECT id AS referral_id, version, status, side, office_id, group_id, specialty_code, plan_id, second_plan_id, appointment_at
FROM open_items
WHERE ($3::uuid[] IS NULL OR office_id = ANY ($3) OR group_id = ANY ($4)) AND ($5::uuid IS NULL OR office_id = $5)
    AND ($6::uuid IS NULL OR id > $6)
ORDER BY id LIMIT $7
"""  # noqa: S608 - constants of this file


async def items(
    tx: Connection,
    case: Case,
    whose: tuple[Collection[UUID], Collection[GroupId]] | None,
    office_id: OfficeId | None,
    page: tuple[ReferralId | None, int],
) -> list[CaseItem]:
    """What is open in an open case, oldest first: everything, or what is managed by these offices and groups."""
    offices, groups = (None, None) if whose is None else map(list, whose)
    wanted = (offices, groups, office_id, *page)
    return await db.many(tx, CaseItem, _ITEMS, case.organization_id, case.provider_id, *wanted)


async def without_outcome(tx: Connection, case: Case) -> int:
    """How many completed visits at the provider of an open case nobody has reported on."""
    if case.closed_at is not None:
        return 0
    found: int = await db.value(
        tx,
        "SELECT count(*) FROM referrals WHERE receiving_organization_id = $1 AND receiving_provider_id = $2"
        " AND status = 'COMPLETED' AND outcome = 'SEEN' AND outcome_at IS NULL",
        case.organization_id,
        case.provider_id,
    )
    return found


async def of_providers(
    tx: Connection, organization_id: OrganizationId, providers: Collection[ProviderId]
) -> dict[ProviderId, Case]:
    """The latest case of each provider; absent: it never had one."""
    rows = await db.many(
        tx,
        Case,
        "SELECT DISTINCT ON (provider_id) * FROM offboarding_cases WHERE organization_id = $1 AND provider_id = ANY ($2)"
        " ORDER BY provider_id, id DESC",
        organization_id,
        list(providers),
    )
    return {row.provider_id: row for row in rows}


async def page(
    tx: Connection,
    organization_id: OrganizationId,
    *,
    closed: bool,
    part: tuple[CaseId | None, int],
) -> list[Case]:
    """The organization's cases that are open, or closed; newest first."""
    return await db.many(
        tx,
        Case,
        "SELECT * FROM offboarding_cases WHERE organization_id = $1 AND (closed_at IS NOT NULL) = $2"
        " AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4",
        organization_id,
        closed,
        *part,
    )
