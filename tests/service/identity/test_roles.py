"""Roles, client admins and deactivation."""

import asyncio
from uuid import uuid4

import pytest

from tests.service.identity.asking import (
    DEACTIVATE,
    GRANT,
    REVOKE,
    about,
    role,
)
from tests.service.identity.conftest import (
    Identity,
    Organization,
    an_email,
    new_organization,
)


async def test_an_office_admin_of_one_office_is_made_by_a_client_admin_only(
    identity: Identity, here: Organization
) -> None:
    """R08"""
    member = await identity.member(here, role("OFFICE_STAFF", here.office))
    user = await identity.user(member.user_id, here.admin)

    granted = await identity.mutate(
        GRANT, about(user, **role("OFFICE_ADMIN", here.office)), here.admin
    )
    office_admin = await identity.member(here, role("OFFICE_ADMIN", here.office))
    refused = await identity.mutate(
        GRANT, about(granted["user"], **role("OFFICE_ADMIN", here.office)), office_admin
    )

    assert granted["user"]["version"] == user["version"] + 1
    assert {one["role"] for one in granted["user"]["grants"]} == {"OFFICE_ADMIN", "OFFICE_STAFF"}
    assert refused["__typename"] == "DeniedProblem"
    told = await identity.told(here.id)
    assert (
        "user.role_granted.v1",
        {"userId": user["id"], "role": "OFFICE_ADMIN", "officeId": str(here.office)},
    ) in told


async def test_granting_and_revoking_twice_changes_nothing(
    identity: Identity, here: Organization
) -> None:
    """R08"""
    member = await identity.member(here)
    user = await identity.user(member.user_id, here.admin)
    wanted = about(user, **role("CALL_CENTRE"))

    first = await identity.mutate(GRANT, wanted, here.admin)
    again = await identity.mutate(GRANT, wanted, here.admin)
    revoked = await identity.mutate(REVOKE, about(first["user"], **role("CALL_CENTRE")), here.admin)
    twice = await identity.mutate(REVOKE, about(first["user"], **role("CALL_CENTRE")), here.admin)

    assert first == again
    assert revoked == twice
    assert revoked["user"]["grants"] == []
    told = [
        name for name, data in await identity.told(here.id) if data.get("role") == "CALL_CENTRE"
    ]
    assert told == ["user.role_granted.v1", "user.role_revoked.v1"]


async def test_a_change_to_a_user_who_has_changed_since_is_refused(
    identity: Identity, here: Organization
) -> None:
    member = await identity.member(here)
    user = await identity.user(member.user_id, here.admin)
    await identity.mutate(GRANT, about(user, **role("CALL_CENTRE")), here.admin)

    grant = await identity.mutate(GRANT, about(user, **role("INSURANCE_MANAGER")), here.admin)
    leave = await identity.mutate(DEACTIVATE, about(user), here.admin)

    assert (grant["code"], leave["code"]) == ("STALE_VERSION", "STALE_VERSION")


async def test_an_office_role_needs_an_office_the_organization_has(
    identity: Identity, here: Organization
) -> None:
    """R08"""
    member = await identity.member(here)
    user = await identity.user(member.user_id, here.admin)
    foreign = (await new_organization(identity, "Hillside Care")).office

    answers = [
        await identity.mutate(GRANT, about(user, **role("OFFICE_STAFF", office)), here.admin)
        for office in (None, uuid4(), foreign)
    ]

    assert answers[0]["code"] == "OFFICE_REQUIRED"
    assert answers[1] == answers[2], "no existence leak"
    assert answers[1]["__typename"] == "NotFoundProblem"


async def test_a_third_client_admin_comes_with_advice_and_an_alert_to_the_others(
    identity: Identity, here: Organization
) -> None:
    """R01"""
    second = await identity.member(here, role("CLIENT_ADMIN"))
    email = an_email()

    third = await identity.invite(here.admin, email, role("CLIENT_ADMIN"), name="Thea Third")

    assert (third["advisory"]["code"], third["advisory"]["clientAdmins"]) == (
        "ADVISORY_CA_COUNT",
        3,
    )
    await identity.jobs()
    for admin in (here.admin, second):
        address = (await identity.user(admin.user_id, here.admin))["email"]
        assert "Thea Third is now a client admin" in identity.mailbox.to(address)[-1]
    assert not any("client admin of" in letter for letter in identity.mailbox.to(email))


async def test_the_last_client_admin_can_neither_leave_nor_step_down(
    identity: Identity, here: Organization
) -> None:
    """R01"""
    admin = await identity.user(here.admin.user_id, here.admin)
    await identity.invite(here.admin, an_email(), role("CLIENT_ADMIN"))

    leave = await identity.mutate(DEACTIVATE, about(admin), here.admin)
    step_down = await identity.mutate(REVOKE, about(admin, **role("CLIENT_ADMIN")), here.admin)

    assert (leave["code"], step_down["code"]) == ("LAST_CLIENT_ADMIN", "LAST_CLIENT_ADMIN")
    assert leave["remedy"]


