"""Measuring what a week's work was like, and raising a finding where a rule was missed (R32)."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from kit.auth import service_viewer
from kit.db import Connection, Database
from kit.each import each
from kit.ids import new_id
from kit.service import Job, Parts
from proto.reporting.v1.events_pb2 import FindingRaised
from services.reporting import store
from services.reporting.actions.findings import tell
from services.reporting.actions.peers import Peers
from services.reporting.domain import (
    Organization,
    OrganizationId,
    Week,
    due_weeks,
    history,
)
from services.reporting.domain.findings import (
    EFFECT_WEEKS,
    Circumstances,
    Finding,
    FindingId,
    FindingState,
    effect_weeks,
    hypotheses,
    raises,
)
from services.reporting.domain.guides import Asked
from services.reporting.domain.results import Result, result
from services.reporting.domain.scorecards import (
    DEFAULTS,
    Counts,
    Draft,
    Listed,
    Measure,
    Observed,
    Observing,
    Rule,
    Subject,
    SubjectKind,
    Told,
    drafts_in_time,
    in_force,
    plans_verified,
)
from services.reporting.store import drafts, findings, guides, restated, scorecards
from services.reporting.store.people import Staffed

LOOKED_BACK = timedelta(weeks=EFFECT_WEEKS + 1)
"""Whatever was done about a finding longer before a week, the week is not one that tells whether it helped."""

_TARGET = DEFAULTS[Measure.FIRST_ACTION_IN_TIME].target_days or 0
_KEPT = DEFAULTS[Measure.DRAFTS_IN_TIME].target_days or 0


async def measure_due(parts: Parts[Peers]) -> None:
    """Measure each week that is over and was not measured, once; on the Monday after, at six local time. An organization's first
    week is the last one that is over."""
    now = parts.clock.now()
    async with parts.db.reading() as tx:
        organizations = await store.organizations.organizations(tx)
    await each(organizations, partial(_measure_all, parts.db, now))


async def _measure_all(database: Database, now: datetime, organization: Organization) -> None:
    zone = ZoneInfo(organization.time_zone or "UTC")
    due = due_weeks(now - timedelta(weeks=52), now, zone)
    async with database.reading() as tx:
        last = await scorecards.last_week(tx, organization.organization_id, due[-1].monday)
    wanted = due[-1:] if last is None else [week for week in due if week.monday > last]
    for week in wanted:
        async with database.transaction() as tx:
            await _measure(tx, organization, week, zone, now, newest=week == due[-1])


async def _measure(
    tx: Connection,
    organization: Organization,
    week: Week,
    zone: ZoneInfo,
    now: datetime,
    *,
    newest: bool,
) -> None:
    here = organization.organization_id
    if not await scorecards.begin_week(tx, here, week.monday, week.end(zone), now):
        return
    actioned = await findings.actioned(tx, here, week.start(zone) - LOOKED_BACK)
    seen = await look(tx, here, week, zone, newest=newest, again=actioned)
    results = seen.results()
    await scorecards.keep_results(tx, results)
    await restated.doubt_week(tx, here, week.monday)  # facts may have come meanwhile
    for finding in actioned:
        await measure_effect(tx, seen, finding, zone)
    if newest:
        for missed in raises(results):
            await _raise(tx, seen, missed, now)


# What is seen of a week -----------------------------------------------------------------------------------------------


@dataclass
class Seen:
    """Everything that is looked at for an organization's week. Only of the newest week is it known what insurance listed.
    `watched`: what every subject did, by how many days a first action has."""

    week: Week
    rules: Sequence[Rule]
    subjects: Sequence[Subject]
    watched: Mapping[int, Mapping[UUID, Observed]]
    listed: Sequence[Listed] | None
    members: Mapping[UUID, set[UUID]]
    staff: Sequence[Staffed]
    drafts: Sequence[Draft]
    ends_at: datetime

    def rule(self, measure: Measure) -> Rule:
        """The version that the week has."""
        return in_force(self.rules, measure, self.week.monday)

    def observed(self, days: int | None) -> Mapping[UUID, Observed]:
        """What every subject did, with so many days for a first action."""
        return self.watched[days or _target(self.rules, self.week)]

    def plans(self, subject: Subject) -> list[Listed]:
        """What insurance lists there: of a group, for its members."""
        own = self.members.get(subject.id, set())
        everybody = subject.kind is SubjectKind.OFFICE
        return [
            one
            for one in self.listed or ()
            if one.office_id in subject.office_ids and (everybody or one.provider_id in own)
        ]

    def counts(self, subject: Subject, rule: Rule) -> Counts:
        """What a rule looks at."""
        if rule.measure is Measure.PLANS_VERIFIED:
            return plans_verified(self.plans(subject), self.week.following.monday)
        if rule.measure is Measure.DRAFTS_IN_TIME:
            return drafts_in_time(self.drafts, subject, self.ends_at, rule.target_days or _KEPT)
        observed = self.observed(rule.target_days).get(subject.id)
        return observed.counts[rule.measure] if observed else Counts()

    def results(self) -> list[Result]:
        """What the rules say: nothing where there was nothing to count."""
        found = []
        for rule in map(self.rule, Measure):
            for subject in self.subjects if rule.watched else ():
                counts = self.counts(subject, rule)
                if counts.whole:
                    found.append(result(subject, self.week.monday, rule, counts))
        return found


def _target(rules: Sequence[Rule], week: Week) -> int:
    """How many days a first action has in the week."""
    return in_force(rules, Measure.FIRST_ACTION_IN_TIME, week.monday).target_days or _TARGET


def _own_rule(rules: Sequence[Rule], finding: Finding) -> Rule:
    """The version of the rule that was missed."""
    own = (one for one in rules if one.measure is finding.measure)
    rule = next((one for one in own if one.number == finding.rule_number), None)
    return rule or DEFAULTS[finding.measure]


async def look(
    tx: Connection,
    here: OrganizationId,
    week: Week,
    zone: ZoneInfo,
    *,
    newest: bool,
    again: Sequence[Finding],
) -> Seen:
    """What there is to be seen of a week. `again`: the findings whose own rules look at it as well."""
    rules = await scorecards.rules(tx, here)
    asked = [in_force(rules, one, week.monday) for one in Measure]
    asked += [_own_rule(rules, one) for one in again]
    watched = [rule for rule in asked if rule.measure is not Measure.DRAFTS_IN_TIME]
    targets = {rule.target_days or _target(rules, week) for rule in watched}
    span = (week.start(zone), week.end(zone))
    return Seen(
        week,
        rules,
        await scorecards.subjects(tx, here),
        await _watch(tx, here, span, targets),
        await scorecards.listed(tx, here, week.following.monday) if newest else None,
        await scorecards.members(tx, here),
        await store.people.staffing(tx, here) if newest else (),
        await drafts.kept(tx, here, span),
        span[1],
    )


async def _watch(
    tx: Connection, here: OrganizationId, span: tuple[datetime, datetime], targets: AbstractSet[int]
) -> dict[int, Mapping[UUID, Observed]]:
    """Go through the week's referrals once, for each of so many days that a first action has."""
    commented: dict[Told, bool] = {}
    watching = {days: Observing(*span, timedelta(days=days), commented) for days in targets}
    async for changes in scorecards.histories(tx, here, span):
        commented.clear()
        ids = list({one.referral_id for one in changes})
        commented |= await scorecards.commented(tx, here, ids)
        for _, told in groupby(changes, key=lambda change: change.referral_id):
            steps = history(told)
            for one in watching.values():
                one.see(steps)
    return {days: one.found for days, one in watching.items()}


