"""Counting weeks of scorecards again when facts of them come late (R31, R32)."""

from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from kit.db import Connection, Database
from kit.each import each
from kit.service import Job, Parts
from services.reporting import store
from services.reporting.actions.measuring import LOOKED_BACK, Seen, look, measure_effect
from services.reporting.actions.peers import Peers
from services.reporting.actions.publishing import RESTATED_FOR
from services.reporting.domain import Organization, OrganizationId, Week
from services.reporting.domain.results import Result, result, unmeasured
from services.reporting.domain.scorecards import COUNTED, Subject
from services.reporting.store import findings, restated, scorecards


async def restate_scorecards(parts: Parts[Peers]) -> None:
    """Count each week in doubt again, of the last four; what a rule says of it since is shown beside what it said first."""
    now = parts.clock.now()
    async with parts.db.reading() as tx:
        organizations = await store.organizations.organizations(tx)
    await each(organizations, partial(_restate_all, parts.db, now))


async def _restate_all(database: Database, now: datetime, organization: Organization) -> None:
    here, zone = organization.organization_id, ZoneInfo(organization.time_zone or "UTC")
    async with database.reading() as tx:
        weeks = await restated.doubtful(tx, here)
    for monday in weeks:
        async with database.transaction() as tx:
            week = Week(monday)
            if await restated.settle(tx, here, monday) and week.end(zone) > now - RESTATED_FOR:
                await _restate(tx, here, week, zone, now)


async def _restate(
    tx: Connection, here: OrganizationId, week: Week, zone: ZoneInfo, now: datetime
) -> None:
    actioned = await findings.actioned(tx, here, week.start(zone) - LOOKED_BACK)
    seen = await look(tx, here, week, zone, newest=False, again=actioned)
    kept = await _kept(tx, here, seen, week.monday)
    for told in _counted(seen):
        said = kept.get((told.subject_id, told.measure))
        if said is None and told.whole:
            said = unmeasured(told)
            await scorecards.keep_results(tx, [said])
        if said is not None and (said.part, said.whole, said.missed) != _figure(told):
            await restated.restate(tx, told, now)
        elif said is not None:
            await restated.withdraw(tx, told)
    for finding in actioned:
        if finding.measure in COUNTED and any(
            one.id == finding.subject_id for one in seen.subjects
        ):
            await measure_effect(tx, seen, finding, zone)


async def _kept(
    tx: Connection, here: OrganizationId, seen: Seen, monday: date
) -> dict[tuple[object, object], Result]:
    ids = [one.id for one in seen.subjects]
    told = await scorecards.results(tx, here, ids, monday)
    return {(one.subject_id, one.measure): one for one in told}


def _figure(told: Result) -> tuple[object, ...]:
    return told.part, told.whole, told.missed


def _counted(seen: Seen) -> list[Result]:
    """What the rules say now, of everybody there still is and of what facts of referrals alone tell."""
    rules = [rule for rule in map(seen.rule, COUNTED) if rule.watched]

    def told(subject: Subject) -> list[Result]:
        return [
            result(subject, seen.week.monday, rule, seen.counts(subject, rule)) for rule in rules
        ]

    return [one for subject in seen.subjects for one in told(subject)]


RESTATING_JOBS = (Job("restate scorecards", timedelta(minutes=5), restate_scorecards),)
