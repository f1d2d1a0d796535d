"""Who sees what: no role sees another organization's referrals, and no role but those who work them sees any."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis.strategies import booleans, builds, frozensets, sampled_from

from kit.auth import ANONYMOUS, Stage, Viewer, service_viewer
from kit.errors import Refusal
from services.referrals import domain, policy
from services.referrals.domain import Action, Party, Queue, Referral, Side
from services.referrals.policy import Access, Sight
from tests.unit.referrals import builders
from tests.unit.referrals.builders import NOW, staff_of, user

NOTHING = Access()
SENDER, RECEIVER, STRANGER = builders.party(), builders.party(group=True), builders.party()
REFERRAL = builders.sent(SENDER, RECEIVER)
OFFICES = [SENDER.office_id, RECEIVER.office_id, STRANGER.office_id]


def seen(viewer: Viewer, referral: Referral = REFERRAL, access: Access = NOTHING) -> bool:
    return policy.seen(viewer, access, referral, (), NOW) is not None


def groups(end: Party) -> Access:
    assert end.group_id is not None
    return Access(groups=frozenset({end.group_id}))


ANY_USER = builds(
    user,
    sampled_from([SENDER.organization_id, RECEIVER.organization_id, STRANGER.organization_id]),
    client_admin=booleans(),
    insurance_manager=booleans(),
    insurance_manager_of=frozensets(sampled_from(OFFICES)),
    call_centre=booleans(),
    support=booleans(),
    office_admin_of=frozensets(sampled_from(OFFICES)),
    office_staff_of=frozensets(sampled_from(OFFICES)),
    provider_id=sampled_from(
        [None, SENDER.provider_id, RECEIVER.provider_id, STRANGER.provider_id]
    ),
)
ANY_ACCESS = builds(
    Access,
    groups=frozensets(sampled_from([RECEIVER.group_id])),
    removed=frozensets(sampled_from([SENDER.provider_id, RECEIVER.provider_id])),
)


@given(viewer=ANY_USER, access=ANY_ACCESS)
def test_what_is_seen_is_exactly_what_an_independent_reading_of_the_rules_allows(
    viewer: Viewer, access: Access
) -> None:
    """R02, R14, R26."""
    ends: list[Party] = [SENDER, RECEIVER]
    expected = any(
        end.organization_id == viewer.organization_id
        and end.provider_id not in access.removed
        and (
            end.office_id in viewer.office_staff_of
            or end.office_id in viewer.office_admin_of
            or (end.group_id is not None and end.group_id in access.groups)
            or end.provider_id == viewer.provider_id
        )
        for end in ends
    )

    assert seen(viewer, access=access) == expected
    assert bool(policy.allowed_actions(viewer, access, REFERRAL, NOW)) == expected


@given(viewer=ANY_USER, access=ANY_ACCESS)
def test_nobody_takes_an_action_of_a_side_they_are_not_on(viewer: Viewer, access: Access) -> None:
    """Only the current receiver changes a status, only the sender cancels."""
    mine = policy.sides(viewer, access, REFERRAL)

    for action in policy.allowed_actions(viewer, access, REFERRAL, NOW):
        assert domain.MOVES[action].side in mine
    if Side.SENDING not in mine:
        assert Action.CANCEL not in policy.allowed_actions(viewer, access, REFERRAL, NOW)


def test_office_staff_admins_and_group_staff_of_an_end_see_the_referral() -> None:
    admin = user(RECEIVER.organization_id, office_admin_of=frozenset({RECEIVER.office_id}))

    assert seen(staff_of(SENDER))
    assert seen(staff_of(RECEIVER))
    assert seen(admin)
    assert seen(user(RECEIVER.organization_id), access=groups(RECEIVER))


def test_a_provider_works_the_own_end_and_no_colleagues() -> None:
    """R02, R14: of the own organization, as long as they belong to it."""
    me = user(RECEIVER.organization_id, provider_id=RECEIVER.provider_id)
    gone = Access(removed=frozenset({RECEIVER.provider_id}))
    to_the_group = builders.sent(SENDER, replace(RECEIVER, provider_id=None))

    assert policy.sides(me, NOTHING, REFERRAL) == {Side.RECEIVING}
    assert not seen(user(RECEIVER.organization_id, provider_id=builders.party().provider_id))
    assert not seen(user(STRANGER.organization_id, provider_id=RECEIVER.provider_id))
    assert not seen(me, access=gone)
    assert not seen(me, to_the_group)
    assert policy.has_queue(me, NOTHING, Queue(provider_id=RECEIVER.provider_id))
    assert not policy.has_queue(me, gone, Queue(provider_id=RECEIVER.provider_id))
    assert not policy.has_queue(me, NOTHING, Queue(provider_id=SENDER.provider_id))
    assert not policy.has_queue(me, NOTHING, Queue(office_id=RECEIVER.office_id))


def test_client_admins_insurance_managers_call_centre_and_support_see_no_referral() -> None:
    """R02, R26."""
    for role in ("client_admin", "insurance_manager", "call_centre", "support"):
        assert not seen(user(RECEIVER.organization_id, **{role: True}))


def test_an_insurance_manager_of_an_office_sees_none_of_its_referrals_and_has_no_queue() -> None:
    """R26: the office's plans, and nothing of its patients."""
    keeper = user(RECEIVER.organization_id, insurance_manager_of=frozenset(OFFICES))

    assert not seen(keeper)
    assert not policy.has_queue(keeper, NOTHING, Queue(office_id=RECEIVER.office_id))
    assert not policy.may_count(keeper, NOTHING)


