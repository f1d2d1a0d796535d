"""The figures of the group progress report, without a database."""

import random
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain import (
    Change,
    Figures,
    MedianHours,
    Number,
    ReferralId,
    Status,
    Verb,
    figures,
)
from tests.unit.reporting.histories import (
    CARDIOLOGY,
    DAY,
    EMERGENCY,
    HEART,
    HISTORIES,
    HOUR,
    MONDAY,
    NEXT_MONDAY,
    Told,
    told_twice,
)

SHAPE = st.sampled_from([CARDIOLOGY, HEART])


def week(*tales: Told, group: object = CARDIOLOGY) -> Figures:
    changes = [change for tale in tales for change in tale.changes]
    return figures(changes, group, MONDAY, NEXT_MONDAY)  # type: ignore[arg-type]


def flat(histories: list[list[Change]]) -> list[Change]:
    return [change for changes in histories for change in changes]


@given(HISTORIES, SHAPE, st.integers(0, 12))
def test_every_lawful_history_reconciles_in_every_week(
    histories: list[list[Change]], group: object, weeks: int
) -> None:
    """R31"""
    start = MONDAY + weeks * 7 * DAY

    told = figures(flat(histories), group, start, start + 7 * DAY)  # type: ignore[arg-type]

    assert told.reconciles
    arrived = told.count(Number.RECEIVED) + told.count(Number.REOPENED)
    arrived += told.count(Number.REASSIGNED_IN)
    left = sum(
        told.count(number)
        for number in (
            Number.COMPLETED,
            Number.CANCELLED,
            Number.DECLINED,
            Number.FORWARDED_OUT,
            Number.REASSIGNED_OUT,
        )
    )
    assert told.count(Number.OPENING) + arrived - left == told.count(Number.CLOSING)


@given(HISTORIES, SHAPE)
def test_a_week_closes_with_the_backlog_that_the_next_one_opens_with(
    histories: list[list[Change]], group: object
) -> None:
    """R31"""
    changes = flat(histories)

    this = figures(changes, group, MONDAY, NEXT_MONDAY)  # type: ignore[arg-type]
    following = figures(changes, group, NEXT_MONDAY, NEXT_MONDAY + 7 * DAY)  # type: ignore[arg-type]

    assert this.numbers[Number.CLOSING] == following.numbers[Number.OPENING]


@given(HISTORIES, st.randoms(use_true_random=False))
def test_facts_may_arrive_in_any_order_across_referrals(
    histories: list[list[Change]], chance: random.Random
) -> None:
    """R31"""
    changes = flat(histories)
    shuffled = list(changes)
    chance.shuffle(shuffled)

    assert figures(shuffled, CARDIOLOGY, MONDAY, NEXT_MONDAY) == figures(
        changes, CARDIOLOGY, MONDAY, NEXT_MONDAY
    )


@given(HISTORIES)
def test_a_fact_told_to_both_sides_of_one_organization_counts_once(
    histories: list[list[Change]],
) -> None:
    """R31"""
    doubled = [told_twice(changes) for changes in histories]

    assert figures(flat(doubled), CARDIOLOGY, MONDAY, NEXT_MONDAY) == figures(
        flat(histories), CARDIOLOGY, MONDAY, NEXT_MONDAY
    )


@given(HISTORIES, SHAPE)
def test_the_backlog_buckets_hold_each_open_referral_once(
    histories: list[list[Change]], group: object
) -> None:
    """R31"""
    told = figures(flat(histories), group, MONDAY, NEXT_MONDAY)  # type: ignore[arg-type]
    aged = [
        referral_id
        for number in Number
        if number.startswith("backlog")
        for referral_id in told.numbers[number]
    ]

    assert sorted(aged) == list(told.numbers[Number.CLOSING])
    assert set(told.numbers[Number.OVERDUE]) <= set(aged)


@given(HISTORIES)
def test_declines_by_reason_add_up_to_the_declined(histories: list[list[Change]]) -> None:
    """R31"""
    told = figures(flat(histories), CARDIOLOGY, MONDAY, NEXT_MONDAY)

    by_reason = sorted(one for ids in told.declined_by_reason.values() for one in ids)
    assert by_reason == list(told.numbers[Number.DECLINED])


@given(HISTORIES)
def test_figures_survive_being_kept_as_data(histories: list[list[Change]]) -> None:
    """R31"""
    told = figures(flat(histories), CARDIOLOGY, MONDAY, NEXT_MONDAY)

    assert Figures.from_data(told.as_data()) == told


@given(HISTORIES, st.data())
def test_a_report_that_does_not_reconcile_says_so(
    histories: list[list[Change]], data: st.DataObject
) -> None:
    """R31"""
    changes = flat(histories)
    if changes:
        changes.remove(data.draw(st.sampled_from(changes)))

    told = figures(changes, CARDIOLOGY, MONDAY, NEXT_MONDAY)

    opening, closing = set(told.numbers[Number.OPENING]), set(told.numbers[Number.CLOSING])
    assert told.reconciles == (told.unexplained == ())
    assert set(told.unexplained) <= {change.referral_id for change in changes} | opening | closing


