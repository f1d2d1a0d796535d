"""The canonical state machine, judged by a table written down a second time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.strategies import sampled_from

from kit.errors import Refusal
from services.referrals import domain
from services.referrals.domain import Action, ProviderId, ReasonKind, Referral, Side, UserId
from tests.unit.referrals import builders
from tests.unit.referrals.builders import LATER, NOW, reason

# The canonical machine as the product's rules write it. "=": the status stays.
CANONICAL = """
DRAFT        SENDING    CHANGE_DRAFT        =
DRAFT        SENDING    SEND                PENDING
PENDING      RECEIVING  ACKNOWLEDGE         IN_PROGRESS
PENDING      RECEIVING  SCHEDULE            SCHEDULED
IN_PROGRESS  RECEIVING  SCHEDULE            SCHEDULED
SCHEDULED    RECEIVING  RESCHEDULE          SCHEDULED
FOLLOW_UP    RECEIVING  RESCHEDULE          SCHEDULED
SCHEDULED    RECEIVING  CANCEL_APPOINTMENT  IN_PROGRESS
SCHEDULED    RECEIVING  COMPLETE            COMPLETED
FOLLOW_UP    RECEIVING  COMPLETE            COMPLETED
COMPLETED    RECEIVING  ATTACH_OUTCOME      =
SCHEDULED    RECEIVING  REPORT_NO_SHOW      FOLLOW_UP
FOLLOW_UP    RECEIVING  REPORT_NO_SHOW      FOLLOW_UP
PENDING      RECEIVING  DECLINE             DECLINED
IN_PROGRESS  RECEIVING  DECLINE             DECLINED
SCHEDULED    RECEIVING  DECLINE             DECLINED
FOLLOW_UP    RECEIVING  DECLINE             DECLINED
DECLINED     SENDING    RESEND              PENDING
PENDING      RECEIVING  REASSIGN            =
IN_PROGRESS  RECEIVING  REASSIGN            =
SCHEDULED    RECEIVING  REASSIGN            IN_PROGRESS
FOLLOW_UP    RECEIVING  REASSIGN            =
PENDING      RECEIVING  FORWARD             PENDING
IN_PROGRESS  RECEIVING  FORWARD             PENDING
FOLLOW_UP    RECEIVING  FORWARD             PENDING
PENDING      RECEIVING  CLAIM               IN_PROGRESS
IN_PROGRESS  RECEIVING  CLAIM               =
SCHEDULED    RECEIVING  CLAIM               =
FOLLOW_UP    RECEIVING  CLAIM               =
PENDING      SENDING    CHANGE_SENDER       =
IN_PROGRESS  SENDING    CHANGE_SENDER       =
SCHEDULED    SENDING    CHANGE_SENDER       =
FOLLOW_UP    SENDING    CHANGE_SENDER       =
DECLINED     SENDING    CHANGE_SENDER       =
PENDING      SENDING    CHANGE_AUTHORIZATION  =
IN_PROGRESS  SENDING    CHANGE_AUTHORIZATION  =
SCHEDULED    SENDING    CHANGE_AUTHORIZATION  =
FOLLOW_UP    SENDING    CHANGE_AUTHORIZATION  =
DECLINED     SENDING    CHANGE_AUTHORIZATION  =
DRAFT        SENDING    CANCEL              CANCELLED
PENDING      SENDING    CANCEL              CANCELLED
IN_PROGRESS  SENDING    CANCEL              CANCELLED
SCHEDULED    SENDING    CANCEL              CANCELLED
FOLLOW_UP    SENDING    CANCEL              CANCELLED
DECLINED     SENDING    CANCEL              CANCELLED
"""
ROWS = [line.split() for line in CANONICAL.strip().splitlines()]
TABLE = {(source, action): (side, target) for source, side, action, target in ROWS}


def perform(referral: Referral, action: Action, now: datetime) -> Referral:
    """Take the action with arguments that are right for it."""
    ahead = now + timedelta(days=3)
    elsewhere = builders.party()
    inside = domain.Party(
        referral.receiving_organization_id or elsewhere.organization_id,
        elsewhere.office_id,
        elsewhere.provider_id,
    )
    colleague = domain.Party(
        referral.sending_organization_id, elsewhere.office_id, elsewhere.provider_id
    )
    ways: dict[Action, Callable[[], Referral]] = {
        Action.CHANGE_DRAFT: lambda: domain.redrafted(referral, builders.draft(), now),
        Action.SEND: lambda: domain.sent(referral, elsewhere, None, now),
        Action.ACKNOWLEDGE: lambda: domain.acknowledged(referral, None, now),
        Action.CLAIM: lambda: domain.claimed(
            referral,
            UserId(uuid4()),
            referral.receiving_provider_id or ProviderId(uuid4()),
            now,
        ),
        Action.SCHEDULE: lambda: domain.scheduled(referral, ahead, now),
        Action.RESCHEDULE: lambda: domain.rescheduled(referral, ahead, now),
        Action.CANCEL_APPOINTMENT: lambda: domain.appointment_cancelled(referral, now),
        Action.COMPLETE: lambda: domain.completed(referral, now),
        Action.ATTACH_OUTCOME: lambda: domain.outcome_attached(referral, now),
        Action.REPORT_NO_SHOW: lambda: domain.no_show(referral, now),
        Action.DECLINE: lambda: domain.declined(referral, reason(), now),
        Action.REASSIGN: lambda: domain.reassigned(referral, inside, None, now),
        Action.FORWARD: lambda: domain.forwarded(referral, elsewhere, None, now),
        Action.RESEND: lambda: domain.resent(referral, elsewhere, None, now),
        Action.CHANGE_SENDER: lambda: domain.sender_changed(referral, colleague, now),
        Action.CHANGE_AUTHORIZATION: lambda: domain.authorization_changed(referral, None, now),
        Action.CANCEL: lambda: domain.cancelled(referral, reason(ReasonKind.CANCEL), now),
    }
    return ways[action]()


def attempt(referral: Referral, action: Action, now: datetime) -> Referral | None:
    """The referral after the action; None when it was refused."""
    try:
        return perform(referral, action, now)
    except Refusal:
        return None


def test_the_machine_is_the_canonical_one_and_no_other() -> None:
    written = {(source, action): side for (source, action), (side, _) in TABLE.items()}

    coded = {
        (source.value, action.value): move.side.value
        for action, move in domain.MOVES.items()
        for source in move.sources
    }

    assert coded == written


class AnyHistory(RuleBasedStateMachine):
    """A referral that suffers every action in every order, with time passing, beside the table."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.referral = builders.drafted()

    @initialize(group=sampled_from([True, False]))
    def send(self, group: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
        receiver = builders.party(group=group, provider=not group)
        self.referral = domain.sent(self.referral, receiver, None, self.now)

    @rule(days=sampled_from([1, 4]))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule()
    def the_job_runs(self) -> None:
        passed = domain.appointment_passed(self.referral, self.now)
        due = self.referral.appointment_at
        if self.referral.status.value == "SCHEDULED" and due is not None and due <= self.now:
            assert passed is not None
            assert passed.status.value == "FOLLOW_UP"
            self.referral = passed
        else:
            assert passed is None

    @rule()
    def a_decline_lapses(self) -> None:
        before, lapsing = self.referral, replace(reason(), lapses=True)
        lapsed = domain.lapsed(before, lapsing, self.now)
        due = before.status_since + timedelta(days=10)
        assert (lapsed is not None) == (before.status.value == "DECLINED" and due <= self.now)
        if lapsed is not None:
            assert (lapsed.status.value, lapsed.outcome) == ("COMPLETED", domain.Outcome.DECLINED)
            self.referral = lapsed

    @rule(action=sampled_from(list(Action)))
    def somebody_acts(self, action: Action) -> None:
        before = self.referral
        side, target = TABLE.get((before.status.value, action.value), ("", ""))
        offered = side and action in domain.possible(before, Side(side), self.now)
        after = attempt(before, action, self.now)
        if after is None:
            assert not offered
            return
        assert offered
        assert after.status.value == (before.status.value if target == "=" else target)
        assert after.version == before.version + 1
        self.referral = after

    @invariant()
    def the_referral_is_whole(self) -> None:
        it = self.referral
        assert (it.status.value in ("DECLINED", "CANCELLED")) == (it.reason_code is not None)
        assert it.status.value != "SCHEDULED" or it.appointment_at is not None
        assert it.status.value != "SCHEDULED" or it.receiving_provider_id is not None
        assert it.claimed_by is None or it.receiving_group_id is not None
        assert it.hop >= 1
        assert (it.status.value == "COMPLETED") == (it.outcome is not None)
        assert it.outcome_at is None or it.outcome is domain.Outcome.SEEN
        assert it.status_since <= it.changed_at <= self.now
        if it.status in domain.ENDED:
            left = {action for side in Side for action in domain.possible(it, side, self.now)}
            assert left <= {Action.ATTACH_OUTCOME}


AnyHistory.TestCase.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
TestAnyHistory = AnyHistory.TestCase


def test_what_cannot_be_done_says_what_can_be_done_instead() -> None:
    """Section 5.5: every illegal transition is refused with what is allowed instead."""
    with pytest.raises(Refusal) as refused:
        domain.completed(builders.sent(), NOW)

    assert refused.value.code == "WRONG_STATUS"
    assert refused.value.details["allowed_actions"] == (
        Action.ACKNOWLEDGE, Action.SCHEDULE, Action.DECLINE, Action.REASSIGN, Action.FORWARD,
    )  # fmt: skip


def test_a_referral_that_lapsed_has_no_visit_to_report_on() -> None:
    declined = domain.declined(builders.sent(), reason(), NOW)
    lapsed = domain.lapsed(declined, replace(reason(), lapses=True), NOW + timedelta(days=10))
    assert lapsed is not None

    with pytest.raises(Refusal) as refused:
        domain.outcome_attached(lapsed, NOW + timedelta(days=11))

    assert refused.value.code == "NOT_SEEN"


def test_a_decline_lapses_after_ten_days_to_the_second_and_only_if_its_reason_lets_it() -> None:
    declined = domain.declined(builders.sent(), reason(), NOW)
    lapsing, due = replace(reason(), lapses=True), NOW + timedelta(days=10)

    assert domain.lapsed(declined, lapsing, due - timedelta(seconds=1)) is None
    assert domain.lapsed(declined, reason(), due) is None
    assert domain.lapsed(declined, lapsing, due) is not None


def test_a_visit_that_nobody_reported_completes_where_the_organization_wants_it_so() -> None:
    passed = domain.appointment_passed(builders.scheduled(), LATER, completes=True)

    assert passed is not None
    assert (passed.status.value, passed.outcome) == ("COMPLETED", domain.Outcome.UNKNOWN)
    assert domain.outcome_attached(passed, LATER).outcome is domain.Outcome.SEEN
