"""Users, invitations and client admins."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Conflict, Invalid
from services.identity.domain import (
    Role,
    RoleWanted,
    Status,
    TemporaryPassword,
    UserId,
    advice,
    keep_a_client_admin,
)
from services.identity.domain.nouns import TEMPORARY_LIFE
from services.identity.domain.provisioning import covers, plans_kept_at, workplaces
from tests.unit.identity.builders import NOW, OFFICE, client_admin_user, staff_user, user

SECOND = timedelta(seconds=1)


def test_a_temporary_password_is_good_for_exactly_forty_eight_hours() -> None:
    """R05"""
    password = TemporaryPassword(UserId(OFFICE), "hash", NOW, NOW + TEMPORARY_LIFE)

    assert not password.expired(NOW + timedelta(hours=48) - SECOND)
    assert password.expired(NOW + timedelta(hours=48))


def test_an_invited_user_is_listed_with_the_hours_that_are_left() -> None:
    """R04"""
    invited = user(confirmed=False)

    assert invited.status(NOW) is Status.INVITED
    assert invited.invitation_hours_left(NOW + timedelta(hours=24)) == 24
    assert invited.invitation_hours_left(NOW + timedelta(hours=47, minutes=59)) == 1
    assert invited.status(NOW + timedelta(hours=48)) is Status.INVITE_EXPIRED
    assert invited.invitation_hours_left(NOW + timedelta(hours=48)) == 0


def test_a_confirmed_or_deactivated_user_has_no_hours_left_to_count() -> None:
    """R04"""
    gone = user(confirmed=False, active=False)

    assert user().invitation_hours_left(NOW) is None
    assert gone.invitation_hours_left(NOW) is None
    assert gone.status(NOW) is Status.DEACTIVATED
    assert user().status(NOW) is Status.ACTIVE


def test_an_invitation_that_was_withdrawn_counts_as_expired() -> None:
    """R04"""
    withdrawn = replace(user(confirmed=False), invited_until=None)

    assert withdrawn.status(NOW) is Status.INVITE_EXPIRED
    assert withdrawn.invitation_hours_left(NOW) == 0


@pytest.mark.parametrize("count", [0, 1, 3, 12])
def test_none_one_and_more_than_two_client_admins_are_worth_a_word(count: int) -> None:
    """R01"""
    advisory = advice(count)

    assert advisory is not None
    assert (advisory.code, advisory.client_admins) == ("ADVISORY_CA_COUNT", count)


def test_two_client_admins_are_right() -> None:
    """R01"""
    assert advice(2) is None


def test_the_last_client_admin_stays() -> None:
    """R01"""
    last = client_admin_user()

    with pytest.raises(Conflict) as refused:
        keep_a_client_admin(last, [last, client_admin_user(active=False)])

    assert refused.value.code == "LAST_CLIENT_ADMIN"


def test_an_invited_client_admin_is_no_replacement_for_a_confirmed_one() -> None:
    """R01"""
    last, invited = client_admin_user(), client_admin_user(confirmed=False)

    with pytest.raises(Conflict):
        keep_a_client_admin(last, [last, invited])
    keep_a_client_admin(invited, [last, invited])


def test_one_of_two_client_admins_may_leave() -> None:
    """R01"""
    one, other = client_admin_user(), client_admin_user()

    keep_a_client_admin(one, [one, other])


@given(st.lists(st.booleans(), min_size=1, max_size=6), st.data())
def test_whoever_may_leave_leaves_a_client_admin_who_can_act(
    confirmed: list[bool], data: st.DataObject
) -> None:
    """R01"""
    admins = [client_admin_user(confirmed=one) for one in confirmed]
    leaving = data.draw(st.sampled_from(admins))
    try:
        keep_a_client_admin(leaving, admins)
    except Conflict:
        return
    remaining = [one for one in admins if one.id != leaving.id]

    assert remaining
    assert any(one.confirmed for one in remaining) or not any(confirmed)


def test_who_is_no_client_admin_may_always_leave() -> None:
    """R01"""
    keep_a_client_admin(staff_user(OFFICE), [])


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.PROVIDER])
def test_an_office_belongs_to_office_roles_and_to_no_other(role: Role) -> None:
    """R08"""
    if role is not Role.INSURANCE_MANAGER:
        with pytest.raises(Invalid):
            RoleWanted(role, None if role.for_office else OFFICE)
    RoleWanted(role, OFFICE if role.for_office else None)


def test_an_insurance_manager_is_the_whole_organizations_or_an_offices_and_works_at_none() -> None:
    """R26: neither covers the office, nor is left uncovered by one who leaves."""
    at_office = user(RoleWanted(Role.INSURANCE_MANAGER, OFFICE))
    everywhere = user(
        RoleWanted(Role.INSURANCE_MANAGER), RoleWanted(Role.INSURANCE_MANAGER, OFFICE)
    )
    staff = user(RoleWanted(Role.INSURANCE_MANAGER, OFFICE), RoleWanted(Role.OFFICE_STAFF, OFFICE))

    assert covers(at_office) == workplaces(at_office) == frozenset()
    assert covers(staff) == frozenset({OFFICE})
    assert plans_kept_at(at_office) == plans_kept_at(staff) == (OFFICE,)
    assert plans_kept_at(everywhere) == ()
    assert not at_office.has(RoleWanted(Role.INSURANCE_MANAGER))


def test_what_is_granted_for_a_time_is_to_be_office_admin_or_to_keep_the_plans_of_an_office() -> (
    None
):
    """R08, R26"""
    for role in (Role.OFFICE_ADMIN, Role.INSURANCE_MANAGER):
        assert RoleWanted(role, OFFICE, expires_at=NOW).expires_at == NOW
    for role, office in ((Role.OFFICE_STAFF, OFFICE), (Role.INSURANCE_MANAGER, None)):
        with pytest.raises(Invalid) as refused:
            RoleWanted(role, office, expires_at=NOW)
        assert refused.value.code == "END_NOT_WANTED"


def test_a_change_to_a_version_that_has_passed_is_refused() -> None:
    with pytest.raises(Conflict) as refused:
        user().require_version(2)

    assert refused.value.code == "STALE_VERSION"


def test_the_end_of_a_role_needs_a_time_zone() -> None:
    """R08: a moment without one is none."""
    with pytest.raises(Invalid) as refused:
        RoleWanted(Role.OFFICE_ADMIN, OFFICE, expires_at=NOW.replace(tzinfo=None))

    assert refused.value.field == "expiresAt"
