"""Organizations and invitations, from GraphQL to the mail server."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.service.identity.asking import (
    ADD_ORGANIZATION,
    CONFIRM,
    INVITE,
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
        ({"timeZone": "localtime"}, "timeZone"),
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


async def test_every_way_to_write_an_international_address_is_one_account(
    identity: Identity, here: Organization
) -> None:
    """R03: case, Unicode forms, and both ways to write the domain meet; a plus-tag is another address."""
    local = an_email().partition("@")[0]
    spellings = [
        f"{local}@b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example",
        f"{local}@xn--bcher-kva.example",
        f"{local.upper()}@XN--BCHER-KVA.EXAMPLE",
        f"{local}@bu\N{COMBINING DIAERESIS}cher\N{IDEOGRAPHIC FULL STOP}example",
    ]

    invited = [await identity.invite(here.admin, one) for one in spellings]
    tagged = await identity.invite(here.admin, spellings[0].replace("@", "+tag@"))

    assert len({one["user"]["id"] for one in invited}) == 1
    assert tagged["user"]["id"] != invited[0]["user"]["id"]
    await identity.confirm_by_link(spellings[0])
    signed_in = [await identity.sign_in(one) for one in spellings]
    assert {one.get("userId") for one in signed_in} == {invited[0]["user"]["id"]}


async def test_a_name_cannot_forge_a_header_of_mail(identity: Identity, here: Organization) -> None:
    """R03: header injection, by line breaks and by what folds into them."""
    for name in ("Sam\r\nBcc: all@example.org", "Sam\nX: y", "Sam\x0bX", "Sam\u2028X", "Sam\0"):
        refused = await identity.invite(here.admin, an_email(), name=name)
        assert (refused["code"], refused["field"]) == ("BAD_TEXT", "name")
    email = an_email()
    await identity.invite(here.admin, email, name='Sam "Bcc: all@example.org" <x@y.example>, \\')
    await identity.jobs()

    ((to, message),) = [one for one in identity.mailbox.letters if one[0] == email]
    assert to == email
    assert message["Bcc"] is None
    assert [one.addr_spec for one in message["To"].addresses] == [email]


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


async def test_an_address_in_any_script_gets_its_mail(
    identity: Identity, here: Organization
) -> None:
    """R03"""
    email = f"jörg-{uuid4().hex[:6]}@exämple.org"

    await identity.invite(here.admin, email, name='Jörg "J" Öztürk, \N{GREEK SMALL LETTER OMEGA}')
    await identity.jobs()

    assert len(identity.mailbox.to(email)) == 1


async def test_an_address_the_server_never_takes_counts_as_refused_in_the_end(
    identity: Identity, here: Organization
) -> None:
    """R03"""
    email = an_email()
    identity.mailbox.away = True
    user_id = (await identity.invite(here.admin, email))["user"]["id"]
    await identity.running.sql.execute("UPDATE letters SET attempts = 149 WHERE state = 'QUEUED'")
    await identity.running.advance(timedelta(hours=1))
    identity.mailbox.away = False

    assert (await identity.user(user_id, here.admin))["invitationMail"] == "BOUNCED"


async def test_of_a_confirmation_and_a_second_membership_at_once_both_organizations_hear(
    identity: Identity, here: Organization
) -> None:
    """R03"""
    there = await new_organization(identity, "Hillside Care")
    for _ in range(5):
        email = an_email()
        user_id = (await identity.invite(here.admin, email))["user"]["id"]
        token, _secret = await identity.secrets(email)

        await asyncio.gather(
            identity.mutate(CONFIRM, {"token": token, "newPassword": PASSWORD}),
            identity.invite(there.admin, email),
        )

        for one in (here, there):
            told = await identity.told(one.id)
            assert ("user.confirmed.v1", {"userId": user_id}) in told
