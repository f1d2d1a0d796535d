"""First passwords: the link, the temporary password, its 48 hours, and support's reset."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

from tests.service.identity.asking import (
    CONFIRM,
    DEACTIVATE,
    RESEND,
    RESET,
    SET_PASSWORD,
    about,
    role,
)
from tests.service.identity.conftest import (
    PASSWORD,
    SUPPORT,
    Identity,
    Organization,
    an_email,
    new_organization,
)
from tests.support.facts import eventually


async def test_a_link_confirms_once_and_never_again(identity: Identity, here: Organization) -> None:
    """R04"""
    email = an_email()
    invited = await identity.invite(here.admin, email)
    token, _ = await identity.secrets(email)
    weak = await identity.mutate(CONFIRM, {"token": token, "newPassword": "passwordpassword"})

    confirmed = await identity.mutate(CONFIRM, {"token": token, "newPassword": PASSWORD})
    again = await identity.mutate(CONFIRM, {"token": token, "newPassword": PASSWORD})
    unknown = await identity.mutate(CONFIRM, {"token": "x" + token, "newPassword": PASSWORD})

    assert weak["code"] == "PASSWORD_COMMON"
    assert confirmed["email"] == email
    assert again["code"] == "TOKEN_CONSUMED"
    assert unknown["code"] == "TOKEN_UNKNOWN"
    seen = await identity.user(invited["user"]["id"], here.admin)
    assert (seen["status"], seen["invitationHoursLeft"]) == ("ACTIVE", None)
    told = [data for name, data in await identity.told(here.id) if name == "user.confirmed.v1"]
    assert told[-1] == {"userId": invited["user"]["id"]}


async def test_of_many_confirmations_at_once_one_succeeds(
    identity: Identity, here: Organization
) -> None:
    """R04"""
    email = an_email()
    await identity.invite(here.admin, email)
    token, _ = await identity.secrets(email)

    answers = await asyncio.gather(
        *(identity.mutate(CONFIRM, {"token": token, "newPassword": PASSWORD}) for _ in range(5))
    )

    kinds = sorted(one.get("code", "won") for one in answers)
    assert kinds == ["TOKEN_CONSUMED"] * 4 + ["won"]


async def test_a_temporary_password_opens_a_session_that_can_only_set_a_password(
    identity: Identity, here: Organization
) -> None:
    """R05"""
    email = an_email()
    await identity.invite(here.admin, email, role("OFFICE_STAFF", here.office))
    _, temporary = await identity.secrets(email)

    signed_in = await identity.sign_in(email, temporary)

    assert (signed_in["stage"], signed_in["refreshToken"]) == ("SET_PASSWORD", None)
    viewer = await identity.viewer(signed_in["accessToken"])
    assert viewer.offices == frozenset()
    answer = await identity.running.gql("{ viewer { id } }", viewer=viewer)
    assert answer["errors"][0]["extensions"]["reason"] == "PASSWORD_CHANGE_REQUIRED"
    same = await identity.mutate(SET_PASSWORD, {"newPassword": temporary}, viewer)
    assert same["code"] == "PASSWORD_TEMPORARY"
    done = await identity.mutate(SET_PASSWORD, {"newPassword": PASSWORD}, viewer)
    assert done["__typename"] == "PasswordSet"
    assert (await identity.sign_in(email, temporary))["code"] == "BAD_CREDENTIALS"
    assert (await identity.sign_in(email))["stage"] == "FULL"
    again = await identity.mutate(SET_PASSWORD, {"newPassword": PASSWORD + "!"}, viewer)
    assert again["code"] == "SESSION_ENDED"


async def test_a_temporary_password_ends_at_forty_eight_hours_exactly(
    identity: Identity, here: Organization
) -> None:
    """R05"""
    email = an_email()
    await identity.invite(here.admin, email)
    token, temporary = await identity.secrets(email)
    issued = await identity.running.sql.fetchval(
        "SELECT t.issued_at FROM temporary_passwords t JOIN users u ON u.id = t.user_id WHERE u.email = $1",
        email,
    )
    user_id = (await identity.invite(here.admin, email))["user"]["id"]

    await identity.running.set_time(issued + timedelta(hours=47, minutes=59, seconds=50))
    before = await identity.sign_in(email, temporary)
    resent = await identity.mutate(RESEND, {"userId": user_id}, here.admin)
    await identity.running.set_time(issued + timedelta(hours=48))
    after = await identity.sign_in(email, temporary)
    link = await identity.mutate(CONFIRM, {"token": token, "newPassword": PASSWORD})
    too_late = await identity.mutate(RESEND, {"userId": user_id}, here.admin)

    assert before["stage"] == "SET_PASSWORD"
    assert resent["invitationHoursLeft"] == 1
    assert after["code"] == "TEMP_PASSWORD_EXPIRED"
    assert link["code"] == "TOKEN_EXPIRED"
    assert (too_late["code"], too_late["remedy"]) == (
        "TEMP_PASSWORD_EXPIRED",
        "Ask support with requestSupport to reset the temporary password.",
    )
    assert (await identity.user(user_id, here.admin))["status"] == "INVITE_EXPIRED"


async def test_sending_an_invitation_again_sends_the_same_secrets(
    identity: Identity, here: Organization
) -> None:
    """R04, R05"""
    email = an_email()
    invited = await identity.invite(here.admin, email)
    first = await identity.secrets(email)

    await identity.mutate(RESEND, {"userId": invited["user"]["id"]}, here.admin)

    assert await identity.secrets(email) == first
    assert len(identity.mailbox.to(email)) == 2


async def test_only_support_resets_a_temporary_password_and_gives_a_reason(
    identity: Identity, here: Organization
) -> None:
    """R05"""
    email = an_email()
    user_id = (await identity.invite(here.admin, email))["user"]["id"]
    old_token, old = await identity.secrets(email)
    wanted = {"userId": user_id, "reason": "asked by phone"}
    waiting = await identity.viewer((await identity.sign_in(email, old))["accessToken"])

    denied = await identity.mutate(RESET, wanted, here.admin)
    silent = await identity.mutate(RESET, wanted | {"reason": " "}, identity.support)
    done = await identity.mutate(RESET, wanted, identity.support)
    await identity.running.advance(timedelta(hours=47))

    assert (denied["__typename"], denied["code"]) == ("DeniedProblem", "SUPPORT_ONLY")
    assert silent["code"] == "REASON_REQUIRED"
    assert done["userId"] == user_id
    assert (await identity.sign_in(email, old))["code"] == "BAD_CREDENTIALS"
    link = await identity.mutate(CONFIRM, {"token": old_token, "newPassword": PASSWORD})
    assert link["code"] == "TOKEN_UNKNOWN"
    late = await identity.mutate(SET_PASSWORD, {"newPassword": PASSWORD}, waiting)
    assert late["code"] == "SESSION_ENDED"


async def test_a_reset_gives_forty_eight_new_hours_and_tells_the_client_admins(
    identity: Identity, here: Organization
) -> None:
    """R05"""
    email = an_email()
    user_id = (await identity.invite(here.admin, email))["user"]["id"]
    await identity.running.advance(timedelta(hours=49))
    wanted = {"userId": user_id, "reason": "asked by phone"}

    await identity.mutate(RESET, wanted, identity.support)
    first = await identity.secrets(email)
    await identity.mutate(RESET, wanted, identity.support)
    second = await identity.secrets(email)

    assert first != second
    assert (await identity.sign_in(email, first[1]))["code"] == "BAD_CREDENTIALS"
    assert (await identity.sign_in(email, second[1]))["stage"] == "SET_PASSWORD"
    admin = await identity.user(here.admin.user_id, here.admin)
    assert "Support has reset" in identity.mailbox.to(admin["email"])[-1]
    reason = await identity.running.sql.fetchval(
        "SELECT reason FROM support_acts WHERE user_id = $1 LIMIT 1", UUID(user_id)
    )
    assert reason == "asked by phone"


async def test_a_confirmed_user_has_no_temporary_password_to_reset(
    identity: Identity, here: Organization
) -> None:
    """R05"""
    wanted = {"userId": str(here.admin.user_id), "reason": "asked"}

    refused = await identity.mutate(RESET, wanted, identity.support)
    unknown = await identity.mutate(RESET, wanted | {"userId": str(uuid4())}, identity.support)

    assert (refused["code"], unknown["code"]) == ("ALREADY_CONFIRMED", "NOT_FOUND")


async def test_who_has_confirmed_or_left_has_no_invitation_to_send_again(
    identity: Identity, here: Organization
) -> None:
    """R04"""
    refused = await identity.mutate(RESEND, {"userId": str(here.admin.user_id)}, here.admin)

    assert (refused["__typename"], refused["code"]) == ("ConflictProblem", "NOT_INVITED")


async def test_who_was_invited_while_invited_elsewhere_waits_for_the_first_mail(
    identity: Identity, here: Organization
) -> None:
    """R05: a second organization's invitation extends nothing."""
    there = await new_organization(identity, "Hillside Care")
    email = an_email()
    await identity.invite(here.admin, email)
    await identity.running.advance(timedelta(hours=40))

    second = (await identity.invite(there.admin, email))["user"]
    await identity.confirm_by_link(email)

    assert (second["status"], second["invitationHoursLeft"]) == ("INVITED", 8)
    for organization in (here, there):
        told = [
            data
            for name, data in await identity.told(organization.id)
            if name == "user.confirmed.v1"
        ]
        assert {"userId": second["id"]} in told