# Findings -------------------------------------------------------------------------------------------------------------


async def _raise(tx: Connection, seen: Seen, missed: Result, now: datetime) -> None:
    subject = next(one for one in seen.subjects if one.id == missed.subject_id)
    known = await _circumstances(tx, seen, subject, now)
    finding = Finding(
        id=FindingId(new_id()),
        organization_id=missed.organization_id,
        subject=missed.subject,
        subject_id=missed.subject_id,
        measure=missed.measure,
        rule_number=missed.rule_number,
        week_of=missed.week_of,
        percent=missed.percent,
        part=missed.part,
        whole=missed.whole,
        office_ids=subject.office_ids,
        hypotheses=hypotheses(missed.measure, known),
        state=FindingState.OPEN,
        version=1,
        raised_at=now,
    )
    if await findings.raise_finding(tx, finding):
        fact = FindingRaised(
            finding_id=str(finding.id),
            subject=finding.subject,
            subject_id=str(finding.subject_id),
            measure=finding.measure,
            week_of=finding.week_of.isoformat(),
        )
        await tell(tx, finding, fact, now, service_viewer("reporting"))


async def _circumstances(
    tx: Connection, seen: Seen, subject: Subject, now: datetime
) -> Circumstances:
    here = subject.organization_id
    asked = await guides.asked_at(tx, here, [*subject.office_ids])
    observed = seen.observed(None)
    at_work = [one for one in seen.staff if one.office_id in subject.office_ids]
    elsewhere = [one for one in seen.staff if one.office_id not in subject.office_ids]
    listed = seen.plans(subject)
    others = [
        one.id
        for one in seen.subjects
        if one.kind is SubjectKind.OFFICE and one.id not in subject.office_ids
    ]
    waiting = [one.since for one in at_work if one.confirmed_at is None]
    return Circumstances(
        work=observed.get(subject.id, Observed()).work,
        staff=len({one.user_id for one in at_work}),
        confirmed=_confirmed(at_work),
        invites_expired=len({one.user_id for one in at_work if one.invite_expired}),
        waiting_days=max(((now - since).days for since in waiting), default=0),
        readings=_readings(asked),
        unread=sum(one.unread for one in asked),
        elsewhere_open=sum(observed.get(one, Observed()).work.open for one in others),
        elsewhere_confirmed=_confirmed(elsewhere),
        listed=len(listed),
        verified=plans_verified(listed, seen.week.following.monday).part,
    )


def _confirmed(staff: Sequence[Staffed]) -> int:
    return len({one.user_id for one in staff if one.confirmed_at is not None})


def _readings(asked: Sequence[Asked]) -> int:
    return sum(one.confirmed for one in asked)


async def measure_effect(tx: Connection, seen: Seen, finding: Finding, zone: ZoneInfo) -> None:
    """The finding's own rule, on a week after something was done."""
    if finding.actioned_at is None or seen.week.monday not in _tells(finding.actioned_at, zone):
        return
    subject = next((one for one in seen.subjects if one.id == finding.subject_id), None)
    counts = seen.counts(subject, _own_rule(seen.rules, finding)) if subject else Counts()
    await findings.keep_effect(tx, finding, seen.week.monday, counts.part, counts.whole)


def _tells(actioned_at: datetime, zone: ZoneInfo) -> tuple[date, ...]:
    return effect_weeks(actioned_at.astimezone(zone).date())


PRACTICE_JOBS = (Job("measure scorecards", timedelta(minutes=5), measure_due),)