async def test_one_of_two_client_admins_leaves_with_a_word_about_the_backup(
    identity: Identity, here: Organization
) -> None:
    """R01"""
    second = await identity.member(here, role("CLIENT_ADMIN"))
    user = await identity.user(second.user_id, here.admin)

    gone = await identity.mutate(DEACTIVATE, about(user), here.admin)

    assert gone["advisory"]["clientAdmins"] == 1


@pytest.mark.parametrize("_round", range(5))
async def test_of_two_client_admins_who_deactivate_each_other_exactly_one_succeeds(
    identity: Identity,
    here: Organization,
    _round: int,
) -> None:
    """R01"""
    second = await identity.member(here, role("CLIENT_ADMIN"))
    users = [await identity.user(one.user_id, here.admin) for one in (here.admin, second)]

    answers = await asyncio.gather(
        identity.mutate(DEACTIVATE, about(users[1]), here.admin),
        identity.mutate(DEACTIVATE, about(users[0]), second),
    )

    kinds = sorted(one["__typename"] for one in answers)
    assert kinds[1] == "UserDeactivated"
    assert kinds[0] in {"DeniedProblem", "ConflictProblem"}


async def test_of_three_client_admins_a_deactivated_one_deactivates_nobody(
    identity: Identity, here: Organization
) -> None:
    """R07"""
    second = await identity.member(here, role("CLIENT_ADMIN"))
    third = await identity.member(here, role("CLIENT_ADMIN"))
    users = [await identity.user(one.user_id, here.admin) for one in (second, third)]

    await identity.mutate(DEACTIVATE, about(users[0]), here.admin)
    refused = await identity.mutate(DEACTIVATE, about(users[1]), second)

    assert refused["code"] == "ACCOUNT_DEACTIVATED"


async def test_deactivating_twice_is_deactivating_once(
    identity: Identity, here: Organization
) -> None:
    """R07"""
    member = await identity.member(here, role("INSURANCE_MANAGER"))
    user = await identity.user(member.user_id, here.admin)

    first, second = await asyncio.gather(
        *(identity.mutate(DEACTIVATE, about(user), here.admin) for _ in range(2))
    )

    assert first == second
    told = [name for name, data in await identity.told(here.id) if data.get("userId") == user["id"]]
    assert told.count("user.deactivated.v1") == 1


async def test_an_office_admin_deactivates_staff_of_the_own_office_and_nobody_else(
    identity: Identity, here: Organization
) -> None:
    """R07"""
    office_admin = await identity.member(here, role("OFFICE_ADMIN", here.office))
    elsewhere = identity.new_office(here.id)
    own = await identity.member(here, role("OFFICE_STAFF", here.office))
    foreign = await identity.member(here, role("OFFICE_STAFF", elsewhere))

    answers = [
        await identity.mutate(
            DEACTIVATE, about(await identity.user(one.user_id, here.admin)), office_admin
        )
        for one in (own, foreign, here.admin)
    ]

    assert [one["__typename"] for one in answers] == [
        "UserDeactivated",
        "DeniedProblem",
        "DeniedProblem",
    ]


async def test_ending_the_work_for_one_organization_leaves_the_other(
    identity: Identity, here: Organization
) -> None:
    """R07"""
    there = await new_organization(identity, "Hillside Care")
    email = an_email()
    user = (await identity.invite(here.admin, email))["user"]
    await identity.confirm(email)
    await identity.invite(there.admin, email)

    seen = await identity.user(user["id"], here.admin)
    await identity.mutate(DEACTIVATE, about(seen), here.admin)

    assert (await identity.sign_in(email))["organizationId"] == str(there.id)
    assert (await identity.user(user["id"], there.admin))["status"] == "ACTIVE"
    again = await identity.invite(here.admin, email)
    assert again["code"] == "USER_DEACTIVATED"
    grant = await identity.mutate(
        GRANT, about(await identity.user(user["id"], here.admin), **role("CALL_CENTRE")), here.admin
    )
    assert grant["code"] == "USER_DEACTIVATED"


async def test_an_invitation_ends_with_the_membership(
    identity: Identity, here: Organization
) -> None:
    """R04"""
    email = an_email()
    user = (await identity.invite(here.admin, email))["user"]
    token, temporary = await identity.secrets(email)

    await identity.mutate(DEACTIVATE, about(user), here.admin)

    confirm = await identity.mutate(
        "mutation($input: ConfirmAccountInput!) { confirmAccount(input: $input) { ... on Problem { code } } }",
        {"token": token, "newPassword": "seven herons cross the wide estuary"},
    )
    assert confirm["code"] == "ACCOUNT_DEACTIVATED"
    assert (await identity.sign_in(email, temporary))["code"] == "ACCOUNT_DEACTIVATED"


async def test_who_loses_an_office_before_confirming_does_not_get_it_by_confirming(
    identity: Identity, here: Organization
) -> None:
    """R04"""
    email, staff = an_email(), role("OFFICE_STAFF", here.office)
    invited = (await identity.invite(here.admin, email, staff))["user"]

    revoked = await identity.mutate(REVOKE, about(invited, **staff), here.admin)
    viewer = await identity.confirm(email)

    assert revoked["__typename"] == "RoleRevoked"
    assert viewer.office_staff_of == frozenset()
    user = await identity.user(viewer.user_id, here.admin)
    assert (user["status"], user["grants"]) == ("ACTIVE", [])
