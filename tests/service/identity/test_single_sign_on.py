"""Signing in at the organization's own sign-in service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from kit.errors import Unauthenticated
from tests.service.identity.asking import (
    DEACTIVATE,
    NEW_PASSWORD,
    REQUEST_PASSWORD,
    about,
    role,
)
from tests.service.identity.conftest import (
    PASSWORD,
    TOKEN,
    Identity,
    Organization,
    an_email,
    new_organization,
)
from tests.service.identity.proving import PROVE, START_TOTP, add_app, answer
from tests.service.identity.signing_on import (
    CHANGE,
    LOOK,
    REMOVE,
    START,
    VERIFY,
    Office,
    about_domain,
    give_password,
    office_with,
    viewer_of,
)
from tests.support.sign_in_service import SignInService, sign_in_service

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def service() -> AsyncIterator[SignInService]:
    """A sign-in service of this test alone."""
    async with sign_in_service() as running:
        yield running


@pytest.fixture
async def office(identity: Identity, here: Organization, service: SignInService) -> Office:
    """An organization that signs in there."""
    return await office_with(identity, here, service)


async def test_an_invited_user_signs_in_at_the_organizations_service(
    identity: Identity, office: Office
) -> None:
    """R03"""
    signed_in = await office.sign_in()
    viewer = await viewer_of(identity, signed_in)

    assert signed_in["stage"] == "FULL"
    assert signed_in["refreshToken"]
    assert str(viewer.user_id) == office.user_id
    assert viewer.organization_id == office.here.id
    assert viewer.office_staff_of == {office.here.office}
    assert (await identity.user(office.user_id, office.here.admin))["status"] == "ACTIVE_SSO"
    kinds = [
        kind
        for kind, data in await identity.told(office.here.id)
        if data.get("userId") == office.user_id
    ]
    assert "user.confirmed.v1" in kinds
    assert "user.sign_in_linked.v1" in kinds


async def test_staff_of_an_organization_with_a_sign_in_service_are_active_without_a_mail(
    identity: Identity, office: Office
) -> None:
    """R03: those of its own domain; anybody else is invited as ever."""
    own, other = f"new@{office.domain}", an_email()
    staff = role("OFFICE_STAFF", office.here.office)
    added = [await identity.invite(office.here.admin, one, staff) for one in (own, other)]
    await identity.jobs()

    assert [one["user"]["status"] for one in added] == ["ACTIVE_SSO", "INVITED"]
    assert identity.mailbox.to(own) == []
    assert len(identity.mailbox.to(other)) == 1
    assert (await identity.sign_in(own, PASSWORD))["code"] == "BAD_CREDENTIALS"


async def test_the_person_is_known_by_the_subject_from_then_on_and_not_by_the_address(
    identity: Identity, office: Office
) -> None:
    """ASVS 6.8.1"""
    first = await viewer_of(identity, await office.sign_in())
    office.service.email = f"married@{office.domain}"
    again = await viewer_of(identity, await office.sign_in())
    office.service.email, office.service.subject = (
        office.email,
        "somebody who got the address later",
    )
    other = await office.sign_in()

    assert again.user_id == first.user_id
    assert other["code"] == "NOT_A_USER"


async def test_the_organization_is_found_by_the_verified_domain_of_an_address(
    identity: Identity, office: Office
) -> None:
    by_address = await identity.mutate(START, {"email": f"Nobody@{office.domain.upper()}"})
    unknown = await identity.mutate(START, {"email": an_email()})
    neither = await identity.mutate(START, {})

    query = parse_qs(urlsplit(by_address["url"]).query)
    assert query["scope"] == ["openid email"]
    assert query["redirect_uri"] == ["http://localhost:4000/signed-in"]
    assert unknown["code"] == "SINGLE_SIGN_ON_UNKNOWN"
    assert neither["code"] == "INVALID"


async def test_a_domain_counts_once_support_has_verified_it_and_belongs_to_one_organization(
    identity: Identity, office: Office
) -> None:
    elsewhere = await new_organization(identity, "Hillside Care")
    await identity.mutate(CHANGE, office.wanted(), elsewhere.admin)

    taken = await identity.mutate(VERIFY, about_domain(elsewhere, office.domain), identity.support)
    by_admin = await identity.mutate(
        VERIFY, about_domain(office.here, office.domain), office.here.admin
    )
    unnamed = await identity.mutate(
        VERIFY, about_domain(office.here, "other.example"), identity.support
    )
    shown = await identity.running.data(LOOK, viewer=elsewhere.admin)

    assert taken["code"] == "DOMAIN_TAKEN"
    assert by_admin["code"] == "FORBIDDEN"
    assert unnamed["code"] == "NOT_FOUND"
    assert shown["signInService"]["domains"] == [{"domain": office.domain, "verifiedAt": None}]


async def test_who_does_not_work_here_is_not_let_in_however_well_the_service_knows_them(
    identity: Identity, office: Office
) -> None:
    elsewhere = await new_organization(identity, "Hillside Care")
    await identity.invite(elsewhere.admin, f"guest@{office.domain}")
    codes = []
    for email in (f"stranger@{office.domain}", f"guest@{office.domain}"):
        office.service.email, office.service.subject = email, email
        codes.append((await office.sign_in())["code"])

    assert codes == ["NOT_A_USER", "NOT_A_USER"]


async def test_deactivation_is_decided_here(identity: Identity, office: Office) -> None:
    """R07"""
    viewer = await viewer_of(identity, await office.sign_in())
    user = await identity.user(office.user_id, office.here.admin)
    done = await identity.mutate(
        DEACTIVATE,
        about(user, acknowledgeUncovered=True, successorId=str(office.here.admin.user_id)),
        office.here.admin,
    )
    assert done["__typename"] == "UserDeactivated", done

    assert (await office.sign_in())["code"] == "NOT_A_USER"
    assert viewer.organization_id == office.here.id


async def test_a_service_lets_nobody_into_another_organization(
    identity: Identity, office: Office
) -> None:
    """R02: a person of two organizations acts, after signing in at one's service, in that one."""
    elsewhere = await new_organization(identity, "Hillside Care")
    await identity.invite(elsewhere.admin, office.email)

    viewer = await viewer_of(identity, await office.sign_in())

    assert viewer.organization_id == office.here.id


