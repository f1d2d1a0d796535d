"""Reading reports, and marking them reviewed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from kit.db import Connection
from kit.errors import Denied, NotFound, Unavailable
from kit.service import Call
from proto.reporting.v1.events_pb2 import ReportReviewed
from services.reporting import policy, store
from services.reporting.actions.peers import Peers
from services.reporting.actions.telling import tell
from services.reporting.domain import (
    Group,
    GroupId,
    Organization,
    OrganizationId,
    PublishedReport,
    Report,
    ReportId,
    Span,
    Telling,
    UserId,
    in_week,
    readable_week,
    refuse_other_version,
)

# Reading --------------------------------------------------------------------------------------------------------------


async def reports(
    call: Call[Peers], group_ids: Sequence[GroupId], day: date
) -> list[Report | Denied | None]:
    """The reports of a day's week, one for each group asked for (R31).

    None for a group the organization does not have, Denied for one whose reports are not the viewer's to read. Refuses a
    week that has not begun.
    """
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        found = await store.organizations.groups_by_id(tx, organization_id, group_ids)
        organization = await store.organizations.organization(tx, organization_id)
        span = _span(organization, day, call.clock.now())
        readable = [group for group in found.values() if policy.may_read(call.viewer, group)]
        found_out = {one.group.id: one for one in await told(tx, organization, readable, span)}
    return [
        found_out.get(group_id) or (policy.not_yours() if group_id in found else None)
        for group_id in group_ids
    ]


async def readable_groups(call: Call[Peers], day: date) -> list[Group]:
    """The groups of a day's week whose reports the viewer reads, by name (R31)."""
    policy.permit_reading_some(call.viewer)
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        span = _span(
            await store.organizations.organization(tx, organization_id), day, call.clock.now()
        )
        groups = sorted(
            await store.organizations.groups(tx, organization_id), key=lambda group: group.place
        )
    return [
        group for group in groups if policy.may_read(call.viewer, group) and in_week(group, span)
    ]


def _span(organization: Organization, day: date, now: datetime) -> Span:
    if organization.time_zone is None:
        raise Unavailable(
            "Reporting has not heard of this organization yet.", remedy="Try again in a moment."
        )
    zone = ZoneInfo(organization.time_zone)
    return Span.of(readable_week(day, now.astimezone(zone).date()), zone, now)


async def told(
    tx: Connection, organization: Organization, groups: Sequence[Group], span: Span
) -> list[Report]:
    """What is known of the groups' week."""
    organization_id = organization.organization_id
    ids = [group.id for group in groups]
    now = await store.tallies.counted(tx, organization_id, ids, (span.starts_at, span.as_of))
    before = await store.tallies.counted(
        tx, organization_id, ids, (span.before_starts_at, span.before_as_of)
    )
    marks = await store.tallies.watermarks(tx, organization_id, now, span.as_of)
    published = await store.reports.published(tx, organization_id, ids, span.week.monday)
    return [
        Report(
            group=group,
            span=span,
            data_as_of=organization.data_as_of,
            told=Telling.of(before[group.id], now[group.id], marks[group.id]),
            published=published.get(group.id),
        )
        for group in groups
    ]


# Reviewing ------------------------------------------------------------------------------------------------------------


async def mark_reviewed(
    call: Call[Peers], report_id: ReportId, expected_version: int
) -> tuple[Group, PublishedReport]:
    """Stamp a published report as reviewed (R31). Refuses STALE_VERSION when somebody was faster."""
    organization_id = OrganizationId(call.viewer.require_organization())
    by, at = UserId(call.viewer.require_user()), call.clock.now()
    async with call.db.transaction() as tx:
        report = await store.reports.published_report(tx, organization_id, report_id)
        if report is None:
            raise NotFound("There is no such report.", field="reportId")
        group = (await store.organizations.groups_by_id(tx, organization_id, [report.group_id]))[
            report.group_id
        ]
        policy.permit_reading(call.viewer, group)
        refuse_other_version(report, expected_version)
        await store.reports.add_review(tx, report, by, at)
        fact = ReportReviewed(report_id=str(report.id), user_id=str(by))
        await tell(tx, report, fact, at, call.viewer)
    return group, replace(report, reviewed_at=at, reviewed_by=by)
