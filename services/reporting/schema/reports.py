"""Reports as GraphQL tells them, and marking them reviewed."""

from datetime import date, datetime
from typing import Annotated, TypeAlias
from uuid import UUID

import strawberry

from kit.audit.graph import audit_field
from kit.errors import Denied
from kit.graphql import (
    CommonProblems,
    Connection,
    Context,
    after_name,
    build_schema,
    connection,
    described,
    mutation,
    page_of,
)
from kit.ids import parse_id
from services.reporting import actions, domain, policy
from services.reporting.actions import Peers
from services.reporting.schema.explaining import ReportDifference, ReportExplanation
from services.reporting.schema.figures import ReportFigures, figures
from services.reporting.schema.hygiene import HygieneQuery
from services.reporting.schema.offices import Measured, Office
from services.reporting.schema.people import Organization, User
from services.reporting.schema.performance import PerformanceQuery
from services.reporting.schema.practice import PracticeMutation, PracticeQuery
from services.reporting.schema.showing import (
    ReportChart,
    ReportChartKind,
    ReportExport,
    ReportExportFormat,
)

Info: TypeAlias = strawberry.Info[Context[Peers], None]

ReportAction = strawberry.enum(
    domain.ReportAction, description="What the viewer may do to a published report now."
)


@strawberry.type(
    description="A report as it was published: it never changes, but for the stamp of its review."
)
class PublishedReport:
    """Published report."""

    id: strawberry.ID
    version: int
    published_at: datetime
    data_as_of: datetime | None = strawberry.field(description="The last fact it is made of.")
    figures: ReportFigures
    watermark: str | None = strawberry.field(
        description="The digest of the facts it is made of; null of reports of before it was told."
    )
    reviewed_at: datetime | None
    reviewed_by: User | None
    allowed_actions: list[ReportAction]  # type: ignore[valid-type]

    @classmethod
    def of(
        cls, info: Info, group: domain.Group, report: domain.PublishedReport
    ) -> "PublishedReport":
        """As GraphQL tells it."""
        by = report.reviewed_by
        return cls(
            id=strawberry.ID(str(report.id)),
            version=report.version,
            published_at=report.published_at,
            data_as_of=report.data_as_of,
            figures=figures(domain.Figures.from_data(report.figures)),
            watermark=report.watermark,
            reviewed_at=report.reviewed_at,
            reviewed_by=User(id=strawberry.ID(str(by))) if by else None,
            allowed_actions=list(policy.allowed_actions(info.context.call.viewer, group, report)),
        )


@strawberry.type(
    description="A group's week, Monday to Sunday in the organization's time zone. Ids only, no patient data."
)
class GroupProgressReport:
    """Group progress report (R31)."""

    known: strawberry.Private[domain.Report]
    group: "Group | None"
    week_of: date = strawberry.field(description="The Monday it starts with.")
    starts_at: datetime
    ends_at: datetime = strawberry.field(description="The first instant after the week.")
    as_of: datetime = strawberry.field(description="The week's end, or now while it runs.")
    data_as_of: datetime | None = strawberry.field(description="The last fact that was heard.")
    figures: ReportFigures = strawberry.field(description="As they are known now.")
    watermark: str = strawberry.field(
        description="The digest of the facts they are made of: the same facts, the same watermark."
    )
    week_before: ReportFigures = strawberry.field(
        description="The week before; while the week runs, until the same time of it."
    )
    explanations: list[ReportExplanation] = strawberry.field(
        description="The notable changes since the week before, the greatest first."
    )
    restated: bool = strawberry.field(
        description="Whether facts that came late make them differ from those published."
    )
    differences: list[ReportDifference] = strawberry.field(
        description="Of a restated report, the numbers that count other referrals than those published."
    )
    published: PublishedReport | None = strawberry.field(
        description="Null until the Monday after, 6:00 local time."
    )

    @classmethod
    def of(cls, info: Info, report: domain.Report) -> "GroupProgressReport":
        """As GraphQL tells it."""
        stands = report.published
        return cls(
            known=report,
            group=Group(id=strawberry.ID(str(report.group.id))),
            week_of=report.span.week.monday,
            starts_at=report.span.starts_at,
            ends_at=report.span.ends_at,
            as_of=report.span.as_of,
            data_as_of=report.data_as_of,
            figures=figures(report.figures),
            watermark=report.told.watermark,
            week_before=figures(report.told.before),
            explanations=[ReportExplanation.of(one) for one in report.told.explanations],
            differences=[ReportDifference.of(one) for one in report.differences],
            restated=report.restated,
            published=PublishedReport.of(info, report.group, stands) if stands else None,
        )

    @described("A chart of it.")
    async def chart(
        self,
        info: Info,
        kind: ReportChartKind,  # type: ignore[valid-type]
    ) -> ReportChart:
        """A chart (R31)."""
        return ReportChart.of(await actions.chart(info.context.call, self.known, kind))

    @described(
        "It as a file. CSV is as RFC 4180 says; a cell that a spreadsheet would run begins with an apostrophe. XLSX has typed cells"
        " and no formulas."
    )
    async def export(
        self,
        info: Info,
        format: ReportExportFormat,  # type: ignore[valid-type]
        *,
        with_referral_ids: bool = True,
    ) -> ReportExport:
        """A file (R31)."""
        file = await actions.export(
            info.context.call, self.known, format, with_ids=with_referral_ids
        )
        return ReportExport.of(format, file)

    @described(
        "Where it is had as a file, for who may read it then: a path of the gateway, asked with GET and the same token as GraphQL. ?ids=1"
        " brings the referrals' ids along."
    )
    def file_url(
        self,
        format: ReportExportFormat,  # type: ignore[valid-type]
    ) -> str:
        """A link (R31)."""
        return domain.week_url(self.known.group.id, self.week_of, format)


