"""The GraphQL subgraph of reporting."""

from datetime import date, datetime
from typing import Annotated, TypeAlias
from uuid import UUID

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

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
from services.reporting.domain import Number

Info: TypeAlias = strawberry.Info[Context[Peers], None]

ReportAction = strawberry.enum(
    domain.ReportAction, description="What the viewer may do to a published report now."
)


@strawberry.type(
    description="A number, with the referrals it counts: one counted twice is there twice."
)
class ReportNumber:
    """A number that drills to ids."""

    count: int
    referral_ids: list[strawberry.ID]


def _number(ids: tuple[domain.ReferralId, ...]) -> ReportNumber:
    return ReportNumber(count=len(ids), referral_ids=[strawberry.ID(str(one)) for one in ids])


@strawberry.type(description="Declined referrals of one coded reason.")
class DeclinedForReason:
    """Declines by reason."""

    reason_code: str
    declined: ReportNumber = strawberry.field(description="Declined by the group.")


@strawberry.type(description="Open work of an age in full days since the receiver was asked.")
class BacklogOfAge:
    """Backlog by age."""

    from_days: int
    to_days: int | None = strawberry.field(description="Included; null: and more.")
    open: ReportNumber


@strawberry.type
class MedianHours:
    """A median in hours, and how many referrals it is taken of."""

    hours: float
    referrals: int


@strawberry.type(
    description="The figures of a group's week. opening + received + reopened + reassignedIn - completed - cancelled"
    " - declined - forwardedOut - reassignedOut = closing."
)
class ReportFigures:
    """Figures."""

    opening: ReportNumber = strawberry.field(description="Open with the group when the week began.")
    received: ReportNumber = strawberry.field(description="Sent or forwarded to the group.")
    reopened: ReportNumber = strawberry.field(
        description="Sent again to the group that had closed them."
    )
    reassigned_in: ReportNumber = strawberry.field(
        description="Taken over from elsewhere in the organization."
    )
    completed: ReportNumber = strawberry.field(description="Completed by the group.")
    cancelled: ReportNumber = strawberry.field(description="Cancelled by their senders.")
    declined: ReportNumber
    forwarded_out: ReportNumber = strawberry.field(description="Forwarded to another receiver.")
    reassigned_out: ReportNumber = strawberry.field(
        description="Handed over to somebody else in the organization."
    )
    closing: ReportNumber = strawberry.field(description="Open with the group at the end.")
    sent: ReportNumber = strawberry.field(description="What the group sent as a sender (R22).")
    acknowledged: ReportNumber = strawberry.field(description="Taken up for the first time.")
    scheduled: ReportNumber = strawberry.field(description="Given an appointment.")
    appointments_passed: ReportNumber = strawberry.field(
        description="Appointments that passed without a report of what happened."
    )
    no_shows: ReportNumber = strawberry.field(description="Appointments that the patient missed.")
    overdue: ReportNumber = strawberry.field(
        description="At the end: pending for more than 7 days, or undecided for more than 14."
    )
    declined_by_reason: list[DeclinedForReason] = strawberry.field(
        description="The declined, by coded reason."
    )
    backlog_by_age: list[BacklogOfAge] = strawberry.field(
        description="The open at the end, by age; the four buckets add up to closing."
    )
    to_first_action: MedianHours | None = strawberry.field(description="From asked to first done.")
    to_schedule: MedianHours | None = strawberry.field(description="From asked to scheduled.")
    to_completion: MedianHours | None = strawberry.field(description="From asked to completed.")
    reconciles: bool = strawberry.field(
        description="Whether the sum above holds for each referral."
    )
    unexplained_referral_ids: list[strawberry.ID] = strawberry.field(
        description="The referrals for which it does not hold: facts about them are missing."
    )


_AGES: tuple[tuple[int, int | None, Number], ...] = (
    (0, 3, Number.BACKLOG_0_TO_3_DAYS),
    (4, 7, Number.BACKLOG_4_TO_7_DAYS),
    (8, 14, Number.BACKLOG_8_TO_14_DAYS),
    (15, None, Number.BACKLOG_15_DAYS_AND_MORE),
)
_IN_BACKLOG = frozenset(number for _, _, number in _AGES)


def _figures(told: domain.Figures) -> ReportFigures:
    numbers = {
        number.value: _number(told.numbers[number])
        for number in Number
        if number not in _IN_BACKLOG
    }
    return ReportFigures(
        **numbers,
        declined_by_reason=[
            DeclinedForReason(reason_code=code, declined=_number(ids))
            for code, ids in told.declined_by_reason.items()
        ],
        backlog_by_age=[
            BacklogOfAge(from_days=low, to_days=high, open=_number(told.numbers[number]))
            for low, high, number in _AGES
        ],
        to_first_action=_median(told.to_first_action),
        to_schedule=_median(told.to_schedule),
        to_completion=_median(told.to_completion),
        reconciles=told.reconciles,
        unexplained_referral_ids=[strawberry.ID(str(one)) for one in told.unexplained],
    )


def _median(told: domain.MedianHours | None) -> MedianHours | None:
    return None if told is None else MedianHours(hours=told.hours, referrals=told.referrals)


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)])
class User:
    """Somebody identity knows."""

    id: strawberry.ID


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
            figures=_figures(domain.Figures.from_data(report.figures)),
            reviewed_at=report.reviewed_at,
            reviewed_by=User(id=strawberry.ID(str(by))) if by else None,
            allowed_actions=list(policy.allowed_actions(info.context.call.viewer, group, report)),
        )


@strawberry.type(
    description="A group's week, Monday to Sunday in the organization's time zone. Ids only, no patient data."
)
class GroupProgressReport:
    """Group progress report (R31)."""

    group: "Group | None"
    week_of: date = strawberry.field(description="The Monday it starts with.")
    starts_at: datetime
    ends_at: datetime = strawberry.field(description="The first instant after the week.")
    as_of: datetime = strawberry.field(description="The week's end, or now while it runs.")
    data_as_of: datetime | None = strawberry.field(description="The last fact that was heard.")
    figures: ReportFigures = strawberry.field(description="As they are known now.")
    restated: bool = strawberry.field(
        description="Whether facts that came late make them differ from those published."
    )
    published: PublishedReport | None = strawberry.field(
        description="Null until the Monday after, 6:00 local time."
    )

    @classmethod
    def of(cls, info: Info, report: domain.Report) -> "GroupProgressReport":
        """As GraphQL tells it."""
        stands = report.published
        return cls(
            group=Group(id=strawberry.ID(str(report.group.id))),
            week_of=report.week.monday,
            starts_at=report.starts_at,
            ends_at=report.ends_at,
            as_of=report.as_of,
            data_as_of=report.data_as_of,
            figures=_figures(report.figures),
            restated=report.restated,
            published=PublishedReport.of(info, report.group, stands) if stands else None,
        )


async def _report(info: Info, group_id: UUID, day: date) -> GroupProgressReport | None:
    """A group's report, batched with the others of the request and week."""

    async def load(ids: list[domain.GroupId]) -> list[domain.Report | Denied | None]:
        return await actions.reports(info.context.call, ids, day)

    report = await info.context.loader(f"reports {day}", load).load(domain.GroupId(group_id))
    return GroupProgressReport.of(info, report) if isinstance(report, domain.Report) else None


@strawberry.federation.type(keys=["id"])
class Group:
    """A group of directory, with its progress."""

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
class Query:
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
class Mutation:
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


SCHEMA = build_schema(Query, Mutation, types=(Group,))
