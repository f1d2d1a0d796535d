"""A report as a picture or a file, for who has read it."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from kit.service import Call
from services.reporting import policy, store
from services.reporting.actions.peers import Peers
from services.reporting.domain import (
    TREND_WEEKS,
    Chart,
    ChartKind,
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
    if form is ExportFormat.PDF:
        return name, to_pdf(report, [await chart(call, report, kind) for kind in ChartKind])
    return name, _WRITERS[form](report, with_ids=with_ids)


_WRITERS: Mapping[ExportFormat, Callable[..., str | bytes]] = {
    ExportFormat.CSV: to_csv,
    ExportFormat.JSON: to_json,
    ExportFormat.XLSX: to_xlsx,
}