def test_a_lost_send_is_found_by_the_reconciliation() -> None:
    """R31"""
    tale = Told().sent(HOUR).tell(Verb.ACKNOWLEDGED, Status.IN_PROGRESS, 2 * HOUR)
    del tale.changes[0]

    told = week(tale)

    assert not told.reconciles
    assert told.unexplained == (tale.referral_id,)


def test_a_referral_received_and_completed_in_a_week_counts_in_both() -> None:
    """R31"""
    tale = (
        Told()
        .sent(HOUR)
        .tell(Verb.ACKNOWLEDGED, Status.IN_PROGRESS, 3 * HOUR)
        .tell(Verb.SCHEDULED, Status.SCHEDULED, 6 * HOUR)
        .tell(Verb.COMPLETED, Status.COMPLETED, 49 * HOUR)
    )

    told = week(tale)

    for number in (Number.RECEIVED, Number.ACKNOWLEDGED, Number.SCHEDULED, Number.COMPLETED):
        assert told.numbers[number] == (tale.referral_id,)
    assert told.count(Number.CLOSING) == 0
    assert told.to_first_action == MedianHours(2.0, 1)
    assert told.to_schedule == MedianHours(5.0, 1)
    assert told.to_completion == MedianHours(48.0, 1)


def test_a_forwarded_referral_leaves_one_group_and_is_received_by_the_other() -> None:
    """R31"""
    tale = Told().sent(HOUR).tell(Verb.FORWARDED, Status.PENDING, 2 * HOUR, HEART)

    ours, theirs = week(tale), week(tale, group=HEART)

    assert (ours.count(Number.RECEIVED), ours.count(Number.FORWARDED_OUT)) == (1, 1)
    assert (theirs.count(Number.RECEIVED), theirs.count(Number.CLOSING)) == (1, 1)


def test_a_reassigned_referral_moves_without_being_received_again() -> None:
    """R31"""
    tale = Told().sent(HOUR).tell(Verb.REASSIGNED, Status.PENDING, 2 * HOUR, HEART)

    ours, theirs = week(tale), week(tale, group=HEART)

    assert ours.count(Number.REASSIGNED_OUT) == 1
    assert (theirs.count(Number.REASSIGNED_IN), theirs.count(Number.RECEIVED)) == (1, 0)


def test_choosing_a_provider_within_the_group_moves_nothing() -> None:
    """R31"""
    tale = Told().sent(HOUR).tell(Verb.REASSIGNED, Status.PENDING, 2 * HOUR)

    told = week(tale)

    assert (told.count(Number.REASSIGNED_IN), told.count(Number.REASSIGNED_OUT)) == (0, 0)
    assert told.to_first_action == MedianHours(1.0, 1)


def test_a_declined_referral_sent_again_to_the_group_is_reopened_not_received() -> None:
    """R31"""
    tale = (
        Told()
        .sent(HOUR)
        .tell(Verb.DECLINED, Status.DECLINED, 2 * HOUR, reason="NO_CAPACITY")
        .sent(3 * HOUR)
    )

    told = week(tale)

    assert (told.count(Number.RECEIVED), told.count(Number.REOPENED)) == (1, 1)
    assert told.declined_by_reason == {"NO_CAPACITY": (tale.referral_id,)}
    assert told.reconciles


def test_a_declined_referral_that_is_closed_later_counts_once() -> None:
    """R31"""
    tale = (
        Told()
        .sent(HOUR)
        .tell(Verb.DECLINED, Status.DECLINED, 2 * HOUR, reason="NO_CAPACITY")
        .tell(Verb.COMPLETED, Status.COMPLETED, 3 * HOUR)
    )

    told = week(tale)

    assert (told.count(Number.DECLINED), told.count(Number.COMPLETED)) == (1, 0)


def test_a_rescheduled_referral_is_scheduled_once() -> None:
    """R31"""
    tale = (
        Told()
        .sent(HOUR)
        .tell(Verb.SCHEDULED, Status.SCHEDULED, 2 * HOUR)
        .tell(Verb.SCHEDULED, Status.SCHEDULED, 3 * HOUR)
    )

    assert week(tale).count(Number.SCHEDULED) == 1


def test_an_appointment_that_passed_unreported_is_counted() -> None:
    """R31"""
    tale = (
        Told()
        .sent(HOUR)
        .tell(Verb.SCHEDULED, Status.SCHEDULED, 2 * HOUR)
        .tell(Verb.APPOINTMENT_PASSED, Status.FOLLOW_UP, DAY)
    )

    assert week(tale).count(Number.APPOINTMENTS_PASSED) == 1


def test_a_missed_appointment_counts_once_however_often_it_is_told() -> None:
    """R31"""
    tale = (
        Told()
        .sent(HOUR)
        .tell(Verb.SCHEDULED, Status.SCHEDULED, 2 * HOUR)
        .tell(Verb.APPOINTMENT_PASSED, Status.FOLLOW_UP, DAY)
        .tell(Verb.NO_SHOW, Status.FOLLOW_UP, 2 * DAY)
    )
    tale.changes = told_twice(tale.changes)

    assert week(tale).numbers[Number.NO_SHOWS] == (tale.referral_id,)


