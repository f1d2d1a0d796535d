"""Who may do what."""

from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.auth import ANONYMOUS, Stage, Viewer, service_viewer
from kit.errors import Denied, NotFound, Refusal, Unauthenticated
from services.identity import policy
from services.identity.domain import (
    Organization,
    OrganizationAction,
    OrganizationId,
    Partner,
    PartnerAction,
    PartnerId,
    Role,
    RoleWanted,
    UserAction,
)
from tests.unit.identity.builders import (
    CLIENT_ADMIN,
    ELSEWHERE,
    HERE,
    LOOKING,
    NOW,
    OFFICE,
    OFFICE_ADMIN,
    OTHER_OFFICE,
    STAFF,
    SUPPORT,
    client_admin_user,
    staff_user,
    user,
    viewer,
)

OFFICES = st.sampled_from([OFFICE, OTHER_OFFICE])
WANTED = (
    st.builds(RoleWanted, st.sampled_from([r for r in Role if r.may_be_for_office]), OFFICES)
    | st.builds(
        RoleWanted,
        st.sampled_from([r for r in Role if not r.for_office and r is not Role.PROVIDER]),
    )
    | st.builds(RoleWanted, st.just(Role.PROVIDER), st.none(), st.uuids())
)
VIEWERS = st.builds(
    viewer,
    organization_id=st.sampled_from([HERE, ELSEWHERE, None]),
    stage=st.sampled_from(Stage),
    support=st.booleans(),
    client_admin=st.booleans(),
    insurance_manager=st.booleans(),
    call_centre=st.booleans(),
    office_admin_of=st.frozensets(OFFICES),
    office_staff_of=st.frozensets(OFFICES),
    insurance_manager_of=st.frozensets(OFFICES),
)
NOT_SUPPORT = VIEWERS.map(lambda one: replace(one, support=False))
STAFF_AT_OFFICE = RoleWanted(Role.OFFICE_STAFF, OFFICE)


@given(VIEWERS, WANTED)
def test_nobody_grants_anything_in_another_organization(who: Viewer, wanted: RoleWanted) -> None:
    """R02"""
    assert not policy.may_grant(replace(who, organization_id=ELSEWHERE), HERE, wanted)


@given(NOT_SUPPORT, WANTED)
def test_who_is_neither_client_admin_nor_office_admin_grants_nothing(
    who: Viewer, wanted: RoleWanted
) -> None:
    """R08"""
    plain = replace(who, client_admin=False, office_admin_of=frozenset())

    assert not policy.may_grant(plain, HERE, wanted)


@pytest.mark.parametrize(
    ("wanted", "allowed"),
    [
        (RoleWanted(Role.OFFICE_STAFF, OFFICE), True),
        (RoleWanted(Role.OFFICE_STAFF, OTHER_OFFICE), False),
        (RoleWanted(Role.OFFICE_ADMIN, OFFICE), False),
        (RoleWanted(Role.CLIENT_ADMIN), False),
        (RoleWanted(Role.INSURANCE_MANAGER), False),
        (RoleWanted(Role.INSURANCE_MANAGER, OFFICE), False),
        (RoleWanted(Role.CALL_CENTRE), False),
    ],
)
def test_an_office_admin_grants_staff_at_the_own_office_and_nothing_else(
    wanted: RoleWanted, *, allowed: bool
) -> None:
    """R08"""
    assert policy.may_grant(OFFICE_ADMIN, HERE, wanted) is allowed


@given(WANTED)
def test_a_client_admin_grants_every_role(wanted: RoleWanted) -> None:
    """R08"""
    policy.permit_grant(CLIENT_ADMIN, HERE, wanted)


@given(WANTED)
def test_nobody_but_support_makes_a_client_admin_of_a_user(wanted: RoleWanted) -> None:
    """R01: an account is upgraded by support only; any other role is no upgrade."""
    policy.permit_upgrade(SUPPORT, wanted)
    if wanted.role is not Role.CLIENT_ADMIN:
        policy.permit_upgrade(CLIENT_ADMIN, wanted)
        return
    for who in (CLIENT_ADMIN, OFFICE_ADMIN, LOOKING):
        with pytest.raises(Denied) as refused:
            policy.permit_upgrade(who, wanted)
        assert refused.value.code == "SUPPORT_ONLY"