async def _report(info: Info, group_id: UUID, day: date) -> GroupProgressReport | None:
    """A group's report, batched with the others of the request and week."""

    async def load(ids: list[domain.GroupId]) -> list[domain.Report | Denied | None]:
        return await actions.reports(info.context.call, ids, day)

    report = await info.context.loader(f"reports {day}", load).load(domain.GroupId(group_id))
    return GroupProgressReport.of(info, report) if isinstance(report, domain.Report) else None


@strawberry.federation.type(keys=["id"])
class Group(Measured):
    """A group of directory, with its progress and what it is measured by."""

    id: strawberry.ID

    @described("The report of the week a day is in; null for a group of another organization.")
    async def progress_report(self, info: Info, week_of: date) -> GroupProgressReport | None:
        """The group's week (R31)."""
        return await _report(info, parse_id(self.id, "id"), week_of)

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Group":
        """A group another subgraph names; whether its report may be read is decided there."""
        return cls(id=id)


@strawberry.type
class Query(PracticeQuery, PerformanceQuery, HygieneQuery):
    """Client admins read the reports of the organization, office admins those of groups at their offices."""

    reporting_audit = audit_field("reporting", user=User, permit=policy.permit_audit)

    @described(
        "The report of the week a day is in; null for a group the organization does not have."
    )
    async def group_progress_report(
        self, info: Info, group_id: strawberry.ID, week_of: date
    ) -> GroupProgressReport | None:
        """A group's week (R31)."""
        return await _report(info, parse_id(group_id, "groupId"), week_of)

    @described(
        "The reports of every group the viewer may read, for the week a day is in, by group name."
    )
    async def group_progress_reports(
        self, info: Info, week_of: date, first: int | None = None, after: str | None = None
    ) -> Connection[GroupProgressReport]:
        """The organization's week (R31)."""
        page = page_of(first, after)
        groups = await actions.readable_groups(info.context.call, week_of)
        before = after_name(page)
        asked = [group.id for group in groups if before is None or group.place > before]
        told = await actions.reports(info.context.call, asked[: page.limit + 1], week_of)
        return connection(
            [report for report in told if isinstance(report, domain.Report)],
            page,
            key=lambda report: report.group.place,
            node=lambda report: GroupProgressReport.of(info, report),
        )


MarkReportReviewedResult = Annotated[
    PublishedReport | CommonProblems, strawberry.union("MarkReportReviewedResult")
]


@strawberry.input
class MarkReportReviewedInput:
    """Stamp a published report as reviewed."""

    report_id: strawberry.ID
    expected_version: int


@strawberry.type
class Mutation(PracticeMutation):
    """Published reports are reviewed by those who read them."""

    @mutation
    async def mark_report_reviewed(
        self, info: Info, input: MarkReportReviewedInput
    ) -> MarkReportReviewedResult:
        """Say that a published report was looked at (R31)."""
        group, report = await actions.mark_reviewed(
            info.context.call,
            domain.ReportId(parse_id(input.report_id, "reportId")),
            input.expected_version,
        )
        return PublishedReport.of(info, group, report)


SCHEMA = build_schema(Query, Mutation, types=(Group, Office, User, Organization))
