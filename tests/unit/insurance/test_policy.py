"""Who may do what with payers, plans and participations."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.auth import ANONYMOUS, Kind, Stage, Viewer, service_viewer
from kit.errors import Denied, Unauthenticated
from services.insurance import policy
from services.insurance.domain import (
    Campaign,
    CampaignAction,
    CampaignId,
    Closing,
    Item,
    ItemAction,
    ItemId,
    ItemState,
    OfficeId,
    OrganizationId,
    ParticipationAction,
    ProviderId,
    UserId,
)
from tests.unit.insurance.builders import row

OURS, THEIRS = OrganizationId(UUID(int=1)), OrganizationId(UUID(int=2))
OFFICE, OTHER_OFFICE = OfficeId(UUID(int=3)), OfficeId(UUID(int=4))
TODAY = date(2026, 6, 1)
STAFF = Viewer(
    kind=Kind.USER, user_id=UUID(int=9), organization_id=OURS, office_staff_of=frozenset({OFFICE})
)
SUPPORT = Viewer(kind=Kind.USER, user_id=UUID(int=8), support=True)
MANAGER = replace(STAFF, insurance_manager=True)
OFFICE_SETS = st.frozensets(st.sampled_from([OFFICE, OTHER_OFFICE]))
VIEWERS = st.builds(
    Viewer,
    kind=st.sampled_from(Kind),
    user_id=st.just(UUID(int=9)),
    organization_id=st.sampled_from([OURS, THEIRS, None]),
    stage=st.sampled_from(Stage),
    support=st.booleans(),
    client_admin=st.booleans(),
    insurance_manager=st.booleans(),
    call_centre=st.booleans(),
    office_admin_of=OFFICE_SETS,
    office_staff_of=OFFICE_SETS,
    insurance_manager_of=OFFICE_SETS,
)


@given(VIEWERS)
def test_nobody_edits_the_participations_of_another_organization(viewer: Viewer) -> None:
    """R26"""
    other = THEIRS if viewer.organization_id == OURS else OURS

    assert not policy.may_edit(viewer, other, OFFICE)


@given(VIEWERS)
def test_only_the_three_roles_edit_and_an_office_admin_only_at_own_offices(viewer: Viewer) -> None:
    """R26"""
    own = viewer.office_admin_of | viewer.insurance_manager_of
    entitled = viewer.insurance_manager or viewer.client_admin or OFFICE in own
    signed_in = viewer.kind is Kind.USER and viewer.stage is Stage.FULL

    assert policy.may_edit(viewer, OURS, OFFICE) == (
        entitled and signed_in and viewer.organization_id == OURS
    )


def test_an_office_admin_cannot_edit_plans_at_an_unmanaged_office() -> None:
    """R26"""
    admin = replace(STAFF, office_admin_of=frozenset({OTHER_OFFICE}))

    policy.permit_edit(admin, OURS, OTHER_OFFICE)
    with pytest.raises(Denied):
        policy.permit_edit(admin, OURS, OFFICE)


def test_an_insurance_manager_of_an_office_keeps_the_plans_of_that_one_and_no_campaigns() -> None:
    """R26, R29"""
    keeper = replace(STAFF, insurance_manager_of=frozenset({OTHER_OFFICE}))

    policy.permit_edit(keeper, OURS, OTHER_OFFICE)
    assert policy.offices_to_answer_for(keeper) == (OTHER_OFFICE,)
    assert policy.answered_for(keeper, [OFFICE, OTHER_OFFICE]) == [OTHER_OFFICE]
    assert policy.campaign_actions(keeper, campaign(year=None)) == ()
    for refused in (
        lambda: policy.permit_edit(keeper, OURS, OFFICE),
        lambda: policy.permit_campaigns(keeper),
    ):
        with pytest.raises(Denied):
            refused()


def test_who_is_office_admin_here_and_keeps_the_plans_there_answers_for_both() -> None:
    """R26"""
    both = replace(
        STAFF,
        office_admin_of=frozenset({OFFICE}),
        insurance_manager_of=frozenset({OTHER_OFFICE}),
    )

    assert policy.offices_to_answer_for(both) == (OFFICE, OTHER_OFFICE)


def test_any_signed_in_user_and_our_own_services_may_read() -> None:
    policy.permit_reading(STAFF)
    policy.permit_reading(SUPPORT)
    policy.permit_reading(service_viewer("referrals"))


def test_support_sees_all_once_it_has_finished_signing_in_and_not_before() -> None:
    """R05: not with a temporary password, nor before the second factor."""
    assert policy.eyes(SUPPORT) is None
    for stage in (Stage.SET_PASSWORD, Stage.SECOND_FACTOR, Stage.ENROL_FACTOR):
        with pytest.raises(Denied):
            policy.eyes(replace(SUPPORT, stage=stage))


def test_reading_needs_a_finished_sign_in() -> None:
    with pytest.raises(Unauthenticated):
        policy.permit_reading(ANONYMOUS)
    with pytest.raises(Denied):
        policy.permit_reading(replace(STAFF, stage=Stage.SET_PASSWORD))


def test_only_support_adds_payers_and_plans() -> None:
    policy.permit_catalogue(SUPPORT)
    with pytest.raises(Denied):
        policy.permit_catalogue(replace(MANAGER, client_admin=True))


def test_who_verified_a_row_is_shown_within_its_organization_only() -> None:
    verified = replace(
        row(TODAY),
        organization_id=OURS,
        last_verified_on=TODAY,
        last_verified_by=UserId(UUID(int=9)),
    )

    assert policy.verifier_shown(MANAGER, verified) == UUID(int=9)
    assert policy.verifier_shown(replace(MANAGER, organization_id=THEIRS), verified) is None


def test_allowed_actions_are_those_of_an_editor_while_the_row_lasts() -> None:
    """R26"""
    lasting = replace(row(date(2026, 1, 1)), organization_id=OURS, office_id=OFFICE)

    assert policy.allowed_actions(MANAGER, lasting, TODAY) == (
        ParticipationAction.END,
        ParticipationAction.VERIFY,
    )
    assert policy.allowed_actions(STAFF, lasting, TODAY) == ()
    assert policy.allowed_actions(MANAGER, replace(lasting, effective_until=TODAY), TODAY) == ()


def campaign(year: int | None = 2028, closed: Closing | None = None) -> Campaign:
    at = datetime(2028, 1, 1, tzinfo=UTC)
    return Campaign(
        CampaignId(UUID(int=11)), OURS, year, None if year else "Ended", (), (), at, at.date(), None,
        at.date(), None, closed_at=at if closed else None, closed_because=closed,
    )  # fmt: skip


def item(state: ItemState = ItemState.OPEN) -> Item:
    at = datetime(2028, 1, 1, tzinfo=UTC)
    return Item(
        ItemId(UUID(int=12)), CampaignId(UUID(int=11)), OURS, ProviderId(UUID(int=13)), OFFICE,
        state, at, None, None, 1,
    )  # fmt: skip


def test_office_admins_answer_for_their_offices_and_those_above_them_for_all() -> None:
    """R26"""
    admin = replace(STAFF, office_admin_of=frozenset({OFFICE}))
    assert policy.offices_to_answer_for(admin) == (OFFICE,)
    for viewer in (
        MANAGER,
        replace(STAFF, client_admin=True),
        replace(STAFF, reporting_only=True),
    ):
        assert policy.offices_to_answer_for(viewer) is None
    with pytest.raises(Denied):
        policy.offices_to_answer_for(STAFF)


def test_insurance_managers_and_client_admins_open_campaigns_and_office_admins_do_not() -> None:
    """R29"""
    policy.permit_campaigns(MANAGER)
    policy.permit_campaigns(replace(STAFF, client_admin=True))
    for viewer in (STAFF, replace(STAFF, office_admin_of=frozenset({OFFICE}))):
        with pytest.raises(Denied):
            policy.permit_campaigns(viewer)


def test_who_only_looks_edits_nothing_whatever_else_they_are() -> None:
    """R02, R26"""
    looks = replace(MANAGER, reporting_only=True)
    assert not policy.may_edit(looks, OURS, OFFICE)
    assert policy.campaign_actions(looks, campaign()) == ()


def test_what_may_be_done_to_a_campaign_and_its_items_is_what_still_makes_sense() -> None:
    """R29"""
    assert policy.campaign_actions(MANAGER, campaign()) == (CampaignAction.ASSIGN,)
    change = campaign(year=None)
    assert CampaignAction.CALL_OFF in policy.campaign_actions(MANAGER, change)
    assert policy.campaign_actions(STAFF, change) == ()
    over = campaign(closed=Closing.DONE)
    assert policy.campaign_actions(MANAGER, over) == ()
    assert policy.item_actions(MANAGER, campaign(), item()) == (ItemAction.ATTEST,)
    assert policy.item_actions(MANAGER, over, item()) == ()
    assert policy.item_actions(MANAGER, campaign(), item(ItemState.ATTESTED)) == ()
    assert policy.item_actions(STAFF, campaign(), item()) == ()


def test_who_verified_a_row_when_is_shown_within_its_organization_only() -> None:
    """R27"""
    mine = replace(row(TODAY), organization_id=OURS)
    assert policy.history_shown(STAFF, mine)
    assert not policy.history_shown(replace(STAFF, organization_id=THEIRS), mine)
