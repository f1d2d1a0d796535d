"""Plans and participations for the tests of insurance's pure rooms."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from services.insurance.domain import (
    InsurancePlan,
    OfficeId,
    OrganizationId,
    Participation,
    ParticipationId,
    PayerId,
    PlanId,
    ProductType,
    ProviderId,
    Source,
    UserId,
)

PLAN = PlanId(UUID(int=7))


def plan(
    plan_id: PlanId = PLAN, first: date = date(2020, 1, 1), until: date | None = None
) -> InsurancePlan:
    return InsurancePlan(
        plan_id, PayerId(uuid4()), "Gold", ProductType.COMMPPO, self_pay=False,
        effective_from=first, effective_until=until, version=1,
    )  # fmt: skip


def row(first: date, until: date | None = None, plan_id: PlanId = PLAN) -> Participation:
    return Participation(
        id=ParticipationId(uuid4()),
        organization_id=OrganizationId(uuid4()),
        provider_id=ProviderId(uuid4()),
        office_id=OfficeId(uuid4()),
        plan_id=plan_id,
        effective_from=first,
        effective_until=until,
        source=Source.ORGANIZATION,
        added_at=datetime(2026, 1, 1, tzinfo=UTC),
        added_by=UserId(uuid4()),
        ended_at=None,
        last_verified_on=None,
        last_verified_by=None,
        version=1,
    )