@given(WANTED)
def test_who_only_looks_grants_nothing_and_sees_what_client_admins_see(wanted: RoleWanted) -> None:
    """R02"""
    other = staff_user(OFFICE)

    assert not policy.may_grant(LOOKING, HERE, wanted)
    assert not policy.may_invite(LOOKING, HERE)
    assert not policy.may_deactivate(LOOKING, other)
    assert policy.may_see_contact(LOOKING, other)
    assert policy.permit_unconfirmed(LOOKING) == (HERE, None)
    assert policy.permit_candidates(LOOKING) == HERE
    assert policy.may_see_advice(LOOKING, HERE)
    with pytest.raises(Denied):
        policy.permit_copying(LOOKING)


def test_an_office_admin_brings_back_former_staff_of_own_offices_only() -> None:
    """R07"""
    gone = user(active=False)
    before, beyond = staff_user(OFFICE).grants, staff_user(OFFICE, OTHER_OFFICE).grants

    policy.permit_reactivate(OFFICE_ADMIN, gone, before, (STAFF_AT_OFFICE,))
    for previous, wanted in (
        (beyond, ()),
        ((), ()),
        (before, (RoleWanted(Role.OFFICE_ADMIN, OFFICE),)),
    ):
        with pytest.raises(Denied):
            policy.permit_reactivate(OFFICE_ADMIN, gone, previous, wanted)


def test_who_was_client_admin_may_come_back_as_one_and_nobody_else() -> None:
    """R01, R07: coming back is no way up."""
    gone, wanted = user(active=False), (RoleWanted(Role.CLIENT_ADMIN),)

    policy.permit_reactivate(CLIENT_ADMIN, gone, client_admin_user().grants, wanted)
    with pytest.raises(Denied) as refused:
        policy.permit_reactivate(CLIENT_ADMIN, gone, staff_user(OFFICE).grants, wanted)
    assert refused.value.code == "SUPPORT_ONLY"


def test_an_office_admin_who_grants_office_admin_is_denied() -> None:
    """R08"""
    with pytest.raises(Denied):
        policy.permit_grant(OFFICE_ADMIN, HERE, RoleWanted(Role.OFFICE_ADMIN, OFFICE))


def test_an_office_admin_invites_for_an_own_office_only() -> None:
    """R03"""
    policy.permit_invite(OFFICE_ADMIN, HERE, (STAFF_AT_OFFICE,))
    for wanted in ((), (STAFF_AT_OFFICE, RoleWanted(Role.OFFICE_STAFF, OTHER_OFFICE))):
        with pytest.raises(Denied):
            policy.permit_invite(OFFICE_ADMIN, HERE, wanted)


def test_a_client_admin_invites_without_naming_a_role() -> None:
    """R03"""
    policy.permit_invite(CLIENT_ADMIN, HERE, ())


def test_office_staff_invites_nobody() -> None:
    """R03"""
    with pytest.raises(Denied):
        policy.permit_invite(STAFF, HERE, (STAFF_AT_OFFICE,))


def test_an_office_admin_deactivates_staff_of_own_offices_only() -> None:
    """R07"""
    policy.permit_deactivate(OFFICE_ADMIN, staff_user(OFFICE))
    beyond = [
        staff_user(OFFICE, OTHER_OFFICE),
        staff_user(),
        client_admin_user(),
        user(STAFF_AT_OFFICE, RoleWanted(Role.OFFICE_ADMIN, OFFICE)),
        replace(staff_user(OFFICE), organization_id=ELSEWHERE),
    ]
    for one in beyond:
        with pytest.raises(Denied):
            policy.permit_deactivate(OFFICE_ADMIN, one)


def test_a_client_admin_deactivates_anybody_of_the_organization() -> None:
    """R07"""
    policy.permit_deactivate(CLIENT_ADMIN, client_admin_user())
    with pytest.raises(Denied):
        policy.permit_deactivate(CLIENT_ADMIN, replace(user(), organization_id=ELSEWHERE))