def test_nobody_services_and_half_signed_in_sessions_see_no_referral() -> None:
    """R05."""
    half = replace(staff_of(RECEIVER), stage=Stage.SET_PASSWORD)

    for viewer in (ANONYMOUS, service_viewer("directory"), half):
        assert not seen(viewer)


def test_a_grant_at_an_office_means_nothing_in_another_organization() -> None:
    """R02."""
    impostor = user(STRANGER.organization_id, office_staff_of=frozenset(OFFICES))

    assert not seen(impostor)
    assert not seen(impostor, access=groups(RECEIVER))


def test_a_draft_is_not_there_for_its_receiver_even_when_cancelled() -> None:
    unsent = builders.removed(
        builders.drafted(SENDER),
        receiving_organization_id=RECEIVER.organization_id,
        receiving_office_id=RECEIVER.office_id,
        receiving_provider_id=RECEIVER.provider_id,
    )
    dropped = builders.removed(unsent, status=domain.Status.CANCELLED)

    assert not seen(staff_of(RECEIVER), unsent)
    assert not seen(staff_of(RECEIVER), dropped)


def test_after_a_removal_the_organization_has_lost_the_providers_referrals_and_the_counterpart_has_not() -> (
    None
):
    """R14."""
    assert RECEIVER.provider_id is not None
    gone = Access(removed=frozenset({RECEIVER.provider_id}))

    assert not seen(staff_of(RECEIVER), access=gone)
    assert seen(staff_of(SENDER), access=Access())


def test_who_is_on_both_sides_keeps_the_referral_as_counterpart_after_a_removal() -> None:
    """R14."""
    inside = Party(SENDER.organization_id, RECEIVER.office_id, domain.ProviderId(uuid4()))
    referral = builders.sent(SENDER, inside)
    assert inside.provider_id is not None
    gone = Access(removed=frozenset({inside.provider_id}))
    both = user(
        SENDER.organization_id, office_staff_of=frozenset({SENDER.office_id, inside.office_id})
    )

    assert policy.sides(both, Access(), referral) == {Side.SENDING, Side.RECEIVING}
    assert policy.sides(both, gone, referral) == {Side.SENDING}
    assert not seen(staff_of(inside), referral, gone)


def test_a_past_receiver_sees_that_it_was_there_and_its_status_and_nothing_later() -> None:
    past = builders.party()
    hops = (
        builders.hop(REFERRAL, 1, past, left=True),
        builders.hop(REFERRAL, 2, RECEIVER, left=False),
    )

    view = policy.seen(staff_of(past), NOTHING, REFERRAL, hops, NOW)

    assert view is not None
    assert (view.sight, view.allowed, view.sides) == (Sight.PAST, (), frozenset())
    assert view.hops == hops[:1]
    assert view.referral.receiver == past
    assert view.referral.status is REFERRAL.status


