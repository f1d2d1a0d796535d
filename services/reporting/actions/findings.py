"""Looking at scorecards and findings, setting rules, and finding out why (R32)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from google.protobuf.message import Message

from kit import audit
from kit.auth import Viewer
from kit.db import Connection
from kit.errors import NotFound
from kit.outbox import record
from kit.service import Call
from proto.reporting.v1.events_pb2 import FindingActioned, FindingClosed
from services.reporting import policy, store
from services.reporting.actions.peers import Peers
from services.reporting.domain import OrganizationId, UserId, Week
from services.reporting.domain.findings import (
    Cause,
    Effect,
    Finding,
    FindingId,
    FindingState,
    clean_note,
    effect,
)
from services.reporting.domain.results import Restatement, Result, small
from services.reporting.domain.scorecards import (
    DEFAULTS,
    Measure,
    Rule,
    RuleChange,
    in_force,
    newest,
    require_number,
)
from services.reporting.store import findings, restated, scorecards

RESULTS_BEFORE = timedelta(weeks=4)
"""So many weeks before a finding's own are shown beside it."""

# Rules ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RuleSeen:
    """The rule of a measure for the week that runs, and the one set for later weeks."""

    now: Rule
    later: Rule | None


async def rules(call: Call[Peers]) -> list[RuleSeen]:
    """The organization's rules: for who reads some scorecard."""
    policy.permit_reading_some(call.viewer)
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        set_ = await scorecards.rules(tx, organization_id)
        monday = await _this_week(tx, call, organization_id)
    return [_rule_seen(set_, measure, monday) for measure in Measure]


def _rule_seen(set_: Sequence[Rule], measure: Measure, monday: date) -> RuleSeen:
    now, last = in_force(set_, measure, monday), newest(set_, measure)
    return RuleSeen(now, last if last.number != now.number else None)


async def _this_week(tx: Connection, call: Call[Peers], organization_id: OrganizationId) -> date:
    organization = await store.organizations.organization(tx, organization_id)
    zone = ZoneInfo(organization.time_zone or "UTC")
    return Week.of(call.clock.now().astimezone(zone).date()).monday


async def change_rule(
    call: Call[Peers], measure: Measure, wanted: RuleChange, expected: int
) -> RuleSeen:
    """Set another version of a rule, for the weeks after this one. Refuses STALE_VERSION."""
    organization_id = OrganizationId(policy.permit_practice(call.viewer))
    by, at = UserId(call.viewer.require_user()), call.clock.now()
    async with call.db.transaction() as tx:
        await scorecards.hold_rules(tx, organization_id)
        set_ = await scorecards.rules(tx, organization_id)
        before = newest(set_, measure)
        require_number(before, expected)
        monday = await _this_week(tx, call, organization_id)
        rule = wanted.of(before, Week(monday).following.monday, by, at)
        await scorecards.set_rule(tx, organization_id, rule)
        await audit.record(
            tx,
            call.viewer,
            act="scorecard_rule.changed",
            kind="scorecard_rule",
            about=None,
            organization_id=organization_id,
            at=at,
            fields=[measure],
        )
    return _rule_seen([*set_, rule], measure, monday)


# Scorecards -----------------------------------------------------------------------------------------------------------


