"""Who may see and do what in the directory (R02, R09, §2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.auth import ANONYMOUS, Kind, Stage, Viewer, service_viewer
from kit.errors import Denied, NotFound, Unauthenticated
from services.directory import policy
from services.directory.domain.allowed import (
    GroupAction,
    OfficeAction,
    ProviderAction,
    SuggestionAction,
)
from services.directory.domain.nouns import (
    FenceStep,
    GroupState,
    OfficeId,
    OfficeState,
    Profile,
    ProviderState,
    Suggestion,
    SuggestionEnd,
    SuggestionId,
)
from tests.unit.directory.builders import (
    NOW,
    OURS,
    THEIRS,
    group,
    office,
    placement,
    provider,
    user,
)

HERE, THERE = OfficeId(uuid4()), OfficeId(uuid4())
TODAY = date(2026, 3, 2)
ADMIN = user(client_admin=True)
OFFICE_ADMIN = user(office_admin_of=frozenset({HERE}))
STAFF = user(office_staff_of=frozenset({HERE}))
KEEPER = user(insurance_manager_of=frozenset({HERE}))
"""Keeps the plans of the office, and nothing else of it (R26)."""
OTHERS = (user(insurance_manager=True), KEEPER, user(call_centre=True), STAFF)

BOOLS = st.booleans()
VIEWERS = st.builds(
    user,
    st.sampled_from([THEIRS, UUID(int=3)]),
    client_admin=BOOLS,
    insurance_manager=BOOLS,
    call_centre=BOOLS,
    office_admin_of=st.sampled_from([frozenset(), frozenset({HERE})]),
    office_staff_of=st.sampled_from([frozenset(), frozenset({HERE})]),
)


@given(VIEWERS, st.sampled_from(ProviderState))
def test_no_role_of_another_organization_acts_here(viewer: Viewer, state: ProviderState) -> None:
    """R02."""
    one = provider(state=state)

    assert policy.provider_actions(viewer, one, [HERE]) == ()
    assert policy.office_actions(viewer, office(id=HERE)) == ()
    assert policy.group_actions(viewer, group(office_ids=(HERE,))) == ()
    assert policy.placement_actions(viewer, placement(TODAY, office_id=HERE), TODAY) == ()
    for question in (
        lambda: policy.permit_client_admin(viewer, OURS),
        lambda: policy.permit_any_admin(viewer, OURS),
        lambda: policy.permit_office(viewer, OURS, HERE),
        lambda: policy.permit_change(viewer, one, [HERE]),
    ):
        with pytest.raises(NotFound):
            question()


@given(VIEWERS, st.sampled_from(ProviderState))
def test_another_organization_sees_only_what_was_published(
    viewer: Viewer, state: ProviderState
) -> None:
    """R02, R11, R16, R23."""
    assert not policy.may_see_provider(viewer, provider(state=state))
    assert policy.may_see_provider(viewer, provider(state=state, approved_at=NOW))
    assert not policy.may_see_office(viewer, office())
    assert policy.may_see_office(viewer, office(live_at=NOW))
    assert not policy.may_see_group(viewer, group())
    assert policy.may_see_group(viewer, group(ready_at=NOW))


def test_another_organization_sees_where_patients_can_be_seen_now() -> None:
    live, stranger = office(state=OfficeState.LIVE, live_at=NOW), user(THEIRS)
    approved = provider(state=ProviderState.APPROVED)
    now, later = placement(TODAY), placement(date(2026, 5, 1))

    assert policy.may_see_placement(stranger, now, approved, live, TODAY)
    assert not policy.may_see_placement(stranger, later, approved, live, TODAY)
    assert not policy.may_see_placement(stranger, now, provider(), live, TODAY)
    assert not policy.may_see_placement(stranger, now, approved, office(), TODAY)
    assert policy.may_see_placement(ADMIN, later, provider(), office(), TODAY)


@pytest.mark.parametrize("viewer", OTHERS)
def test_other_roles_change_nothing(viewer: Viewer) -> None:
    """§2."""
    one = provider(state=ProviderState.SUBMITTED)

    assert policy.provider_actions(viewer, one, [HERE]) == ()
    assert policy.office_actions(viewer, office(id=HERE)) == ()
    for question in (
        lambda: policy.permit_client_admin(viewer, OURS),
        lambda: policy.permit_any_admin(viewer, OURS),
        lambda: policy.permit_office(viewer, OURS, HERE),
        lambda: policy.permit_change(viewer, one, [HERE]),
    ):
        with pytest.raises(Denied):
            question()


def test_an_office_admin_manages_own_offices_only() -> None:
    """R09."""
    policy.permit_office(OFFICE_ADMIN, OURS, HERE)
    policy.permit_office(OFFICE_ADMIN, OURS, THERE, HERE)
    with pytest.raises(Denied):
        policy.permit_office(OFFICE_ADMIN, OURS, THERE)
    with pytest.raises(Denied):
        policy.permit_client_admin(OFFICE_ADMIN, OURS)


def test_an_office_admin_changes_what_was_asked_for_and_who_works_there() -> None:
    """R09."""
    asked = provider(added_by=OFFICE_ADMIN.user_id)

    assert policy.may_change_provider(OFFICE_ADMIN, asked, [])
    assert policy.may_change_provider(OFFICE_ADMIN, provider(), [HERE])
    assert not policy.may_change_provider(OFFICE_ADMIN, provider(), [THERE])


@pytest.mark.parametrize(
    ("state", "actions"),
    [
        (
            ProviderState.DRAFT,
            [
                "CHANGE",
                "SUBMIT",
                "MERGE",
                "START_OFFBOARDING",
                "REMOVE",
                "REMOVE_WHEN_EMPTY",
                "PLACE",
            ],
        ),
        (
            ProviderState.SUBMITTED,
            [
                "CHANGE",
                "APPROVE",
                "REJECT",
                "MERGE",
                "START_OFFBOARDING",
                "REMOVE",
                "REMOVE_WHEN_EMPTY",
                "PLACE",
            ],
        ),
        (
            ProviderState.APPROVED,
            [
                "CHANGE",
                "VERIFY",
                "MERGE",
                "START_OFFBOARDING",
                "REMOVE",
                "REMOVE_WHEN_EMPTY",
                "PLACE",
            ],
        ),
        (ProviderState.OFFBOARDING, ["KEEP", "REMOVE", "REMOVE_WHEN_EMPTY"]),
        (ProviderState.REMOVED, []),
    ],
)
def test_a_client_admin_s_actions_follow_the_state(
    state: ProviderState, actions: list[str]
) -> None:
    """R11, R15."""
    assert policy.provider_actions(ADMIN, provider(state=state), []) == tuple(
        ProviderAction(one) for one in actions
    )


def test_a_change_that_waits_can_be_decided() -> None:
    """R11."""
    waiting = provider(state=ProviderState.APPROVED, proposed=Profile("X", "Y"))
    found = policy.provider_actions(ADMIN, waiting, [])

    assert {ProviderAction.APPROVE, ProviderAction.REJECT} <= set(found)


@pytest.mark.parametrize("state", ProviderState)
def test_a_provider_asks_for_changes_of_the_own_approved_record_and_does_nothing_else(
    state: ProviderState,
) -> None:
    """R02, R11."""
    mine = provider(state=state)
    me = user(provider_id=mine.id)
    asks = state is ProviderState.APPROVED

    assert policy.provider_actions(me, mine, [HERE]) == ((ProviderAction.CHANGE,) if asks else ())
    assert policy.may_ask_for_change(me, mine) is asks
    assert policy.provider_actions(me, provider(state=state), [HERE]) == ()
    assert policy.placement_actions(me, placement(TODAY, office_id=HERE), TODAY) == ()
    with pytest.raises(Denied):
        policy.permit_change(me, mine, [HERE])


def test_a_record_of_another_organization_is_nobody_s_own() -> None:
    """R02."""
    mine = provider(state=ProviderState.APPROVED)
    stranger = user(THEIRS, provider_id=mine.id)

    assert policy.provider_actions(stranger, mine, []) == ()
    with pytest.raises(NotFound):
        policy.permit_change(stranger, mine, [], asking=True)


def test_an_office_admin_may_place_any_provider_of_the_organization() -> None:
    """R09."""
    assert policy.provider_actions(OFFICE_ADMIN, provider(), [THERE]) == (ProviderAction.PLACE,)


def test_offices_are_changed_closed_kept_and_reopened_by_client_admins() -> None:
    """R16, R18, R19."""
    live = office(id=HERE, state=OfficeState.LIVE)
    leaving = office(state=OfficeState.LIVE, closes_on=TODAY, cut_off_on=TODAY)
    closing = office(state=OfficeState.CLOSING, fence=FenceStep.REMOVING)
    own = (OfficeAction.ATTEST_ROSTER, OfficeAction.PLACE_PROVIDER)

    assert policy.office_actions(ADMIN, live) == (*own, OfficeAction.CHANGE, OfficeAction.CLOSE)
    assert policy.office_actions(OFFICE_ADMIN, live) == own
    assert OfficeAction.KEEP in policy.office_actions(ADMIN, leaving)
    assert policy.office_actions(ADMIN, closing) == (OfficeAction.KEEP,)
    closed = office(id=HERE, state=OfficeState.CLOSED)
    assert policy.office_actions(ADMIN, closed) == (OfficeAction.REOPEN,)
    assert policy.office_actions(OFFICE_ADMIN, closed) == ()


def test_a_placement_that_is_over_allows_nothing() -> None:
    over = placement(date(2026, 1, 1), date(2026, 2, 1), office_id=HERE)

    assert policy.placement_actions(ADMIN, over, TODAY) == ()
    assert len(policy.placement_actions(OFFICE_ADMIN, placement(TODAY, office_id=HERE), TODAY)) == 2


def test_office_admins_keep_members_and_staff_of_groups_at_their_offices() -> None:
    """R23."""
    here = group(office_ids=(HERE,))

    assert policy.group_actions(OFFICE_ADMIN, here) == (
        GroupAction.CHANGE_MEMBERS,
        GroupAction.CHANGE_STAFF,
    )
    assert GroupAction.REMOVE in policy.group_actions(ADMIN, here)
    assert policy.group_actions(OFFICE_ADMIN, group(office_ids=(THERE,))) == ()
    assert policy.group_actions(ADMIN, group(state=GroupState.REMOVING)) == ()


def test_an_open_suggestion_is_for_client_admins() -> None:
    """R20."""
    fields = (SuggestionId(uuid4()), OURS, HERE, "Dermatology", "207N00000X", (), NOW)
    raised = Suggestion(*fields, None, None, 1)
    closed = Suggestion(*fields, NOW, SuggestionEnd.DISMISSED, 2)

    assert policy.suggestion_actions(ADMIN, raised) == tuple(SuggestionAction)
    assert policy.suggestion_actions(OFFICE_ADMIN, raised) == ()
    assert policy.suggestion_actions(ADMIN, closed) == ()


def test_nobody_reads_or_asks_without_being_known() -> None:
    for question in (
        policy.permit_reading,
        policy.permit_asking,
        policy.acting,
        policy.acting_user,
    ):
        with pytest.raises(Unauthenticated):
            question(ANONYMOUS)
    policy.permit_asking(service_viewer("referrals"))
    policy.permit_reading(STAFF)
    assert policy.acting(STAFF) == OURS


def test_a_session_that_must_set_a_password_sees_nothing() -> None:
    """R04."""
    half = user(stage=Stage.SET_PASSWORD, client_admin=True)

    assert not policy.is_own(half, OURS)
    with pytest.raises(Denied):
        policy.permit_reading(half)


def test_support_without_an_organization_changes_nothing() -> None:
    support = Viewer(kind=STAFF.kind, user_id=uuid4(), support=True)

    policy.permit_reading(support)
    with pytest.raises(Denied):
        policy.permit_client_admin(support, OURS)


def test_what_the_network_shares_is_kept_by_support_that_has_finished_signing_in() -> None:
    """R02, R05."""
    support = Viewer(kind=Kind.USER, user_id=uuid4(), support=True)

    policy.permit_support(support)
    for stage in (Stage.SET_PASSWORD, Stage.SECOND_FACTOR, Stage.ENROL_FACTOR):
        with pytest.raises(Denied):
            policy.permit_support(replace(support, stage=stage))
    with pytest.raises(Unauthenticated):
        policy.permit_support(ANONYMOUS)
