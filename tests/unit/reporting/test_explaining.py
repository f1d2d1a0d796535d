"""Rates, why a week differs from the one before, and what late facts changed, without a database."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain import (
    SMALL_CELL,
    Change,
    Counted,
    Dimension,
    Driver,
    Figures,
    MedianHours,
    Number,
    OfficeId,
    Outcome,
    PlanAcceptance,
    Rate,
    ReferralId,
    Share,
    Status,
    Verb,
    counted,
    differences,
    explain,
    figures,
    restated,
    tally,
    watermark,
)
from tests.unit.reporting.histories import (
    CARDIOLOGY,
    DAY,
    EMERGENCY,
    HISTORIES,
    HOUR,
    MONDAY,
    NEXT_MONDAY,
    Told,
)

ELM, OAK = OfficeId(UUID(int=50)), OfficeId(UUID(int=51))


def week(*tales: Told, group: object = CARDIOLOGY) -> Figures:
    changes = [change for tale in tales for change in tale.changes]
    return figures(changes, group, MONDAY, NEXT_MONDAY)  # type: ignore[arg-type]


def ended(told: Told, outcome: Outcome) -> Told:
    told.tell(Verb.COMPLETED, Status.COMPLETED, DAY)
    told.changes[-1] = replace(told.changes[-1], outcome=outcome)
    return told


def attached(told: Told, after: timedelta = 2 * DAY) -> Told:
    return told.tell(Verb.OUTCOME_ATTACHED, Status.COMPLETED, after)


def sent(n: int, after: timedelta = HOUR) -> Told:
    return Told(ReferralId(UUID(int=n))).sent(after)


def declines(
    count: int, reason: str, office: OfficeId, after: timedelta = HOUR, first: int = 1
) -> list[Change]:
    """So many referrals of an office, each declined the hour after."""
    told = []
    for n in range(first, first + count):
        tale = sent(n, after).tell(Verb.DECLINED, Status.DECLINED, after + HOUR, reason=reason)
        told += [replace(change, sending_office_id=office) for change in tale.changes]
    return told


def weeks(before: list[Change], now: list[Change]) -> tuple[Counted, Counted]:
    changes = [*before, *now]
    return (
        counted(tally(changes, CARDIOLOGY, MONDAY, NEXT_MONDAY)),
        counted(tally(changes, CARDIOLOGY, NEXT_MONDAY, NEXT_MONDAY + 7 * DAY)),
    )


def test_a_loop_is_closed_by_an_outcome_and_not_by_completing() -> None:
    """R31"""
    told = week(
        attached(ended(sent(1), Outcome.SEEN)),
        ended(sent(2), Outcome.SEEN),
        ended(sent(3), Outcome.UNKNOWN),
        attached(ended(sent(4), Outcome.SEEN), 8 * DAY),
    )

    assert told.rate(Rate.LOOP_CLOSURE) == Share(1, 4)
    assert told.count(Number.COMPLETED_SEEN) == 3
    assert told.numbers[Number.LOOPS_CLOSED] == (ReferralId(UUID(int=1)),)


def test_an_outcome_attached_twice_is_counted_once() -> None:
    """R31"""
    told = week(attached(attached(ended(sent(1), Outcome.SEEN)), 3 * DAY))

    assert told.count(Number.OUTCOMES_ATTACHED) == told.count(Number.LOOPS_CLOSED) == 1


def test_a_referral_that_ended_by_the_clock_was_not_acted_on() -> None:
    """R31"""
    told = week(ended(sent(1), Outcome.UNKNOWN), ended(sent(2), Outcome.SEEN))

    assert told.numbers[Number.FIRST_ACTIONS] == (ReferralId(UUID(int=2)),)


def test_the_wait_lasts_until_the_first_appointment_and_rescheduling_does_not_lengthen_it() -> None:
    """R31"""
    tale = sent(1)
    for after, notice in ((DAY, 2 * DAY), (2 * DAY, 30 * DAY)):
        tale.tell(Verb.SCHEDULED, Status.SCHEDULED, after)
        at = tale.changes[-1].occurred_at + notice
        tale.changes[-1] = replace(tale.changes[-1], appointment_at=at)

    told = week(tale)

    assert told.to_schedule == MedianHours(23.0, 1)
    assert told.to_appointment == MedianHours(71.0, 1)


def test_the_no_show_rate_is_of_appointments_kept_missed_or_passed_unreported() -> None:
    """R31"""
    booked = [sent(n).tell(Verb.SCHEDULED, Status.SCHEDULED, 2 * HOUR) for n in range(1, 6)]
    booked[0].tell(Verb.NO_SHOW, Status.FOLLOW_UP, DAY)
    ended(booked[1], Outcome.SEEN)
    booked[2].tell(Verb.APPOINTMENT_PASSED, Status.FOLLOW_UP, DAY)
    booked[3].tell(Verb.APPOINTMENT_PASSED, Status.FOLLOW_UP, DAY)
    booked[3].tell(Verb.NO_SHOW, Status.FOLLOW_UP, 2 * DAY)

    assert week(*booked).rate(Rate.NO_SHOW) == Share(2, 4)


def test_leakage_counts_sends_outside_the_plan_among_those_with_a_known_plan() -> None:
    """R31"""
    tales = []
    for n, known in enumerate([*PlanAcceptance, None, PlanAcceptance.ACCEPTED], start=1):
        tale = sent(n)
        tale.changes[0] = replace(
            tale.changes[0], sending_group_id=EMERGENCY, plan_acceptance=known
        )
        tales.append(tale)

    assert week(*tales, group=EMERGENCY).rate(Rate.LEAKAGE) == Share(1, 3)
    assert week(*tales).rate(Rate.LEAKAGE) == Share(0, 0)


def test_open_work_nobody_touched_all_week_is_unworked_and_a_message_is_work() -> None:
    """R31"""
    still, written, passed = (sent(n, -DAY) for n in (1, 2, 3))
    written.tell(Verb.MESSAGE_SENT, Status.PENDING, DAY)
    written.changes[-1] = replace(written.changes[-1], version=1)
    passed.tell(Verb.SCHEDULED, Status.SCHEDULED, -HOUR)
    passed.tell(Verb.APPOINTMENT_PASSED, Status.FOLLOW_UP, DAY)

    told = week(still, written, passed, sent(4))

    assert told.numbers[Number.UNWORKED] == (still.referral_id, passed.referral_id)


@given(HISTORIES, st.sampled_from([CARDIOLOGY, EMERGENCY]), st.integers(0, 6))
def test_no_rate_is_of_more_than_all(
    histories: list[list[Change]], group: object, weeks_on: int
) -> None:
    """R31"""
    start = MONDAY + weeks_on * 7 * DAY
    changes = [change for told in histories for change in told]

    told = figures(changes, group, start, start + 7 * DAY)  # type: ignore[arg-type]

    for rate in Rate:
        share = told.rate(rate)
        assert 0 <= share.part <= share.whole
    closing = Counter(told.numbers[Number.CLOSING])
    assert not Counter(told.numbers[Number.UNWORKED]) - closing


def test_a_change_names_what_moved_it_most() -> None:
    """R31"""
    before = declines(2, "NO_CAPACITY", ELM) + declines(4, "AGE", OAK, first=10)
    later = 7 * DAY + HOUR
    now = declines(9, "NO_CAPACITY", ELM, later, 20) + declines(4, "AGE", OAK, later, 40)

    declined = next(one for one in explain(*weeks(before, now)) if one.number is Number.DECLINED)

    assert (declined.before, declined.now) == (6, 13)
    assert declined.drivers == (
        Driver(Dimension.REASON, "NO_CAPACITY", 2, 9),
        Driver(Dimension.SENDING_OFFICE, str(ELM), 2, 9),
    )
    assert declined.sentence == (
        "Declined referrals rose from 6 to 13. What moved it most: the reason NO_CAPACITY rose from 2 to 9;"
        " one sending office rose from 2 to 9."
    )


def test_nobody_is_named_for_fewer_than_five() -> None:
    """R31"""
    later = 7 * DAY + HOUR
    now = [
        change
        for n in range(3)
        for change in declines(4, f"REASON_{n}", OfficeId(UUID(int=60 + n)), later, 1 + 10 * n)
    ]

    told = explain(*weeks([], now))

    assert [one.drivers for one in told] == [()] * len(told)
    assert all("stands out" in one.sentence for one in told)
    assert {one.number for one in told} == {Number.RECEIVED, Number.DECLINED}


def test_a_change_of_fewer_than_five_or_less_than_a_fifth_is_not_explained() -> None:
    """R31"""
    later = 7 * DAY + HOUR
    few = weeks(declines(3, "AGE", ELM), declines(7, "AGE", ELM, later, 50))
    small = weeks(declines(40, "AGE", ELM), declines(46, "AGE", ELM, later, 50))

    assert explain(*few) == explain(*small) == ()


@given(HISTORIES, st.randoms(use_true_random=False))
def test_explanations_and_watermark_are_the_same_for_the_same_facts(
    histories: list[list[Change]], chance: random.Random
) -> None:
    """R31"""
    changes = [change for told in histories for change in told]
    shuffled = list(changes)
    chance.shuffle(shuffled)

    for_order, for_chance = weeks([], changes), weeks([], shuffled)

    assert explain(*for_order) == explain(*for_chance)
    as_of = NEXT_MONDAY + 7 * DAY
    assert watermark(for_order[1], changes, as_of) == watermark(for_chance[1], shuffled, as_of)
    for one in explain(*for_order):
        assert all(max(driver.before, driver.now) >= SMALL_CELL for driver in one.drivers)


def test_what_late_facts_changed_is_told_number_by_number() -> None:
    """R31"""
    published = week(sent(1)).as_data()
    now = week(sent(1).tell(Verb.DECLINED, Status.DECLINED, DAY, reason="AGE"), sent(2))

    told = {one.number: (one.added, one.removed) for one in differences(published, now)}

    one, two = ReferralId(UUID(int=1)), ReferralId(UUID(int=2))
    assert told[Number.RECEIVED] == ((two,), ())
    assert told[Number.DECLINED] == ((one,), ())
    assert told[Number.CLOSING] == ((two,), (one,))
    assert restated(published, now)


def test_a_number_that_was_not_told_when_a_report_was_published_does_not_restate_it() -> None:
    """R31"""
    now = week(attached(ended(sent(1), Outcome.SEEN)))
    published = now.as_data()
    del published["numbers"]["loops_closed"], published["medians"][3]

    assert not restated(published, now)
    assert restated({**published, "declined_by_reason": {"AGE": []}}, now)
