"""Publishing reports, telling that late facts changed them, and asking for their review."""

from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from kit.auth import service_viewer
from kit.db import Database
from kit.each import each
from kit.ids import new_id
from kit.service import Job, Parts
from proto.reporting.v1.events_pb2 import ReportPublished, ReportRestated, ReportReviewDue
from services.reporting import store
from services.reporting.actions.peers import Peers
from services.reporting.actions.reports import told
from services.reporting.actions.telling import tell
from services.reporting.domain import (
    Group,
    Organization,
    OrganizationId,
    PublishedReport,
    ReportId,
    Span,
    Week,
    due_weeks,
    in_week,
)

RESTATED_FOR = timedelta(days=28)
"""How long after a week it is told that late facts changed its report; who reads it later still sees it."""

REVIEWED_WITHIN = timedelta(days=7)
"""After so long without a review, one is asked for."""


async def publish_due(parts: Parts[Peers]) -> None:
    """Publish each report that is due and has not been published, once and for good (R31)."""
    now = parts.clock.now()
    async with parts.db.reading() as tx:
        organizations = await store.organizations.organizations(tx)
    await each(organizations, partial(_publish_all, parts.db, now))


async def _publish_all(database: Database, now: datetime, organization: Organization) -> None:
    zone = ZoneInfo(organization.time_zone or "UTC")
    for group, week in await _missing(database, organization, zone, now):
        await _publish(database, organization, group, Span.of(week, zone, now), now)


async def _missing(
    database: Database, organization: Organization, zone: ZoneInfo, now: datetime
) -> list[tuple[Group, Week]]:
    async with database.reading() as tx:
        due = [
            (group, week)
            for group in await store.organizations.groups(tx, organization.organization_id)
            for week in due_weeks(group.added_at, now, zone)
            if in_week(group, Span.of(week, zone, now))
        ]
        since = min((week.monday for _, week in due), default=date.max)
        done = await store.reports.published_weeks(tx, organization.organization_id, since)
    return [(group, week) for group, week in due if (group.id, week.monday) not in done]


async def _publish(
    database: Database, organization: Organization, group: Group, span: Span, now: datetime
) -> None:
    async with database.transaction() as tx:
        await store.organizations.hold(tx, organization.organization_id)
        current = await store.organizations.organization(tx, organization.organization_id)
        (report,) = await told(tx, current, [group], span)
        published = PublishedReport(
            id=ReportId(new_id()),
            organization_id=group.organization_id,
            group_id=group.id,
            week_of=span.week.monday,
            figures=report.figures.as_data(),
            data_as_of=report.data_as_of,
            published_at=now,
            reviewed_at=None,
            reviewed_by=None,
            watermark=report.told.watermark,
        )
        if await store.reports.publish(tx, published):
            fact = ReportPublished(
                report_id=str(published.id),
                group_id=str(group.id),
                week_of=published.week_of.isoformat(),
            )
            await tell(tx, published, fact, now, service_viewer("reporting"))


# Restating ------------------------------------------------------------------------------------------------------------


async def restate_due(parts: Parts[Peers]) -> None:
    """Tell of each report of the last four weeks that late facts have changed, once for each state (R31). Only reports that facts
    heard since they were published may have changed are looked at."""
    now = parts.clock.now()
    async with parts.db.reading() as tx:
        organizations = await store.organizations.organizations(tx)
    await each(organizations, partial(_restate_all, parts.db, now))


async def _restate_all(database: Database, now: datetime, organization: Organization) -> None:
    async with database.reading() as tx:
        weeks = await store.reports.doubtful_weeks(tx, organization.organization_id)
    zone = ZoneInfo(organization.time_zone or "UTC")
    for monday in weeks:
        await _restate(database, organization.organization_id, Week(monday), zone, now)


async def _restate(
    database: Database, organization_id: OrganizationId, week: Week, zone: ZoneInfo, now: datetime
) -> None:
    async with database.transaction() as tx:
        await store.organizations.hold(tx, organization_id)
        doubtful = await store.reports.settle(tx, organization_id, week.monday)
        if week.end(zone) <= now - RESTATED_FOR:
            return
        organization = await store.organizations.organization(tx, organization_id)
        groups = await store.organizations.groups_by_id(tx, organization_id, doubtful)
        span = Span.of(week, zone, now)
        for report in await told(tx, organization, list(groups.values()), span):
            published, mark = report.published, report.told.watermark
            if published is None or not report.restated:
                continue
            if await store.reports.restate(tx, published, mark, report.figures.as_data(), now):
                fact = ReportRestated(report_id=str(published.id), watermark=mark)
                await tell(tx, published, fact, now, service_viewer("reporting"))


# Reminding ------------------------------------------------------------------------------------------------------------


async def remind_due(parts: Parts[Peers]) -> None:
    """Ask once for the review of each report that nobody has reviewed for seven days (R31)."""
    now = parts.clock.now()
    async with parts.db.reading() as tx:
        organizations = await store.organizations.organizations(tx)
    await each(organizations, partial(_remind_all, parts.db, now))


async def _remind_all(database: Database, now: datetime, organization: Organization) -> None:
    async with database.transaction() as tx:
        since = now - REVIEWED_WITHIN
        for report in await store.reports.unreviewed(tx, organization.organization_id, since):
            if await store.reports.remind(tx, report, now):
                fact = ReportReviewDue(
                    report_id=str(report.id),
                    group_id=str(report.group_id),
                    week_of=report.week_of.isoformat(),
                )
                await tell(tx, report, fact, now, service_viewer("reporting"))


JOBS = (
    Job("publish reports", timedelta(minutes=1), publish_due),
    Job("restate reports", timedelta(hours=1), restate_due),
    Job("remind of reports", timedelta(hours=1), remind_due),
)