def test_nothing_of_the_later_receivers_work_shows_in_what_a_past_receiver_sees() -> None:
    past = builders.party()
    worked_on = builders.removed(
        builders.scheduled(RECEIVER),
        claimed_by=domain.UserId(uuid4()),
        callback_at=NOW,
        reason_kind=domain.ReasonKind.DECLINE,
        reason_code="AGE",
        plan_id=domain.PlanId(uuid4()),
        plan_acceptance=domain.PlanAcceptance.ACCEPTED,
        plan_asked=3,
        plan_accepting=2,
        authorization=domain.Authorization.OBTAINED,
        hop=2,
        changed_at=builders.LATER,
    )
    hops = (builders.hop(worked_on, 1, past, left=True),)

    view = policy.seen(staff_of(past), NOTHING, worked_on, hops, NOW)

    assert view is not None
    shown = view.referral
    later = (
        shown.claimed_by, shown.callback_at, shown.reason_kind, shown.reason_code,
        shown.plan_acceptance, shown.authorization, shown.appointment_at, shown.plan_id,
    )  # fmt: skip
    assert later == (None,) * 8
    assert (shown.plan_asked, shown.plan_accepting, shown.hop) == (0, 0, 1)
    assert (shown.receiver, shown.changed_at) == (past, NOW)
    assert str(RECEIVER.provider_id) not in str(view)


def test_a_past_receiver_whose_provider_was_removed_sees_nothing_at_all() -> None:
    """R14."""
    past = builders.party()
    assert past.provider_id is not None
    hops = (builders.hop(REFERRAL, 1, past, left=True),)

    gone = Access(removed=frozenset({past.provider_id}))

    assert policy.seen(staff_of(past), gone, REFERRAL, hops, NOW) is None


def test_what_is_unknown_and_what_is_anothers_is_refused_alike() -> None:
    """R02."""
    answers = []
    for referral in (None, REFERRAL):
        with pytest.raises(Refusal) as refused:
            policy.permit(staff_of(STRANGER), NOTHING, referral, (), Action.DECLINE)
        answers.append((refused.value.code, refused.value.message))

    assert answers[0] == answers[1]


def test_only_the_senders_side_cancels_and_only_the_receivers_declines() -> None:
    for viewer, action in ((staff_of(RECEIVER), Action.CANCEL), (staff_of(SENDER), Action.DECLINE)):
        with pytest.raises(Refusal) as refused:
            policy.permit(viewer, NOTHING, REFERRAL, (), action)
        assert refused.value.code == "WRONG_SIDE"


def test_queues_are_for_those_who_work_there() -> None:
    queue, group = Queue(office_id=RECEIVER.office_id), Queue(group_id=RECEIVER.group_id)

    policy.permit_queue(staff_of(RECEIVER), NOTHING, queue)
    policy.permit_queue(user(RECEIVER.organization_id), groups(RECEIVER), group)
    for viewer in (staff_of(SENDER), user(RECEIVER.organization_id, client_admin=True)):
        with pytest.raises(Refusal):
            policy.permit_queue(viewer, NOTHING, queue)


def test_open_work_is_counted_for_client_admins_and_those_who_work_referrals() -> None:
    """R12."""
    organization_id = RECEIVER.organization_id

    assert policy.may_count(user(organization_id, client_admin=True), NOTHING)
    assert policy.may_count(user(organization_id, reporting_only=True), NOTHING)
    assert policy.may_count(staff_of(RECEIVER), NOTHING)
    assert policy.may_count(user(organization_id), groups(RECEIVER))
    for role in ("insurance_manager", "call_centre", "support"):
        assert not policy.may_count(user(organization_id, **{role: True}), NOTHING)


def test_fences_are_for_directory_alone() -> None:
    policy.permit_directory(service_viewer("directory"))
    for viewer in (service_viewer("reporting"), staff_of(RECEIVER), ANONYMOUS):
        with pytest.raises(Refusal) as refused:
            policy.permit_directory(viewer)
        assert refused.value.code == "FORBIDDEN"


def test_nobody_sends_in_the_name_of_a_provider_who_was_removed() -> None:
    """R14."""
    assert SENDER.provider_id is not None
    gone = Access(removed=frozenset[domain.ProviderId]({SENDER.provider_id}))

    policy.permit_sending_as(staff_of(SENDER), NOTHING, SENDER)
    with pytest.raises(Refusal):
        policy.permit_sending_as(staff_of(SENDER), gone, SENDER)