@given(NOT_SUPPORT.filter(lambda one: one.stage is Stage.FULL))
def test_only_support_resets_a_temporary_password(who: Viewer) -> None:
    """R05"""
    with pytest.raises(Denied) as refused:
        policy.permit_reset(who)

    assert refused.value.code == "SUPPORT_ONLY"


def test_support_resets_and_opens_organizations() -> None:
    """R05"""
    assert policy.permit_reset(SUPPORT) == SUPPORT.user_id
    assert policy.permit_support(SUPPORT) == SUPPORT.user_id
    with pytest.raises(Denied):
        policy.permit_support(CLIENT_ADMIN)


@given(VIEWERS, WANTED)
def test_a_session_from_a_temporary_password_may_set_one_and_nothing_else(
    who: Viewer, wanted: RoleWanted
) -> None:
    """R05"""
    session = replace(who, stage=Stage.SET_PASSWORD)
    here = Organization(HERE, "Lakeside", "UTC", NOW, 1)

    assert policy.permit_new_password(session) == session.user_id
    assert not policy.user_actions(session, staff_user(OFFICE), NOW)
    assert not policy.organization_actions(session, here)
    assert not policy.may_see_organization(session, HERE)
    for question in (
        lambda: policy.permit_support(session),
        lambda: policy.permit_reset(session),
        lambda: policy.scope(session, HERE),
        lambda: policy.permit_grant(session, HERE, wanted),
        lambda: policy.permit_invite(session, HERE, (wanted,)),
        lambda: policy.permit_deactivate(session, user()),
        lambda: policy.permit_resend(session, user()),
        lambda: policy.permit_partners(session),
    ):
        with pytest.raises(Refusal) as refused:
            question()
        assert refused.value.code == "PASSWORD_CHANGE_REQUIRED"


def test_a_full_session_does_not_set_a_first_password() -> None:
    """R05"""
    with pytest.raises(Denied):
        policy.permit_new_password(CLIENT_ADMIN)
    for nobody in (ANONYMOUS, service_viewer("directory")):
        with pytest.raises(Unauthenticated):
            policy.permit_new_password(nobody)


@given(NOT_SUPPORT.filter(lambda one: one.stage is Stage.FULL and one.organization_id is not None))
def test_another_organization_reads_like_one_that_never_was(who: Viewer) -> None:
    """R02"""
    foreign = ELSEWHERE if who.organization_id == HERE else HERE
    answers = []
    for asked in (foreign, OrganizationId(uuid4())):
        with pytest.raises(NotFound) as refused:
            policy.scope(who, asked)
        answers.append((refused.value.message, refused.value.code, refused.value.field))

    assert answers[0] == answers[1]
    assert not policy.may_see_organization(who, foreign)


def test_a_read_is_about_the_own_organization_and_for_support_about_the_one_asked_for() -> None:
    """R02"""
    assert policy.scope(STAFF, None) == HERE
    assert policy.scope(STAFF, HERE) == HERE
    assert policy.scope(SUPPORT, ELSEWHERE) == ELSEWHERE
    with pytest.raises(Denied):
        policy.scope(SUPPORT, None)
    with pytest.raises(Unauthenticated):
        policy.scope(ANONYMOUS, HERE)


def test_addresses_are_for_oneself_admins_and_support() -> None:
    """R02"""
    other = staff_user(OFFICE)

    assert policy.may_see_contact(CLIENT_ADMIN, other)
    assert policy.may_see_contact(OFFICE_ADMIN, other)
    assert policy.may_see_contact(SUPPORT, other)
    assert policy.may_see_contact(viewer(user_id=other.id), other)
    assert not policy.may_see_contact(STAFF, other)
    assert not policy.may_see_contact(viewer(organization_id=ELSEWHERE, client_admin=True), other)


def test_partners_are_for_client_admins() -> None:
    assert policy.permit_partners(CLIENT_ADMIN) == HERE
    for who in (OFFICE_ADMIN, STAFF, SUPPORT):
        with pytest.raises(Denied):
            policy.permit_partners(who)


