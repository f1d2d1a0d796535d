"""What offices and providers did in a month, as GraphQL tells it (R31)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TypeAlias
from uuid import UUID

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from kit.graphql import Context, described
from services.reporting import domain
from services.reporting.actions import performance as actions
from services.reporting.actions.peers import Peers
from services.reporting.domain import DeedKind
from services.reporting.domain import performance as told
from services.reporting.domain.suppression import Column
from services.reporting.schema.figures import ReportRate
from services.reporting.schema.offices import Office
from services.reporting.schema.showing import ReportExportFormat

Info: TypeAlias = strawberry.Info[Context[Peers], None]
_STUB = [Key(fields=FieldSet("id"), resolvable=False)]


@strawberry.federation.type(keys=_STUB)
class Provider:
    """A provider of directory."""

    id: strawberry.ID


@strawberry.federation.type(keys=_STUB)
class InsurancePlan:
    """A plan of insurance."""

    id: strawberry.ID


@strawberry.type(description="Hours from when the receiver was asked.")
class Turnaround:
    """Turnaround."""

    median_hours: float
    p90_hours: float = strawberry.field(description="Nine of ten were faster.")


@strawberry.type(
    description="What was done with referrals in a month. Null is a small cell, or one that would tell it: fewer than 5 referrals are"
    " told only to office admins of the offices."
)
class PerformanceFigures:
    """Figures."""

    received: int | None = strawberry.field(description="Sent or forwarded there.")
    acknowledged: int | None = strawberry.field(description="Acted on for the first time.")
    scheduled: int | None = strawberry.field(description="Given the first appointment.")
    completed: int | None = strawberry.field(description="By somebody; the clock does not count.")
    declined: int | None
    loops_closed: int | None = strawberry.field(description="Outcomes reported back first.")
    appointments_over: int | None = strawberry.field(description="Reported as kept or missed.")
    no_shows: int | None
    no_show_rate: ReportRate | None = strawberry.field(description="noShows of appointmentsOver.")
    to_acknowledge: Turnaround | None
    to_schedule: Turnaround | None
    to_complete: Turnaround | None

    @classmethod
    def of(cls, one: told.Measured) -> "PerformanceFigures":
        """As GraphQL tells it."""
        counts = one.counts
        return cls(
            received=counts[DeedKind.RECEIVED],
            acknowledged=counts[DeedKind.ACKNOWLEDGED],
            scheduled=counts[DeedKind.SCHEDULED],
            completed=counts[DeedKind.COMPLETED],
            declined=counts[DeedKind.DECLINED],
            loops_closed=counts[DeedKind.LOOP_CLOSED],
            appointments_over=counts[DeedKind.APPOINTMENT_OVER],
            no_shows=counts[DeedKind.NO_SHOW],
            no_show_rate=rate(one.no_show_rate),
            to_acknowledge=_turnaround(one.waits.get(DeedKind.ACKNOWLEDGED)),
            to_schedule=_turnaround(one.waits.get(DeedKind.SCHEDULED)),
            to_complete=_turnaround(one.waits.get(DeedKind.COMPLETED)),
        )


def rate(share: domain.Share | None) -> ReportRate | None:
    """A share as GraphQL tells it."""
    if share is None:
        return None
    return ReportRate(part=share.part, whole=share.whole, percent=share.percent)


def _turnaround(one: told.Turnaround | None) -> Turnaround | None:
    return None if one is None else Turnaround(median_hours=one.median, p90_hours=one.p90)


@strawberry.type
class OfficePerformance:
    """What an office did."""

    office: Office | None
    figures: PerformanceFigures


@strawberry.type
class ProviderPerformance:
    """What a provider did."""

    provider: Provider | None = strawberry.field(
        description="Null: referrals to groups, while nobody had claimed them."
    )
    figures: PerformanceFigures


@strawberry.type
class CountByReason:
    """How many had a coded reason."""

    reason_code: str
    count: int | None = strawberry.field(description="Null is a small cell.")


def _reasons(column: Column[str]) -> list[CountByReason]:
    found = sorted(column.cells.items(), key=lambda one: (-(one[1] or 0), one[0]))
    return [CountByReason(reason_code=code, count=count) for code, count in found]


@strawberry.type(
    description="Of the referrals sent with a plan of which insurance knew whether the receiver takes it, those that went outside."
    " Null is a small cell, and all of it to a provider: what was sent is known by office."
)
class Leakage:
    """Leakage."""

    sent: int | None
    outside: int | None
    rate: ReportRate | None

    @classmethod
    def of(cls, one: told.Leakage) -> "Leakage":
        """As GraphQL tells it."""
        return cls(sent=one.sent, outside=one.outside, rate=rate(one.rate))


@strawberry.type
class PlanLeakage:
    """Leakage of a plan."""

    plan: InsurancePlan | None = strawberry.field(description="Null: which plan was not told.")
    leakage: Leakage


@strawberry.type(
    description="A calendar month in the organization's time zone: of the whole organization, of an office admin's own offices, or of"
    " a provider's own referrals."
)
class PerformanceReport:
    """Performance report (R31)."""

    month: date = strawberry.field(description="Its first day.")
    as_of: datetime = strawberry.field(description="The month's end, or now while it runs.")
    data_as_of: datetime | None = strawberry.field(description="The last fact that was heard.")
    small_cells_told: bool = strawberry.field(
        description="Whether numbers below 5 are told: to office admins of their own offices, and to providers of their own referrals."
    )
    total: PerformanceFigures
    offices: list[OfficePerformance] = strawberry.field(description="Most received first.")
    providers: list[ProviderPerformance] = strawberry.field(description="Most received first.")
    declined_by_reason: list[CountByReason]
    no_shows_by_reason: list[CountByReason]
    leakage: Leakage
    leakage_by_plan: list[PlanLeakage] = strawberry.field(description="Most sent first.")
    outside_plan_reasons: list[CountByReason] = strawberry.field(
        description="Why the senders went outside the plan."
    )

    @described(
        "Where it is had as a file (CSV, XLSX or PDF), for who may read it then: a path of the gateway, asked with GET and the same"
        " token as GraphQL."
    )
    def file_url(
        self,
        format: ReportExportFormat,  # type: ignore[valid-type]
    ) -> str:
        """A link (R31)."""
        return domain.month_url(self.month, format)

    @classmethod
    def of(cls, one: told.Performance) -> "PerformanceReport":
        """As GraphQL tells it."""
        return cls(
            month=one.month.first,
            as_of=one.as_of,
            data_as_of=one.data_as_of,
            small_cells_told=one.all_told,
            total=PerformanceFigures.of(one.total),
            offices=[
                OfficePerformance(office=Office.of(id_), figures=PerformanceFigures.of(row))
                for id_, row in told.most_received(one.offices)
            ],
            providers=[
                ProviderPerformance(provider=_provider(id_), figures=PerformanceFigures.of(row))
                for id_, row in told.most_received(one.providers)
            ],
            declined_by_reason=_reasons(one.declines),
            no_shows_by_reason=_reasons(one.no_shows),
            leakage=Leakage.of(one.leakage),
            leakage_by_plan=_plans(one.plans),
            outside_plan_reasons=_reasons(one.outside),
        )


def _provider(id_: UUID | None) -> Provider | None:
    return None if id_ is None else Provider(id=strawberry.ID(str(id_)))


def _plans(plans: Mapping[UUID | None, told.Leakage]) -> list[PlanLeakage]:
    return [
        PlanLeakage(
            plan=None if id_ is None else InsurancePlan(id=strawberry.ID(str(id_))),
            leakage=Leakage.of(leakage),
        )
        for id_, leakage in told.most_sent(plans)
    ]


@strawberry.type
class PerformanceQuery:
    """Client admins read the whole organization's performance, office admins that of their offices, providers their own."""

    @described(
        "What offices and providers did in the month a day is in, how fast, and why not; and what was sent outside of plans."
    )
    async def performance_report(self, info: Info, month: date) -> PerformanceReport:
        """A month (R31)."""
        return PerformanceReport.of(await actions.performance(info.context.call, month))