async def scorecards_of(
    call: Call[Peers], subject_ids: Sequence[UUID], day: date | None
) -> list[list[Result] | None]:
    """What the rules said of each subject in the week of a day, or (None) in the last week that was measured. None for one that is
    not there, or not the viewer's to know."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        monday = await _week_shown(tx, call, organization_id, day)
        readable = await readable_places(tx, call.viewer, organization_id, subject_ids)
        wanted = [one for one in subject_ids if one in readable]
        told = await scorecards.results(tx, organization_id, wanted, monday) if monday else []
        since = await restated.restatements(tx, organization_id, told)
    return [
        _shown(call.viewer, readable[id_], [one for one in told if one.subject_id == id_], since)
        if id_ in readable
        else None
        for id_ in subject_ids
    ]


def _shown(
    viewer: Viewer,
    office_ids: frozenset[UUID],
    results: Sequence[Result],
    since: Sequence[Restatement],
) -> list[Result]:
    """Results as they may be told to the viewer, and what late facts changed in them."""
    all_told = policy.sees_patients_at(viewer, office_ids)
    found = {(one.subject_id, one.week_of, one.measure): one for one in since}
    return [
        one.told(found.get((one.subject_id, one.week_of, one.measure)), all_told=all_told)
        for one in results
    ]


async def _week_shown(
    tx: Connection, call: Call[Peers], organization_id: OrganizationId, day: date | None
) -> date | None:
    if day is not None:
        return Week.of(day).monday
    this = await _this_week(tx, call, organization_id)
    return await scorecards.last_week(tx, organization_id, this)


async def readable_places(
    tx: Connection, viewer: Viewer, organization_id: OrganizationId, ids: Sequence[UUID]
) -> dict[UUID, frozenset[UUID]]:
    """Of these offices and groups those whose scorecards and findings the viewer reads, with the offices of each."""
    return {
        one.id: one.office_ids
        for one in await scorecards.places(tx, organization_id, ids)
        if policy.may_read_practice(viewer, organization_id, one.office_ids)
    }


# Findings -------------------------------------------------------------------------------------------------------------


async def findings_by_id(call: Call[Peers], ids: Sequence[FindingId]) -> list[Finding | None]:
    """Findings the viewer may read, in the order of their ids."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        found = await findings.by_id(tx, organization_id, ids)
    return [_readable(call.viewer, found.get(id_)) for id_ in ids]


def _readable(viewer: Viewer, finding: Finding | None) -> Finding | None:
    if finding is None:
        return None
    here = finding.organization_id
    return finding if policy.may_read_practice(viewer, here, finding.office_ids) else None


async def all_findings(
    call: Call[Peers], state: FindingState | None, after: UUID | None, limit: int
) -> list[Finding]:
    """The findings the viewer may read, of one state or of any, oldest first."""
    policy.permit_reading_some(call.viewer)
    organization_id = OrganizationId(call.viewer.require_organization())
    everywhere = policy.looks_on(call.viewer, organization_id)
    offices = None if everywhere else sorted(call.viewer.office_admin_of)
    async with call.db.reading() as tx:
        return await findings.page(tx, organization_id, offices, state, after, limit)


async def open_findings(
    call: Call[Peers], subject_ids: Sequence[UUID]
) -> list[list[Finding] | None]:
    """What was found out about each subject and is not closed. None for one that is not the viewer's to know."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        readable = await readable_places(tx, call.viewer, organization_id, subject_ids)
        told = await findings.not_closed(tx, organization_id, sorted(readable))
    return [
        [one for one in told if one.subject_id == id_] if id_ in readable else None
        for id_ in subject_ids
    ]


async def effects(call: Call[Peers], seen: Sequence[Finding]) -> list[Effect | None]:
    """Whether what was done about these findings helped, as far as that was measured."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        weeks = await findings.effects(tx, organization_id, [one.id for one in seen])
        rules_ = await scorecards.rules(tx, organization_id)
    told = [
        effect(one, _cases(rules_, one), [week for week in weeks if week.finding_id == one.id])
        for one in seen
    ]
    return [_effect_shown(call.viewer, *pair) for pair in zip(seen, told, strict=True)]


def _effect_shown(viewer: Viewer, finding: Finding, told: Effect | None) -> Effect | None:
    if told is None or told.after is None or not small(finding.measure, told.after.whole):
        return told
    return (
        told if policy.sees_patients_at(viewer, finding.office_ids) else replace(told, after=None)
    )


def _cases(rules_: Sequence[Rule], finding: Finding) -> int:
    own = (one for one in rules_ if one.measure is finding.measure)
    rule = next((one for one in own if one.number == finding.rule_number), None)
    return (rule or DEFAULTS[finding.measure]).cases


