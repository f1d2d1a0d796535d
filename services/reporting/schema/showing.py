"""Charts and files of a report as GraphQL tells them."""

import strawberry

from services.reporting import domain

ReportChartKind = strawberry.enum(
    domain.ChartKind,
    name="ReportChartKind",
    description="TREND: the last eight weeks; AGEING: open work by age; FUNNEL: from received to closed.",
)
ReportExportFormat = strawberry.enum(
    domain.ExportFormat, name="ReportExportFormat", description="What the file is."
)


@strawberry.type(description="A row of the table behind a chart.")
class ReportChartRow:
    """Row."""

    cells: list[str]


@strawberry.type(
    description="A picture as SVG with title and description inside, nothing that runs, and the same as a table."
)
class ReportChart:
    """Chart."""

    title: str
    description: str
    svg: str
    columns: list[str]
    rows: list[ReportChartRow]

    @classmethod
    def of(cls, told: domain.Chart) -> "ReportChart":
        """As GraphQL tells it."""
        rows = [ReportChartRow(cells=list(row)) for row in told.rows]
        return cls(
            title=told.title,
            description=told.description,
            svg=told.svg,
            columns=list(told.columns),
            rows=rows,
        )


@strawberry.type(description="A report as a file of at most two million characters.")
class ReportExport:
    """File."""

    file_name: str
    media_type: str
    content: str

    @classmethod
    def of(cls, form: domain.ExportFormat, file: tuple[str, str]) -> "ReportExport":
        """As GraphQL tells it."""
        media = "text/csv; charset=utf-8" if form is domain.ExportFormat.CSV else "application/json"
        return cls(file_name=file[0], media_type=media, content=file[1])
