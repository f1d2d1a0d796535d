"""Charts and files of a report as GraphQL tells them."""

from base64 import b64encode

import strawberry

from services.reporting import domain

ReportChartKind = strawberry.enum(
    domain.ChartKind,
    name="ReportChartKind",
    description="TREND: the last eight weeks; AGEING: open work by age; FUNNEL: from received to closed.",
)
ReportExportFormat = strawberry.enum(
    domain.ExportFormat,
    name="ReportExportFormat",
    description="What the file is: a PDF is the whole report to print, with its charts and without ids.",
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


@strawberry.type(
    description="A report as a file: as text of at most two million characters, or (XLSX, PDF) in base 64."
)
class ReportExport:
    """File."""

    file_name: str
    media_type: str
    base64: bool = strawberry.field(description="Whether the content is base 64 of the file.")
    content: str

    @classmethod
    def of(cls, form: domain.ExportFormat, file: tuple[str, str | bytes]) -> "ReportExport":
        """As GraphQL tells it."""
        name, content = file
        packed = isinstance(content, bytes)
        text = b64encode(content).decode() if isinstance(content, bytes) else content
        return cls(file_name=name, media_type=domain.MEDIA_TYPES[form], base64=packed, content=text)