async def test_support_does_not_sign_in_there(
    identity: Identity, here: Organization, service: SignInService
) -> None:
    office = await office_with(identity, here, service)
    wanted = office.wanted(domains=[office.domain, "suite.example"], expectedVersion=1)
    await identity.mutate(CHANGE, wanted, here.admin)
    await identity.mutate(VERIFY, about_domain(here, "suite.example"), identity.support)
    service.email, service.subject = "support@suite.example", "root"

    assert (await office.sign_in())["code"] == "NOT_A_USER"


async def test_passwords_are_refused_once_an_admin_who_signed_in_there_says_so(
    identity: Identity, office: Office
) -> None:
    email = f"boss@{office.domain}"
    invited = await identity.invite(office.here.admin, email, role("CLIENT_ADMIN"))
    await give_password(identity, invited["user"]["id"])
    other = await identity.sign_in(email)
    office.service.email, office.service.subject = email, "boss"
    too_soon = await identity.mutate(
        CHANGE, office.wanted(only=True, expectedVersion=1), office.here.admin
    )
    boss = await viewer_of(identity, await office.sign_in())
    unproved = await identity.mutate(CHANGE, office.wanted(only=True, expectedVersion=1), boss)
    await identity.mutate(PROVE, {"password": PASSWORD}, boss)
    wanted = office.wanted(only=True, expectedVersion=1)
    moved = await identity.mutate(CHANGE, wanted | {"clientSecret": "another"}, boss)
    del wanted["clientSecret"]

    done = await identity.mutate(CHANGE, wanted, boss)

    assert too_soon["code"] == moved["code"] == "SINGLE_SIGN_ON_FIRST"
    assert unproved["code"] == "STEP_UP_REQUIRED"
    assert done["only"] is True
    refused = await identity.sign_in(email)
    assert refused["code"] == "SINGLE_SIGN_ON_REQUIRED"
    assert (await identity.sign_in(email, "not the password at all"))["code"] == "BAD_CREDENTIALS"
    with pytest.raises(Unauthenticated):
        await identity.viewer(other["accessToken"])
    assert await viewer_of(identity, await office.sign_in())


async def test_a_second_factor_of_ones_own_is_asked_for_unless_the_service_has_asked_for_two(
    identity: Identity, office: Office
) -> None:
    viewer = await viewer_of(identity, await office.sign_in())
    app, _ = await add_app(identity, viewer)

    asked = await office.sign_in()
    waiting = await viewer_of(identity, asked)
    done = await answer(identity, waiting, code=app.code(identity))
    office.service.claims["amr"] = ["pwd", "mfa"]
    strong = await office.sign_in()

    assert asked["stage"] == "SECOND_FACTOR"
    assert done["stage"] == strong["stage"] == "FULL"
    assert (await viewer_of(identity, strong)).second_factor


async def test_a_user_with_a_password_proves_it_before_changing_credentials_in_such_a_session(
    identity: Identity, office: Office
) -> None:
    """What an organization's service says is worth a session there, not an account that is used elsewhere, too."""
    await give_password(identity, office.user_id)
    viewer = await viewer_of(identity, await office.sign_in())

    assert (await identity.mutate(START_TOTP, None, viewer))["code"] == "STEP_UP_REQUIRED"


