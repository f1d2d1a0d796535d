"""Organizations and invitations, from GraphQL to the mail server."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.service.identity.asking import (
    ADD_ORGANIZATION,
    CONFIRM,
    INVITE,
    RESEND,
    RESET,
    SET_PASSWORD,
    organization,
    role,
)
from tests.service.identity.conftest import (
    PASSWORD,
    Identity,
    Organization,
    an_email,
    new_organization,
)


async def test_support_opens_an_organization_and_its_client_admin_is_invited(
    identity: Identity,
) -> None:
    """R01, R03"""
    email = an_email()

    added = await identity.mutate(
        ADD_ORGANIZATION, organization("Lakeside", email), identity.support
    )

    assert added["organization"]["timeZone"] == "America/New_York"
    admin = added["clientAdmin"]
    assert (admin["email"], admin["status"], admin["invitationHoursLeft"]) == (email, "INVITED", 48)
    assert admin["grants"] == [{"role": "CLIENT_ADMIN", "office": None}]
    assert added["advisory"] == {"code": "ADVISORY_CA_COUNT", "clientAdmins": 1}
    told = await identity.told(UUID(added["organization"]["id"]))
    assert [name for name, _ in told] == [
        "organization.added.v1",
        "user.invited.v1",
        "user.role_granted.v1",
    ]
    assert email not in str(told)


async def test_only_support_opens_an_organization(identity: Identity, here: Organization) -> None:
    """R02"""
    refused = await identity.mutate(
        ADD_ORGANIZATION, organization("Hillside", an_email()), here.admin
    )

    assert refused["__typename"] == "DeniedProblem"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "Lake\r\nside"}, "name"),
        ({"timeZone": "Mars/Olympus"}, "timeZone"),
        ({"clientAdmin": {"email": "nobody", "name": "Ada"}}, "clientAdmin.email"),
        ({"clientAdmin": {"email": "a@example.org", "name": "Ada\nBcc: x"}}, "clientAdmin.name"),
    ],
)
async def test_bad_input_is_named_by_its_field(
    identity: Identity, change: dict[str, object], field: str
) -> None:
    input_ = organization("Lakeside", an_email()) | change

    refused = await identity.mutate(ADD_ORGANIZATION, input_, identity.support)

    assert (refused["__typename"], refused["field"]) == ("InvalidProblem", field)
    assert refused["remedy"]


async def test_opening_twice_with_one_key_opens_one_organization(identity: Identity) -> None:
    input_ = organization("Lakeside", an_email())

    first, second = await asyncio.gather(
        *(identity.mutate(ADD_ORGANIZATION, input_, identity.support) for _ in range(2))
    )

    assert first["organization"]["id"] == second["organization"]["id"]
    assert first["clientAdmin"]["id"] == second["clientAdmin"]["id"]


async def test_an_unknown_address_gets_an_account_one_mail_and_one_fact(
    identity: Identity, here: Organization
) -> None:
    """R03"""
    email = an_email()

    invited = await identity.invite(here.admin, email, role("OFFICE_STAFF", here.office))

    assert invited["user"]["status"] == "INVITED"
    assert invited["advisory"] is None
    await identity.jobs()
    await identity.jobs()
    assert len(identity.mailbox.to(email)) == 1
    seen = await identity.user(invited["user"]["id"], here.admin)
    assert seen["invitationMail"] == "SENT"
    told = [name for name, data in await identity.told(here.id) if data.get("userId") == seen["id"]]
    assert told == ["user.invited.v1", "user.role_granted.v1"]


async def test_a_double_click_invites_once(identity: Identity, here: Organization) -> None:
    """R03"""
    email = an_email()
    input_ = {"email": email, "name": "Sam", "roles": [], "idempotencyKey": str(uuid4())}

    answers = await asyncio.gather(*(identity.mutate(INVITE, input_, here.admin) for _ in range(3)))

    assert len({one["user"]["id"] for one in answers}) == 1
    await identity.jobs()
    assert len(identity.mailbox.to(email)) == 1


async def test_another_spelling_of_a_known_address_makes_no_second_account(
    identity: Identity, here: Organization
) -> None:
    """R03"""
    email = an_email()
    first = await identity.invite(here.admin, email)

    again = await identity.invite(
        here.admin,
        email.upper().replace("U", "\N{FULLWIDTH LATIN CAPITAL LETTER U}"),
        role("OFFICE_STAFF", here.office),
    )

    assert again["user"]["id"] == first["user"]["id"]
    assert [one["role"] for one in again["user"]["grants"]] == ["OFFICE_STAFF"]
    await identity.jobs()
    assert len(identity.mailbox.to(email)) == 1


async def test_the_same_person_in_another_organization_has_one_account_and_a_second_membership(
    identity: Identity, here: Organization
) -> None:
    """R03"""
    there = await new_organization(identity, "Hillside Care")
    email = an_email()
    first = await identity.invite(here.admin, email)
    await identity.confirm(email)

    second = await identity.invite(there.admin, email.upper())

    assert second["user"]["id"] == first["user"]["id"]
    assert second["user"]["status"] == "ACTIVE"
    assert second["user"]["organization"]["name"] == "Hillside Care"
    await identity.jobs()
    assert "Hillside Care has added you" in identity.mailbox.to(email)[-1]
    told = [
        name
        for name, data in await identity.told(there.id)
        if data.get("userId") == first["user"]["id"]
    ]
    assert told == ["user.invited.v1", "user.confirmed.v1"]


async def test_two_organizations_inviting_one_address_at_once_make_one_account(
    identity: Identity, here: Organization
) -> None:
    """R03"""
    there = await new_organization(identity, "Hillside Care")
    email = an_email()

    one, other = await asyncio.gather(
        identity.invite(here.admin, email), identity.invite(there.admin, email)
    )

    assert one["user"]["id"] == other["user"]["id"]


async def test_an_office_admin_invites_staff_for_the_own_office_only(
    identity: Identity, here: Organization
) -> None:
    """R03, R08"""
    office_admin = await identity.member(here, role("OFFICE_ADMIN", here.office))
    elsewhere = identity.new_office(here.id)

    invited = await identity.invite(office_admin, an_email(), role("OFFICE_STAFF", here.office))
    refused = await identity.invite(office_admin, an_email(), role("OFFICE_STAFF", elsewhere))
    unbound = await identity.invite(office_admin, an_email())

    assert invited["__typename"] == "UserInvited"
    assert (refused["__typename"], unbound["__typename"]) == ("DeniedProblem", "DeniedProblem")


@pytest.mark.parametrize("state", [None, "CLOSED"])
async def test_nobody_is_invited_for_an_office_that_is_not_there(
    identity: Identity, here: Organization, state: str | None
) -> None:
    """R08"""
    office = identity.new_office(here.id, state) if state else identity.new_office(uuid4())
    email = an_email()

    refused = await identity.invite(here.admin, email, role("OFFICE_STAFF", office))

    assert refused["code"] == ("OFFICE_CLOSED" if state else "NOT_FOUND")
    assert refused["field"] == "officeId"
    await identity.jobs()
    assert identity.mailbox.to(email) == []


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
    issued = await identity.running.parts.db.pool.fetchval(
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
        "Ask support to reset the temporary password.",
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
    reason = await identity.running.parts.db.pool.fetchval(
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


async def test_mail_is_tried_again_until_the_server_is_back(
    identity: Identity, here: Organization
) -> None:
    """R03"""
    email = an_email()
    identity.mailbox.away = True
    user_id = (await identity.invite(here.admin, email))["user"]["id"]
    await identity.jobs()
    waiting = await identity.user(user_id, here.admin)
    identity.mailbox.away = False
    await identity.running.advance(timedelta(minutes=2))

    assert (waiting["invitationMail"], waiting["status"]) == ("QUEUED", "INVITED")
    assert len(identity.mailbox.to(email)) == 1
    assert (await identity.user(user_id, here.admin))["invitationMail"] == "SENT"


async def test_a_bounce_is_visible(identity: Identity, here: Organization) -> None:
    """R03"""
    email = an_email()
    identity.mailbox.bouncing.add(email)
    user_id = (await identity.invite(here.admin, email))["user"]["id"]

    await identity.jobs()
    await identity.running.advance(timedelta(hours=1))

    assert (await identity.user(user_id, here.admin))["invitationMail"] == "BOUNCED"


async def test_no_secret_of_an_invitation_lies_open_in_the_database(
    identity: Identity, here: Organization
) -> None:
    """R03"""
    email = an_email()
    user_id = (await identity.invite(here.admin, email))["user"]["id"]
    secrets = await identity.secrets(email)
    pool = identity.running.parts.db.pool
    rows = [
        *(await pool.fetch("SELECT l::text AS row FROM letters l")),
        *(await pool.fetch("SELECT t::text AS row FROM temporary_passwords t")),
        *(await pool.fetch("SELECT body AS row FROM outbox")),
    ]

    for secret in secrets:
        assert not any(secret in row["row"] for row in rows)
    await identity.confirm(email)
    kept = await pool.fetchval(
        "SELECT count(sealed) FROM letters WHERE user_id = $1", UUID(user_id)
    )
    assert kept == 0
