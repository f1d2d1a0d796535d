"""Where a role makes somebody work."""

from uuid import uuid4

import pytest

from kit.workplace import workplace


@pytest.mark.parametrize("role", ["OFFICE_ADMIN", "OFFICE_STAFF"])
def test_office_admins_and_office_staff_work_at_the_office_they_are_granted_at(role: str) -> None:
    """R18"""
    office = uuid4()

    assert workplace(role, str(office)) == office


@pytest.mark.parametrize("role", ["INSURANCE_MANAGER", "CALL_CENTRE", "A_ROLE_OF_LATER"])
def test_nobody_works_at_an_office_by_another_role_there(role: str) -> None:
    """R26"""
    assert workplace(role, str(uuid4())) is None


def test_a_role_in_the_whole_organization_is_at_no_office() -> None:
    assert workplace("INSURANCE_MANAGER", "") is None
