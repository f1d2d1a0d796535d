"""What was done with referrals at offices, without a database."""

from dataclasses import replace
from uuid import UUID

from hypothesis import given

from services.reporting.domain import (
    Change,
    DeedKind,
    OfficeId,
    Outcome,
    PlanAcceptance,
    PlanId,
    Status,
    Verb,
    deeds,
    history,
)
from tests.unit.reporting.histories import DAY, HISTORIES, HOUR, Told

ELM, OAK = OfficeId(UUID(int=50)), OfficeId(UUID(int=51))
PLAN = PlanId(UUID(int=70))


def at(changes: list[Change], office: OfficeId = ELM) -> list[Change]:
    return [replace(change, office_id=office) for change in changes]


def kinds(changes: list[Change]) -> list[DeedKind]:
    return [deed.kind for step in history(changes) for deed in deeds(step)]


def test_a_referral_is_received_acknowledged_scheduled_and_completed_once() -> None:
    """R31"""
    tale = Told().sent(HOUR).tell(Verb.ACKNOWLEDGED, Status.IN_PROGRESS, 2 * HOUR)
    tale.tell(Verb.SCHEDULED, Status.SCHEDULED, 5 * HOUR)
    tale.tell(Verb.SCHEDULED, Status.SCHEDULED, 6 * HOUR)
    tale.tell(Verb.COMPLETED, Status.COMPLETED, 49 * HOUR)
    tale.changes[-1] = replace(tale.changes[-1], outcome=Outcome.SEEN)
    tale.tell(Verb.OUTCOME_ATTACHED, Status.COMPLETED, 50 * HOUR)

    found = [deed for step in history(at(tale.changes)) for deed in deeds(step)]

    assert [(deed.kind, deed.waited / HOUR) for deed in found] == [
        (DeedKind.RECEIVED, 0),
        (DeedKind.ACKNOWLEDGED, 1),
        (DeedKind.SCHEDULED, 4),
        (DeedKind.COMPLETED, 48),
        (DeedKind.APPOINTMENT_OVER, 48),
        (DeedKind.LOOP_CLOSED, 49),
    ]


def test_what_ends_by_the_clock_nobody_completed() -> None:
    """R31"""
    tale = Told().sent(HOUR).tell(Verb.COMPLETED, Status.COMPLETED, 15 * DAY)
    tale.changes[-1] = replace(tale.changes[-1], outcome=Outcome.UNKNOWN)

    assert kinds(at(tale.changes)) == [DeedKind.RECEIVED]


def test_a_decline_is_the_office_s_that_had_it_with_its_reason() -> None:
    """R31"""
    tale = Told().sent(HOUR).tell(Verb.DECLINED, Status.DECLINED, DAY, reason="AGE")

    (_, acknowledged, declined) = [
        deed for step in history(at(tale.changes)) for deed in deeds(step)
    ]

    assert (acknowledged.kind, declined.kind) == (DeedKind.ACKNOWLEDGED, DeedKind.DECLINED)
    assert (declined.reason_code, declined.office_id) == ("AGE", ELM)


def test_a_send_counts_for_leakage_where_insurance_knew_of_the_plan() -> None:
    """R31"""
    found = []
    for known in (*PlanAcceptance, None):
        tale = Told().sent(HOUR, None)
        sent = replace(
            tale.changes[0],
            plan_acceptance=known,
            sending_office_id=OAK,
            plan_id=PLAN,
            outside_plan_reason="PATIENT_WISH" if known is PlanAcceptance.NOT_LISTED else None,
        )
        found += [deed for step in history([sent]) for deed in deeds(step)]

    assert [(one.plan_id, one.outside_plan, one.reason_code, one.office_id) for one in found] == [
        (PLAN, False, None, OAK),
        (PLAN, True, "PATIENT_WISH", OAK),
    ]


@given(HISTORIES)
def test_nobody_does_more_than_was_asked(histories: list[list[Change]]) -> None:
    """R31"""
    for changes in histories:
        counted = kinds(at(changes))
        received = counted.count(DeedKind.RECEIVED)
        for kind in (DeedKind.ACKNOWLEDGED, DeedKind.SCHEDULED, DeedKind.DECLINED):
            assert counted.count(kind) <= received
        assert counted.count(DeedKind.NO_SHOW) <= counted.count(DeedKind.APPOINTMENT_OVER)
