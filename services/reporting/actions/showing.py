"""A report as a picture or a file, for who has read it."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

from kit.service import Call
from services.reporting import policy, store
from services.reporting.actions.naming import names
from services.reporting.actions.peers import Peers
from services.reporting.domain import (
    TREND_WEEKS,
    Chart,
    ChartKind,
    Dimension,
    ExportFormat,
    Figures,
    Report,
    Week,
    ageing,
    funnel,
    to_csv,
    to_json,
    trend,
)
from services.reporting.domain.documents import to_pdf, to_xlsx


async def chart(call: Call[Peers], report: Report, kind: ChartKind) -> Chart:
    """A chart of a report; a trend shows the weeks before as they were published (R31)."""
    policy.permit_reading(call.viewer, report.group)
    if kind is ChartKind.AGEING:
        return ageing(report.group.name, report.span.week, report.figures)
    if kind is ChartKind.FUNNEL:
        return funnel(report.group.name, report.span.week, report.figures)
    monday = report.span.week.monday
    weeks = (monday - timedelta(weeks=TREND_WEEKS - 1), monday)
    async with call.db.reading() as tx:
        before = await store.reports.published_before(
            tx, report.group.organization_id, report.group.id, weeks
        )
    told = [(Week(one.week_of), Figures.from_data(one.figures)) for one in before]
    return trend(report.group.name, [*told, (report.span.week, report.figures)])


async def export(
    call: Call[Peers], report: Report, form: ExportFormat, *, with_ids: bool
) -> tuple[str, str | bytes]:
    """A report as a file: its name and what is in it. Refuses EXPORT_TOO_LARGE (R31)."""
    policy.permit_reading(call.viewer, report.group)
    name = f"report-{report.group.id}-{report.span.week.monday}.{form.value.lower()}"
    if form in _TEXTS:
        return name, _TEXTS[form](report, with_ids=with_ids)
    named = await names(call, _moving(report), ())
    if form is ExportFormat.XLSX:
        return name, to_xlsx(report, named, with_ids=with_ids)
    return name, to_pdf(report, named, [await chart(call, report, kind) for kind in ChartKind])


def _moving(report: Report) -> set[UUID]:
    """The providers who moved a number."""
    return {
        UUID(driver.key)
        for one in report.told.explanations
        for driver in one.drivers
        if driver.dimension is Dimension.PROVIDER
    }


_TEXTS: Mapping[ExportFormat, Callable[..., str]] = {
    ExportFormat.CSV: to_csv,
    ExportFormat.JSON: to_json,
}