def test_only_our_own_processes_show_us_tokens() -> None:
    """R02"""
    policy.permit_introspection(service_viewer("gateway"))
    for who in (ANONYMOUS, CLIENT_ADMIN, SUPPORT):
        with pytest.raises(Denied):
            policy.permit_introspection(who)


def test_siblings_ask_about_any_organization_and_users_about_their_own() -> None:
    """R02"""
    assert policy.may_answer_about(service_viewer("directory"), ELSEWHERE)
    assert policy.may_answer_about(STAFF, HERE)
    assert not policy.may_answer_about(STAFF, ELSEWHERE)
    assert not policy.may_answer_about(ANONYMOUS, HERE)


def test_what_may_be_done_about_a_user_follows_the_same_rules() -> None:
    """R07, R08"""
    invited = replace(user(STAFF_AT_OFFICE, confirmed=False))

    assert set(policy.user_actions(CLIENT_ADMIN, invited, NOW)) == {
        UserAction.GRANT_ROLE, UserAction.REVOKE_ROLE, UserAction.DEACTIVATE, UserAction.RESEND_INVITATION,
        UserAction.COPY_ROLES, UserAction.CHANGE_TITLE,
    }  # fmt: skip
    assert set(policy.user_actions(SUPPORT, invited, NOW)) == {
        UserAction.GRANT_ROLE, UserAction.REVOKE_ROLE, UserAction.DEACTIVATE, UserAction.REPORT_BOUNCE,
        UserAction.RESET_TEMPORARY_PASSWORD, UserAction.RESET_SECOND_FACTORS,
    }  # fmt: skip
    inside = replace(SUPPORT, organization_id=HERE, client_admin=True)
    as_client_admin = set(policy.user_actions(CLIENT_ADMIN, invited, NOW))
    assert set(policy.user_actions(inside, invited, NOW)) > as_client_admin
    assert policy.may_see_advice(inside, HERE)
    assert not policy.may_see_advice(inside, OrganizationId(uuid4()))
    assert policy.user_actions(STAFF, invited, NOW) == ()
    assert policy.user_actions(LOOKING, invited, NOW) == ()
    assert policy.user_actions(CLIENT_ADMIN, user(active=False), NOW) == (UserAction.REACTIVATE,)
    assert policy.user_actions(STAFF, user(active=False), NOW) == ()
    before = staff_user(OFFICE).grants
    for who, offered in ((OFFICE_ADMIN, (UserAction.REACTIVATE,)), (STAFF, ())):
        assert policy.user_actions(who, user(active=False), NOW, before) == offered
    assert policy.user_actions(OFFICE_ADMIN, client_admin_user(), NOW) == (UserAction.GRANT_ROLE,)


def test_what_may_be_done_about_an_organization_and_a_partner_follows_the_same_rules() -> None:
    """R02"""
    here = Organization(HERE, "Lakeside", "UTC", NOW, 1)
    partner = Partner(PartnerId(uuid4()), HERE, "EHR", "U", NOW, None, 1)

    assert policy.organization_actions(CLIENT_ADMIN, here) == (
        OrganizationAction.INVITE_USER, OrganizationAction.ADD_PARTNER, OrganizationAction.DISMISS_CANDIDATE,
        OrganizationAction.CHANGE_SIGN_IN,
    )  # fmt: skip
    assert policy.organization_actions(OFFICE_ADMIN, here) == (OrganizationAction.INVITE_USER,)
    assert policy.organization_actions(STAFF, here) == ()
    assert policy.partner_actions(CLIENT_ADMIN, partner) == (PartnerAction.REMOVE,)
    assert policy.partner_actions(CLIENT_ADMIN, replace(partner, removed_at=NOW)) == ()
    assert policy.partner_actions(OFFICE_ADMIN, partner) == ()


def test_resending_an_invitation_is_for_those_who_could_have_sent_it() -> None:
    """R04"""
    invited = user(STAFF_AT_OFFICE, confirmed=False)

    policy.permit_resend(CLIENT_ADMIN, invited)
    policy.permit_resend(OFFICE_ADMIN, invited)
    with pytest.raises(Denied):
        policy.permit_resend(STAFF, invited)