async def test_no_session_begins_on_a_temporary_password_that_is_reset_at_that_moment(
    identity: Identity, here: Organization
) -> None:
    """R05"""
    email = an_email()
    user = (await identity.invite(here.admin, email))["user"]
    _, temporary = await identity.secrets(email)
    pool = identity.running.parts.db.pool
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

    async with pool.acquire() as held, held.transaction():
        await held.execute("SELECT FROM users WHERE id = $1::uuid FOR UPDATE", user["id"])
        why = {"userId": user["id"], "reason": "asked"}
        reset = asyncio.create_task(identity.mutate(RESET, why, identity.support))
        await eventually(lambda: pool.fetchval(waiting), lambda count: count == 1)
        entering = asyncio.create_task(identity.sign_in(email, temporary))
        await eventually(lambda: pool.fetchval(waiting), lambda count: count == 2)

    assert (await reset)["__typename"] == "TemporaryPasswordReset"
    assert (await entering)["code"] == "BAD_CREDENTIALS"


async def test_a_deactivated_user_gets_no_new_temporary_password(
    identity: Identity, here: Organization
) -> None:
    """R05"""
    user = (await identity.invite(here.admin, an_email()))["user"]
    await identity.mutate(DEACTIVATE, about(user), here.admin)

    refused = await identity.mutate(
        RESET, {"userId": user["id"], "reason": "asked"}, identity.support
    )

    assert refused["code"] == "USER_DEACTIVATED"


async def test_the_address_of_support_staff_cannot_be_invited(
    identity: Identity, here: Organization
) -> None:
    """R03"""
    refused = await identity.invite(here.admin, SUPPORT[0])

    assert (refused["code"], refused["field"]) == ("BAD_EMAIL", "email")
