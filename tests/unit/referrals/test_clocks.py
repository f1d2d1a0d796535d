"""How long a receiver may take, and what it is late with."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from kit.errors import Invalid
from services.referrals import domain
from services.referrals.domain import OrganizationId, Overdue, Targets
from tests.unit.referrals import builders
from tests.unit.referrals.builders import NOW

OURS = Targets(OrganizationId(uuid4()))


@pytest.mark.parametrize(
    ("days", "seconds", "late"),
    [
        (7, 0, None),
        (7, 1, Overdue.ACKNOWLEDGE),
        (14, 0, Overdue.ACKNOWLEDGE),
        (14, 1, Overdue.DECIDE),
    ],
)
def test_a_receiver_is_late_after_seven_days_to_acknowledge_and_fourteen_to_decide(
    days: int, seconds: int, late: Overdue | None
) -> None:
    sent = builders.sent()

    assert domain.overdue(sent, OURS, NOW + timedelta(days=days, seconds=seconds)) is late


def test_who_has_acknowledged_is_late_only_to_decide() -> None:
    noted = domain.acknowledged(builders.sent(), None, NOW + timedelta(days=6))

    assert domain.overdue(noted, OURS, NOW + timedelta(days=14)) is None
    assert domain.overdue(noted, OURS, NOW + timedelta(days=15)) is Overdue.DECIDE


def test_a_new_receiver_has_its_own_clock() -> None:
    moved = domain.forwarded(builders.sent(), builders.party(), None, NOW + timedelta(days=6))

    assert domain.due_at(moved, OURS) == NOW + timedelta(days=13)


def test_a_reassigned_referral_keeps_the_clock_of_the_organization() -> None:
    sent = builders.sent()
    inside = domain.Party(
        sent.receiving_organization_id or builders.party().organization_id,
        builders.party().office_id,
        builders.party().provider_id,
    )

    moved = domain.reassigned(sent, inside, None, NOW + timedelta(days=6))

    assert domain.due_at(moved, OURS) == NOW + timedelta(days=7)


def test_nothing_is_due_once_it_is_booked_declined_or_a_draft() -> None:
    declined = domain.declined(builders.sent(), builders.reason(), NOW)

    for quiet in (builders.scheduled(), declined, builders.drafted()):
        assert domain.due_at(quiet, OURS) is None
        assert domain.overdue(quiet, OURS, NOW + timedelta(days=99)) is None


@pytest.mark.parametrize(
    ("acknowledge", "decide", "field"),
    [(0, 14, "acknowledgeDays"), (7, 91, "decideDays"), (9, 8, "decideDays")],
)
def test_a_target_that_is_none_is_refused_and_named(
    acknowledge: int, decide: int, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        Targets(OURS.organization_id, acknowledge, decide)

    assert refused.value.field == field
