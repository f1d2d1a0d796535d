"""Receivers that work outside of the suite: the sender takes their steps, and what nobody reports ends by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from kit.errors import Refusal
from services.referrals import domain, policy
from services.referrals.domain import Action, Outcome, Side, Status
from services.referrals.policy import Access
from tests.unit.referrals import builders
from tests.unit.referrals.builders import NOW, reason, staff_of

FIFTEEN_DAYS = timedelta(days=15)
REPORTS = {
    "ACKNOWLEDGE", "SCHEDULE", "RESCHEDULE", "CANCEL_APPOINTMENT", "COMPLETE", "ATTACH_OUTCOME", "REPORT_NO_SHOW", "DECLINE",
}  # fmt: skip
"""What the rules let a sender do for an offline receiver: not claim, reassign or forward in its name."""


def offline() -> domain.Referral:
    """A pending referral to a provider of an office that works outside of the suite."""
    return domain.managed(builders.sent(), externally=True)


@pytest.mark.parametrize("action", Action)
def test_the_sender_reports_for_an_offline_receiver_and_does_nothing_else_for_it(
    action: Action,
) -> None:
    """Section 5.5: externally managed."""
    own = domain.MOVES[action].side
    assert domain.takers(builders.sent(), action) == {own}
    both = action.value in REPORTS
    assert domain.takers(offline(), action) == ({Side.SENDING, Side.RECEIVING} if both else {own})


def test_what_the_sender_may_do_is_offered_and_what_it_may_not_is_refused() -> None:
    """Section 5.5: by the policy that decides."""
    referral, access = offline(), Access()
    sender = staff_of(referral.sender)
    offered = {one.value for one in policy.allowed_actions(sender, access, referral, NOW)}

    assert offered == {
        "ACKNOWLEDGE", "SCHEDULE", "DECLINE", "CANCEL", "CHANGE_SENDER", "CHANGE_AUTHORIZATION",
    }  # fmt: skip
    assert policy.permit(sender, access, referral, (), Action.DECLINE) == referral
    for action in (Action.FORWARD, Action.REASSIGN, Action.CLAIM):
        with pytest.raises(Refusal) as refused:
            policy.permit(sender, access, referral, (), action)
        assert refused.value.code == "WRONG_SIDE"
    with pytest.raises(Refusal) as online:
        policy.permit(
            sender, access, replace(referral, externally_managed=False), (), Action.DECLINE
        )
    assert online.value.code == "WRONG_SIDE"


def test_a_wrong_step_for_an_offline_receiver_names_what_either_side_may_do() -> None:
    """Section 5.5: every illegal transition is refused with what is allowed instead."""
    with pytest.raises(Refusal) as refused:
        domain.completed(offline(), NOW)

    assert refused.value.details["allowed_actions"] == (
        Action.ACKNOWLEDGE, Action.SCHEDULE, Action.DECLINE,
    )  # fmt: skip


def test_nobody_claims_for_a_group_at_an_offline_office() -> None:
    with pytest.raises(Refusal) as refused:
        domain.managed(builders.to_group(), externally=True)

    assert refused.value.code == "OFFLINE_GROUP"
    assert not domain.managed(builders.to_group(), externally=False).externally_managed


def test_what_nobody_reports_completes_after_fifteen_days_to_the_second() -> None:
    """Section 5.5: PENDING to an offline receiver, +15 d."""
    due = NOW + FIFTEEN_DAYS

    assert domain.unreported(offline(), due - timedelta(seconds=1)) is None
    assert domain.unreported(builders.sent(), due) is None
    noted = domain.acknowledged(offline(), None, NOW)
    assert domain.unreported(noted, due) is None
    ended = domain.unreported(offline(), due)
    assert ended is not None
    assert (ended.status, ended.outcome) == (Status.COMPLETED, Outcome.UNKNOWN)
    assert domain.outcome_attached(ended, due).outcome is Outcome.SEEN


def test_an_offline_referral_sent_on_is_its_next_receivers_own_again() -> None:
    declined = domain.declined(offline(), reason(), NOW)

    again = domain.managed(domain.resent(declined, builders.party(), None, NOW), externally=False)

    assert not again.externally_managed
    assert domain.takers(again, Action.DECLINE) == {Side.RECEIVING}