def test_a_group_that_sends_sees_what_it_sent() -> None:
    """R22, R31"""
    tale = Told().sent(HOUR, None)
    tale.changes = [replace(tale.changes[0], sending_group_id=EMERGENCY)]

    told = week(tale, group=EMERGENCY)

    assert told.numbers[Number.SENT] == (tale.referral_id,)
    assert told.count(Number.RECEIVED) == 0


def test_another_sender_is_neither_a_movement_nor_the_receivers_first_action() -> None:
    """R12, R31"""
    told = Told().sent(HOUR)
    told.tell(Verb.SENDER_CHANGED, Status.PENDING, 2 * HOUR)
    told.tell(Verb.ACKNOWLEDGED, Status.IN_PROGRESS, 5 * HOUR)

    found = figures(told.changes, CARDIOLOGY, MONDAY, NEXT_MONDAY)

    assert found.reconciles
    assert (found.count(Number.RECEIVED), found.count(Number.CLOSING)) == (1, 1)
    assert found.to_first_action == MedianHours(4.0, 1)


@pytest.mark.parametrize(
    ("age", "status", "overdue"),
    [
        (7 * DAY, Status.PENDING, 0),
        (7 * DAY + HOUR, Status.PENDING, 1),
        (8 * DAY, Status.IN_PROGRESS, 0),
        (14 * DAY, Status.IN_PROGRESS, 0),
        (14 * DAY + HOUR, Status.IN_PROGRESS, 1),
        (30 * DAY, Status.SCHEDULED, 0),
        (30 * DAY, Status.FOLLOW_UP, 0),
    ],
)
def test_overdue_is_pending_past_seven_days_or_undecided_past_fourteen(
    age: timedelta, status: Status, overdue: int
) -> None:
    """R31"""
    tale = Told().sent(7 * DAY - age)
    if status is not Status.PENDING:
        tale.tell(Verb.SCHEDULED, status, 7 * DAY - age)

    assert week(tale).count(Number.OVERDUE) == overdue


@pytest.mark.parametrize(
    ("age", "number"),
    [
        (HOUR, Number.BACKLOG_0_TO_3_DAYS),
        (4 * DAY - HOUR, Number.BACKLOG_0_TO_3_DAYS),
        (4 * DAY, Number.BACKLOG_4_TO_7_DAYS),
        (8 * DAY - HOUR, Number.BACKLOG_4_TO_7_DAYS),
        (8 * DAY, Number.BACKLOG_8_TO_14_DAYS),
        (15 * DAY - HOUR, Number.BACKLOG_8_TO_14_DAYS),
        (15 * DAY, Number.BACKLOG_15_DAYS_AND_MORE),
        (90 * DAY, Number.BACKLOG_15_DAYS_AND_MORE),
    ],
)
def test_open_work_is_aged_in_four_buckets(age: timedelta, number: Number) -> None:
    """R31"""
    assert week(Told().sent(7 * DAY - age)).count(number) == 1


def test_age_counts_from_the_hop_and_survives_a_reassignment() -> None:
    """R31"""
    tale = Told().sent(-3 * DAY).tell(Verb.REASSIGNED, Status.PENDING, 6 * DAY, HEART)

    told = week(tale, group=HEART)

    assert told.count(Number.BACKLOG_8_TO_14_DAYS) == 1
    assert told.count(Number.OVERDUE) == 1


def test_a_fact_at_the_first_instant_of_a_week_belongs_to_it_and_not_to_the_one_before() -> None:
    """R31"""
    tale = Told().sent(7 * DAY)

    assert week(tale).count(Number.RECEIVED) == 0
    after = figures(tale.changes, CARDIOLOGY, NEXT_MONDAY, NEXT_MONDAY + 7 * DAY)
    assert after.count(Number.RECEIVED) == 1


def test_the_median_of_an_even_number_of_waits_lies_between_the_middle_two() -> None:
    """R31"""
    tales = [
        Told(ReferralId(UUID(int=n)))
        .sent(HOUR)
        .tell(Verb.ACKNOWLEDGED, Status.IN_PROGRESS, (1 + n) * HOUR)
        for n in (1, 2, 5, 10)
    ]

    assert week(*tales).to_first_action == MedianHours(3.5, 4)


def test_an_empty_group_has_a_report_of_zeros_that_reconciles() -> None:
    """R31"""
    told = week()

    assert all(told.count(number) == 0 for number in Number)
    assert told.reconciles
    assert told.to_first_action is None


def test_a_clock_that_went_back_does_not_break_the_order_of_a_history() -> None:
    """R31"""
    tale = Told().sent(7 * DAY + HOUR).tell(Verb.ACKNOWLEDGED, Status.IN_PROGRESS, 6 * DAY)

    assert week(tale).reconciles
    assert week(tale).count(Number.ACKNOWLEDGED) == 0