async def results_around(call: Call[Peers], seen: Sequence[Finding]) -> list[list[Result]]:
    """What the rule said of each finding's subject from four weeks before the finding's own on."""
    organization_id = OrganizationId(call.viewer.require_organization())
    asked = [(one.subject_id, one.measure, one.week_of - RESULTS_BEFORE) for one in seen]
    async with call.db.reading() as tx:
        told = await scorecards.results_since(tx, organization_id, asked)
        since_then = await restated.restatements(tx, organization_id, told)
    return [
        _shown(
            call.viewer,
            finding.office_ids,
            [
                one
                for one in told
                if (one.subject_id, one.measure) == (subject_id, measure) and one.week_of >= since
            ],
            since_then,
        )
        for finding, (subject_id, measure, since) in zip(seen, asked, strict=True)
    ]


# Finding out why ------------------------------------------------------------------------------------------------------


async def record_cause(
    call: Call[Peers], finding_id: FindingId, cause: Cause, note: str | None, expected: int
) -> Finding:
    """Say what the cause is, as far as it is known; it may be said again. The finding is INVESTIGATING from then on. Refuses
    FINDING_CLOSED."""
    async with call.db.transaction() as tx:
        finding = await to_change(call, tx, finding_id, expected)
        at = call.clock.now()
        opened = finding.state is FindingState.OPEN
        changed = replace(
            finding,
            state=FindingState.INVESTIGATING if opened else finding.state,
            version=finding.version + 1,
            cause=cause,
            note=clean_note(note),
            investigated_by=UserId(call.viewer.require_user()),
            investigated_at=at,
        )
        await findings.change(tx, changed)
        await audit.record(
            tx,
            call.viewer,
            act="finding.cause_recorded",
            kind="finding",
            about=finding.id,
            organization_id=finding.organization_id,
            at=at,
            fields=["cause", "note"],
        )
    return changed


async def close_finding(
    call: Call[Peers], finding_id: FindingId, note: str | None, expected: int
) -> Finding:
    """End a finding, whatever was done about it. Refuses FINDING_CLOSED."""
    async with call.db.transaction() as tx:
        finding = await to_change(call, tx, finding_id, expected)
        at = call.clock.now()
        changed = replace(
            finding,
            state=FindingState.CLOSED,
            version=finding.version + 1,
            note=clean_note(note) or finding.note,
            closed_by=UserId(call.viewer.require_user()),
            closed_at=at,
        )
        await findings.change(tx, changed)
        await tell(tx, changed, FindingClosed(finding_id=str(finding.id)), at, call.viewer)
    return changed


async def to_change(
    call: Call[Peers], tx: Connection, finding_id: FindingId, expected: int | None
) -> Finding:
    """A finding that is not closed, locked, for a client admin. With None whatever version it has."""
    organization_id = OrganizationId(call.viewer.require_organization())
    finding = await findings.locked(tx, organization_id, finding_id)
    if finding is None:
        raise NotFound("There is no such finding.", field="findingId")
    policy.permit_practice(call.viewer)
    if expected is not None:
        finding.require_version(expected)
    finding.require_open()
    return finding


async def actioned(
    tx: Connection, organization_id: OrganizationId, id_: FindingId, at: datetime, by: Viewer
) -> None:
    """Something that was decided on has been done: the weeks after this one tell whether it helped. The first time counts."""
    finding = await findings.locked(tx, organization_id, id_)
    if finding is None or finding.state not in (FindingState.OPEN, FindingState.INVESTIGATING):
        return
    changed = replace(
        finding, state=FindingState.ACTIONED, version=finding.version + 1, actioned_at=at
    )
    await findings.change(tx, changed)
    await tell(tx, changed, FindingActioned(finding_id=str(id_)), at, by)


async def tell(tx: Connection, finding: Finding, fact: Message, at: datetime, by: Viewer) -> None:
    """Record a fact about a finding."""
    await record(
        tx,
        fact,
        organization_id=finding.organization_id,
        aggregate="finding",
        aggregate_id=finding.id,
        at=at,
        by=by,
    )
