"""Best practice in its pure rooms: what Markdown may become, what rules and findings say, and who may do what."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.auth import Kind, Viewer
from services.reporting import policy
from services.reporting.domain import Change, OrganizationId, ReferralId, Share, history
from services.reporting.domain.findings import (
    Cause,
    Circumstances,
    EffectVerdict,
    EffectWeek,
    Finding,
    FindingAction,
    FindingId,
    FindingState,
    effect,
    effect_weeks,
    hypotheses,
)
from services.reporting.domain.markdown import to_html
from services.reporting.domain.scorecards import (
    DEFAULTS,
    Measure,
    Observing,
    Rule,
    SubjectKind,
    Verdict,
    Work,
    in_force,
    newest,
)
from tests.unit.reporting.histories import DAY, MONDAY, NEXT_MONDAY, referrals

OURS = OrganizationId(UUID(int=1))
OFFICE = UUID(int=3)
NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
FINDING = Finding(
    id=FindingId(UUID(int=5)),
    organization_id=OURS,
    subject=SubjectKind.OFFICE,
    subject_id=OFFICE,
    measure=Measure.FIRST_ACTION_IN_TIME,
    rule_number=1,
    week_of=date(2026, 3, 2),
    percent=80,
    part=4,
    whole=10,
    office_ids=frozenset({OFFICE}),
    hypotheses=(),
    state=FindingState.ACTIONED,
    version=2,
    raised_at=NOW,
    actioned_at=NOW,
)

# Markdown -------------------------------------------------------------------------------------------------------------

TAGS = {
    *("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "hr", "br", "pre", "code", "em", "strong", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}  # fmt: skip
NASTY = st.lists(
    st.sampled_from(
        [
            *("<script>", "</script>", "<img src=x onerror=a>", "<a href='javascript:x'>", "<!--", "-->", "<?", "]]>", "&lt;"),
            *("[x](javascript:alert(1))", "[x](data:text/html,1)", "![x](https://a.example/p.png)", "[x](https://a.example)"),
            *("[x]: javascript:1", "<javascript:x>", "`", "```", "|", "\n", "\n\n", "> ", "# ", '"', "'", "\\", "(", ")", "[", "]"),
            *("&#106;avascript:", "\u0001", "onload=", "style=", "x"),
        ]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(st.one_of(NASTY, st.text(max_size=200)))
def test_no_text_becomes_anything_but_the_tags_of_markdown_with_harmless_links(text: str) -> None:
    """R30"""
    html = to_html(text)

    for tag in re.findall(r"<[^>]*>?", html):
        found = re.fullmatch(r"</?([a-z0-9]+)((?: [a-z]+=\"[^\"<>]*\")*) ?/?>", tag)
        assert found is not None, tag
        assert found[1] in TAGS, tag
        for name, value in re.findall(r" ([a-z]+)=\"([^\"]*)\"", found[2]):
            assert name in {"href", "title", "class", "style", "start"}, tag
            if name == "href":
                assert re.match(r"(https?://|mailto:|tel:|#)", value, re.IGNORECASE), tag
            if name == "style":
                assert re.fullmatch(r"text-align:(left|right|center)", value), tag


# Rules ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "whole", "verdict"),
    [(8, 10, "MET"), (7, 10, "MISSED"), (4, 5, "MET"), (0, 4, "NOT_ENOUGH_DATA"), (0, 0, "NOT_ENOUGH_DATA")],
)  # fmt: skip
def test_a_rule_says_nothing_of_fewer_than_five(part: int, whole: int, verdict: str) -> None:
    """R32"""
    assert DEFAULTS[Measure.ATTENDANCE_REPORTED].verdict(Share(part, whole)) is Verdict(verdict)


def test_a_week_has_the_version_it_began_with() -> None:
    """R32"""
    measure = Measure.PLANS_VERIFIED
    rules = [
        Rule(measure, 2, 50, from_week=date(2026, 3, 9)),
        Rule(measure, 3, 60, from_week=date(2026, 3, 9)),
        Rule(measure, 4, 70, from_week=date(2026, 3, 16)),
    ]
    found = [in_force(rules, measure, date(2026, 3, day)).number for day in (2, 9, 16, 23)]
    assert found == [1, 3, 4, 4]
    assert newest(rules, measure).number == 4
    assert in_force(rules, Measure.ATTENDANCE_REPORTED, date(2026, 3, 23)).number == 1


Numbers = dict[UUID, dict[Measure, tuple[int, int, list[ReferralId]]]]


def observed(some: Iterable[list[Change]]) -> Numbers:
    """What is counted of referrals, for everybody who had them."""
    seeing = Observing(MONDAY, NEXT_MONDAY, 2 * DAY, {})
    for changes in some:
        seeing.see(history(changes))
    return {
        id_: {
            measure: (one.part, one.whole, sorted(one.missed))
            for measure, one in found.counts.items()
        }
        for id_, found in seeing.found.items()
    }


@given(st.lists(referrals(), max_size=5))
def test_what_is_counted_is_counted_alike_in_whatever_order_referrals_are_told(
    told: list[list[Change]],
) -> None:
    """R32: no part is greater than its whole, and each miss is a referral."""
    seen = observed(told)
    assert seen == observed(reversed(told))
    for measures in seen.values():
        for part, whole, missed in measures.values():
            assert 0 <= part <= whole
            assert len(missed) == whole - part


# Findings -------------------------------------------------------------------------------------------------------------


def test_where_nothing_stands_out_no_cause_is_named() -> None:
    """R32"""
    known = Circumstances(
        Work(arrived=10, open=8), staff=3, confirmed=3, readings=3, listed=10, verified=10
    )
    assert hypotheses(Measure.FIRST_ACTION_IN_TIME, known) == ()


@given(
    st.builds(
        Circumstances,
        work=st.builds(Work, *[st.integers(0, 50)] * 3),
        staff=st.integers(0, 9),
        confirmed=st.integers(0, 9),
        readings=st.integers(0, 9),
        unread=st.integers(0, 9),
        elsewhere_open=st.integers(0, 90),
        elsewhere_confirmed=st.integers(0, 9),
        listed=st.integers(0, 20),
        verified=st.integers(0, 20),
    ),
    st.sampled_from(Measure),
)
def test_every_hypothesis_has_its_numbers_and_a_rule_is_no_cause_of_itself(
    known: Circumstances, measure: Measure
) -> None:
    """R32"""
    found = hypotheses(measure, known)
    assert all(one.evidence and one.sentence for one in found)
    assert len({one.cause for one in found}) == len(found)
    if measure is Measure.PLANS_VERIFIED:
        assert Cause.STALE_PLANS not in {one.cause for one in found}


def test_the_two_weeks_that_tell_begin_after_the_week_in_which_something_was_done() -> None:
    """R33"""
    for day in (9, 11, 15):
        assert effect_weeks(date(2026, 3, day)) == (date(2026, 3, 16), date(2026, 3, 23))


@pytest.mark.parametrize(
    ("weeks", "verdict"),
    [
        ([], "MEASURING"),
        ([(5, 5)], "MEASURING"),
        ([(1, 2), (1, 2)], "NOT_ENOUGH_DATA"),
        ([(4, 5), (4, 5)], "MET"),
        ([(2, 5), (3, 5)], "BETTER"),
        ([(2, 5), (2, 5)], "NO_BETTER"),
        ([(0, 5), (0, 5)], "NO_BETTER"),
    ],
)
def test_whether_it_helped_is_said_once_two_weeks_are_over(
    weeks: list[tuple[int, int]], verdict: str
) -> None:
    """R33"""
    told = [
        EffectWeek(FINDING.id, date(2026, 3, 16) + number * timedelta(weeks=1), *counts)
        for number, counts in enumerate(weeks)
    ]
    seen = effect(FINDING, 5, told)
    assert seen is not None
    assert seen.verdict is EffectVerdict(verdict)
    assert effect(replace(FINDING, actioned_at=None), 5, told) is None


# Who ------------------------------------------------------------------------------------------------------------------

VIEWERS = st.builds(
    Viewer,
    kind=st.just(Kind.USER),
    user_id=st.just(UUID(int=9)),
    organization_id=st.sampled_from([OURS, UUID(int=2), None]),
    client_admin=st.booleans(),
    reporting_only=st.booleans(),
    insurance_manager=st.booleans(),
    office_admin_of=st.frozensets(st.sampled_from([OFFICE, UUID(int=4)])),
    office_staff_of=st.frozensets(st.sampled_from([OFFICE])),
)


@given(VIEWERS, st.sampled_from(FindingState))
def test_only_client_admins_act_on_a_finding_and_only_on_their_own(
    viewer: Viewer, state: FindingState
) -> None:
    """R32"""
    closed = datetime(2026, 4, 1, tzinfo=UTC) if state is FindingState.CLOSED else None
    finding = replace(FINDING, state=state, closed_at=closed)
    own = viewer.organization_id == OURS
    may = own and viewer.client_admin and state is not FindingState.CLOSED
    assert policy.finding_actions(viewer, finding) == (tuple(FindingAction) if may else ())
    reads = own and (
        viewer.client_admin or viewer.reporting_only or OFFICE in viewer.office_admin_of
    )
    assert policy.may_read_practice(viewer, OURS, finding.office_ids) == reads
