"""What single moves of a referral ask for, and what they leave behind."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from kit.errors import Refusal
from services.referrals import domain
from services.referrals.domain import Action, ProviderId, ReasonKind, Side, UserId
from tests.unit.referrals import builders
from tests.unit.referrals.builders import LATER, NOW


def test_an_appointment_is_reported_only_after_its_time() -> None:
    booked = builders.scheduled()

    with pytest.raises(Refusal) as early:
        domain.completed(booked, NOW)

    assert early.value.code == "APPOINTMENT_AHEAD"
    assert domain.completed(booked, LATER).status.value == "COMPLETED"
    assert domain.no_show(booked, LATER).status.value == "FOLLOW_UP"


def test_a_missed_appointment_cannot_be_reported_attended_afterwards() -> None:
    missed = domain.no_show(builders.scheduled(), LATER)

    with pytest.raises(Refusal) as refused:
        domain.completed(missed, LATER)

    assert refused.value.code == "NO_APPOINTMENT"


def test_an_appointment_lies_ahead_and_names_its_offset() -> None:
    for wrong in (NOW, NOW + timedelta(days=9999), LATER.replace(tzinfo=None)):
        with pytest.raises(Refusal) as refused:
            domain.scheduled(builders.sent(), wrong, NOW)
        assert refused.value.field == "at"


def test_nothing_is_booked_before_a_group_has_chosen_its_provider() -> None:
    """R21."""
    waiting = builders.to_group()

    with pytest.raises(Refusal) as refused:
        domain.scheduled(waiting, LATER, NOW)

    assert refused.value.code == "NOT_CLAIMED"
    claimed = domain.claimed(waiting, UserId(uuid4()), ProviderId(uuid4()), NOW)
    assert domain.scheduled(claimed, LATER, NOW).status.value == "SCHEDULED"


def test_nothing_is_booked_against_a_declined_authorization() -> None:
    sent = builders.removed(builders.sent(), authorization=domain.Authorization.DECLINED)

    with pytest.raises(Refusal) as refused:
        domain.scheduled(sent, LATER, NOW)

    assert refused.value.code == "NOT_AUTHORIZED"


def test_a_claim_is_taken_once_and_its_provider_stays() -> None:
    """R21, R07."""
    provider = ProviderId(uuid4())
    claimed = domain.claimed(builders.to_group(), UserId(uuid4()), provider, NOW)

    with pytest.raises(Refusal) as again:
        domain.claimed(claimed, UserId(uuid4()), provider, NOW)
    released = domain.released(claimed, NOW)
    with pytest.raises(Refusal) as other:
        domain.claimed(released, UserId(uuid4()), ProviderId(uuid4()), NOW)

    assert again.value.code == "ALREADY_CLAIMED"
    assert other.value.code == "PROVIDER_CHOSEN"
    assert domain.claimed(released, UserId(uuid4()), None, NOW).receiving_provider_id == provider


def test_a_claim_needs_a_provider_and_a_group() -> None:
    """R21."""
    with pytest.raises(Refusal) as nobody:
        domain.claimed(builders.to_group(), UserId(uuid4()), None, NOW)
    with pytest.raises(Refusal) as no_group:
        domain.claimed(builders.sent(), UserId(uuid4()), ProviderId(uuid4()), NOW)

    assert nobody.value.code == "PROVIDER_REQUIRED"
    assert no_group.value.code == "NOT_A_GROUP"


def test_a_referral_travels_no_further_than_six_receivers() -> None:
    """R13."""
    moving = builders.sent()
    while moving.hop < domain.MAX_HOPS:
        moving = domain.forwarded(moving, builders.party(), None, NOW)

    with pytest.raises(Refusal) as refused:
        domain.forwarded(moving, builders.party(), None, NOW)

    assert refused.value.code == "TOO_MANY_HOPS"
    assert Action.FORWARD not in domain.possible(moving, Side.RECEIVING, NOW)


def test_a_forward_back_to_a_past_receiver_must_be_confirmed() -> None:
    """R13, cross-cutting 9."""
    referral, past, present = builders.sent(), builders.party(), builders.party()
    hops = [
        builders.hop(referral, 1, past, left=True),
        builders.hop(referral, 2, present, left=False),
    ]

    with pytest.raises(Refusal) as loop:
        domain.require_no_loop(hops, past, confirmed=False)
    with pytest.raises(Refusal) as same:
        domain.require_no_loop(hops, present, confirmed=True)

    domain.require_no_loop(hops, past, confirmed=True)
    domain.require_no_loop(hops, builders.party(group=True), confirmed=False)
    assert (loop.value.code, same.value.code) == ("FORWARD_LOOP", "SAME_RECEIVER")


def test_a_reassigned_appointment_is_void() -> None:
    """R13."""
    booked = builders.scheduled()
    other = domain.Party(
        booked.receiving_organization_id or builders.party().organization_id,
        builders.party().office_id,
        ProviderId(uuid4()),
    )

    moved = domain.reassigned(booked, other, None, NOW)

    assert (moved.status.value, moved.appointment_at) == ("IN_PROGRESS", None)


def test_reassigning_stays_within_the_organization_and_goes_somewhere_else() -> None:
    """R13."""
    sent = builders.sent()
    receiver = sent.receiver
    assert receiver is not None

    with pytest.raises(Refusal) as beyond:
        domain.reassigned(sent, builders.party(), None, NOW)
    with pytest.raises(Refusal) as nowhere:
        domain.reassigned(sent, receiver, None, NOW)

    assert (beyond.value.code, nowhere.value.code) == ("OTHER_ORGANIZATION", "SAME_RECEIVER")


def test_a_sender_is_changed_within_the_organization_and_to_another_one() -> None:
    """R12."""
    sent = builders.sent()

    with pytest.raises(Refusal) as beyond:
        domain.sender_changed(sent, builders.party(), NOW)
    with pytest.raises(Refusal) as same:
        domain.sender_changed(sent, sent.sender, NOW)

    assert (beyond.value.code, same.value.code) == ("OTHER_ORGANIZATION", "SAME_SENDER")


def test_a_receiver_of_another_specialty_is_refused() -> None:
    """R13."""
    with pytest.raises(Refusal) as refused:
        domain.require_specialty(builders.sent(), ["207N00000X"])

    domain.require_specialty(builders.sent(), ["207N00000X", "207RC0000X"])
    domain.require_specialty(builders.sent(), [])
    assert refused.value.code == "WRONG_SPECIALTY"


def test_a_stale_version_is_refused_by_naming_the_current_one() -> None:
    """Cross-cutting 3."""
    sent = builders.sent()

    with pytest.raises(Refusal) as refused:
        domain.require_version(sent, sent.version - 1, Action.DECLINE)

    assert refused.value.code == "STALE_VERSION"
    assert refused.value.details == {"current_version": sent.version}


def test_a_callback_lies_ahead() -> None:
    with pytest.raises(Refusal) as refused:
        domain.acknowledged(builders.sent(), NOW, NOW)

    assert refused.value.field == "callbackAt"


def test_a_sender_without_provider_or_group_is_refused() -> None:
    """R22."""
    with pytest.raises(Refusal) as refused:
        builders.drafted(builders.party(provider=False))

    assert refused.value.code == "PROVIDER_REQUIRED"
    assert builders.drafted(builders.party(provider=False, group=True)).sending_provider_id is None


def test_a_reason_is_valid_from_its_first_day_until_the_day_before_its_end() -> None:
    """R13. Half-open days."""
    ending = domain.Reason(
        ReasonKind.DECLINE, "AGE", "Age", NOW.date(), (NOW + timedelta(days=2)).date()
    )

    valid = [ending.valid_on((NOW + timedelta(days=offset)).date()) for offset in (-1, 0, 1, 2)]

    assert valid == [False, True, True, False]


def test_the_patients_data_never_show_in_a_repr() -> None:
    someone = domain.Patient(
        "Canarina", "Zeta-Canary", NOW.date(), "555", "12345", "M-1", "canary-note"
    )

    assert repr(someone) == "Patient(…)"