async def test_only_who_decides_for_the_organization_sees_and_changes_its_service(
    identity: Identity, office: Office
) -> None:
    """R02"""
    elsewhere = await new_organization(identity, "Hillside Care")
    staff = await identity.member(office.here, role("OFFICE_STAFF", office.here.office))
    there = {"here": str(office.here.id)}
    foreign = await identity.running.gql(LOOK, there, viewer=elsewhere.admin)
    by_staff = await identity.mutate(CHANGE, office.wanted(expectedVersion=1), staff)
    silent = await identity.mutate(
        CHANGE,
        office.wanted(expectedVersion=1, organizationId=str(office.here.id)),
        identity.support,
    )
    stale = await identity.mutate(CHANGE, office.wanted(), office.here.admin)
    seen = await identity.running.data(LOOK, there, viewer=identity.support)

    assert foreign["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert by_staff["code"] == "FORBIDDEN"
    assert silent["code"] == "REASON_REQUIRED"
    assert stale["code"] == "STALE_VERSION"
    assert seen["signInService"]["issuer"] == office.service.issuer
    async with identity.running.parts.db.reading() as tx:
        kept = await tx.fetchval(
            "SELECT sealed_client_secret FROM sign_in_services WHERE organization_id = $1",
            office.here.id,
        )
    assert "secret" not in kept


async def test_support_changes_it_with_a_reason_that_the_client_admins_hear_of(
    identity: Identity, office: Office
) -> None:
    about_it = {
        "organizationId": str(office.here.id),
        "reason": "Their admins are locked out",
        "expectedVersion": 1,
    }

    removed = await identity.mutate(REMOVE, about_it, identity.support)

    assert removed["__typename"] == "SignInServiceRemoved"
    assert (await office.start())["code"] == "SINGLE_SIGN_ON_UNKNOWN"
    await identity.jobs()
    admin = await identity.running.parts.db.pool.fetchval(
        "SELECT email FROM users WHERE id = $1", office.here.admin.user_id
    )
    assert any("sign-in service was removed" in one for one in identity.mailbox.to(admin))


async def test_a_sign_in_is_finished_once_within_ten_minutes_and_by_the_browser_that_began_it(
    office: Office, identity: Identity
) -> None:
    started = await office.start()
    back = office.service.visit(started["url"])
    stolen = await office.finish(started, back, secret="another browser's")
    again = await office.finish(started, back)
    late = await office.start()
    await identity.running.advance(10 * MINUTE)
    too_late = await office.finish(late, office.service.visit(late["url"]))
    both = await office.start()
    come = office.service.visit(both["url"])
    race = await asyncio.gather(*(office.finish(both, come) for _ in range(4)))

    assert {one["code"] for one in (stolen, again, too_late)} == {"SINGLE_SIGN_ON_FAILED"}
    assert [one["__typename"] for one in race].count("SignedIn") == 1


async def test_it_leads_back_only_to_pages_of_the_settings(office: Office) -> None:
    refused = await office.start(redirectUri="http://localhost:4000/signed-in/../evil")

    assert refused["code"] == "BAD_REDIRECT"


async def test_a_service_that_wants_its_secret_in_the_form_gets_it_there(
    identity: Identity, office: Office
) -> None:
    office.service.posts_secret = True

    assert await viewer_of(identity, await office.sign_in())


async def test_an_address_that_the_service_tells_only_when_asked_counts_as_well(
    identity: Identity, office: Office
) -> None:
    office.service.claims |= {"email": ..., "email_verified": ...}

    assert await viewer_of(identity, await office.sign_in())
    assert "/userinfo" in office.service.asked


async def test_who_never_had_a_password_sets_one_by_mail_once_the_service_is_gone(
    identity: Identity, office: Office
) -> None:
    """R03, R05: and not before: then the service says who comes in."""
    await office.sign_in()
    await identity.mutate(REQUEST_PASSWORD, {"email": office.email})
    await identity.jobs()
    before = identity.mailbox.to(office.email)
    gone = await identity.mutate(REMOVE, {"expectedVersion": 1}, office.here.admin)
    await identity.mutate(REQUEST_PASSWORD, {"email": office.email})
    await identity.jobs()
    token = TOKEN.search(identity.mailbox.to(office.email)[-1])

    assert gone["__typename"] == "SignInServiceRemoved"
    assert not any("/new-password" in one for one in before)
    assert token is not None
    done = await identity.mutate(NEW_PASSWORD, {"token": token[1], "newPassword": PASSWORD})
    assert done["__typename"] == "PasswordSet", done
    assert (await identity.sign_in(office.email))["stage"] == "FULL"
    assert (await identity.user(office.user_id, office.here.admin))["status"] == "ACTIVE"
