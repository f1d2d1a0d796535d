"""Who must have a second factor, and what they can do until they have one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kit.auth import Stage, Viewer
from kit.errors import Unauthenticated
from services.identity import store
from tests.service.identity.asking import VIEWER, role
from tests.service.identity.conftest import (
    PASSWORD,
    SUPPORT,
    Identity,
    Organization,
    an_email,
    new_organization,
)
from tests.service.identity.proving import (
    ADD_PASSKEY,
    FACTORS,
    MAKE_CODES,
    REMOVE,
    SET_RULES,
    SIGN_IN,
    START_PASSKEY,
    App,
    add_app,
    add_passkey,
    answer,
    begin,
)
from tests.support.authenticator import Authenticator

RULES = "query($here: ID) { signInRules(organizationId: $here) { secondFactorRequired version } }"


class Strict:
    """An organization whose client admins need a second factor; its first one has an app."""

    def __init__(self, here: Organization, admin: Viewer, app: App) -> None:
        self.here, self.admin, self.app = here, admin, app


async def email_of(identity: Identity, viewer: Viewer) -> str:
    """A viewer's address."""
    found: str = await identity.running.parts.db.pool.fetchval(
        "SELECT email FROM users WHERE id = $1", viewer.user_id
    )
    return found


async def set_rules(identity: Identity, viewer: Viewer, **said: object) -> dict[str, Any]:
    """What changing the rules answers."""
    given = {"secondFactorRequired": True, "expectedVersion": 0} | said
    return await identity.mutate(SET_RULES, given, viewer)


@pytest.fixture
async def strict(identity: Identity, here: Organization) -> AsyncIterator[Strict]:
    """Afterwards it asks for nothing any more: support would need a factor as well."""
    app, _ = await add_app(identity, here.admin)
    admin = replace(here.admin, second_factor=True)
    done = await set_rules(identity, admin)
    assert done["secondFactorRequired"] is True, done
    yield Strict(here, admin, app)
    parts = identity.running.parts
    async with parts.db.transaction() as tx:
        await store.put_sign_in_rules(tx, here.id, second_factor_required=False)


async def another_admin(identity: Identity, here: Organization) -> str:
    """The address of a confirmed client admin without a second factor."""
    email = an_email()
    await identity.invite(here.admin, email, role("CLIENT_ADMIN"))
    await identity.confirm_by_link(email)
    return email


async def test_whoever_asks_others_for_a_second_factor_has_one(
    identity: Identity, here: Organization
) -> None:
    refused = await set_rules(identity, here.admin)
    staff = await identity.member(here, role("OFFICE_STAFF", here.office))
    by_staff = await set_rules(identity, staff)
    elsewhere = await new_organization(identity, "Hillside Care")
    foreign = await set_rules(identity, elsewhere.admin, organizationId=str(here.id))
    silent = await set_rules(identity, identity.support, organizationId=str(here.id))

    assert refused["code"] == "SECOND_FACTOR_FIRST"
    assert by_staff["code"] == "FORBIDDEN"
    assert foreign["code"] == "NOT_FOUND"
    assert silent["code"] == "REASON_REQUIRED"


async def test_the_rules_are_read_by_who_decides_them_and_change_by_version(
    identity: Identity, strict: Strict
) -> None:
    seen = await identity.running.data(RULES, viewer=strict.admin)
    stale = await set_rules(identity, strict.admin, secondFactorRequired=False)
    told = [kind for kind, _ in await identity.told(strict.here.id)]

    assert seen["signInRules"] == {"secondFactorRequired": True, "version": 1}
    assert stale["code"] == "STALE_VERSION"
    assert "organization.sign_in_rules_changed.v1" in told


async def test_client_admins_without_one_are_signed_out_the_moment_it_is_asked_for(
    identity: Identity, here: Organization
) -> None:
    """ASVS 8.3.2; staff go on."""
    email = await another_admin(identity, here)
    admin = await identity.sign_in(email)
    staff_email = an_email()
    await identity.invite(here.admin, staff_email, role("OFFICE_STAFF", here.office))
    await identity.confirm_by_link(staff_email)
    staff = await identity.sign_in(staff_email)
    await add_app(identity, here.admin)
    await set_rules(identity, replace(here.admin, second_factor=True))
    try:
        with pytest.raises(Unauthenticated):
            await identity.viewer(admin["accessToken"])
        assert (await identity.viewer(staff["accessToken"])).stage is Stage.FULL
        assert (await begin(identity, email))[1]["stage"] == "ENROL_FACTOR"
        assert (await begin(identity, staff_email))[1]["stage"] == "FULL"
    finally:
        async with identity.running.parts.db.transaction() as tx:
            await store.put_sign_in_rules(tx, here.id, second_factor_required=False)


async def test_who_must_have_one_can_do_nothing_but_add_one_and_goes_on_from_there(
    identity: Identity, strict: Strict
) -> None:
    email = await another_admin(identity, strict.here)
    held, begun = await begin(identity, email)
    looked = await identity.running.gql(VIEWER, viewer=held)
    others = [
        await identity.mutate(MAKE_CODES, None, held),
        await identity.invite(held, an_email()),
        await set_rules(identity, held),
    ]
    seen = await identity.running.data(FACTORS, viewer=held)

    started = await identity.mutate(START_PASSKEY, None, held)
    said = {"name": "Key", "credential": Authenticator().create(started["options"])}
    added = await identity.mutate(ADD_PASSKEY, said, held)

    assert begun["stage"] == "ENROL_FACTOR"
    assert begun["refreshToken"] is None
    assert looked["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert {one["code"] for one in others} == {"SECOND_FACTOR_MISSING"}
    assert seen["secondFactors"] == {"factors": [], "recoveryCodesLeft": 0, "required": True}
    assert len(added["recoveryCodes"]) == 10
    assert added["signedIn"]["stage"] == "FULL"
    assert (await identity.viewer(added["signedIn"]["accessToken"])).second_factor
    with pytest.raises(Unauthenticated):
        await identity.viewer(begun["accessToken"])


async def test_the_last_one_cannot_be_removed_by_who_must_have_one(
    identity: Identity, strict: Strict
) -> None:
    (factor,) = (await identity.running.data(FACTORS, viewer=strict.admin))["secondFactors"][
        "factors"
    ]
    refused = await identity.mutate(REMOVE, {"factorId": factor["id"]}, strict.admin)
    await add_passkey(identity, strict.admin)

    done = await identity.mutate(REMOVE, {"factorId": factor["id"]}, strict.admin)

    assert refused["code"] == "LAST_SECOND_FACTOR"
    assert [one["kind"] for one in done["factors"]] == ["PASSKEY"]


async def test_of_two_factors_removed_at_once_one_stays(identity: Identity, strict: Strict) -> None:
    await add_passkey(identity, strict.admin)
    found = (await identity.running.data(FACTORS, viewer=strict.admin))["secondFactors"]["factors"]

    done = await asyncio.gather(
        *(identity.mutate(REMOVE, {"factorId": one["id"]}, strict.admin) for one in found)
    )

    assert sorted(one.get("code", "done") for one in done) == ["LAST_SECOND_FACTOR", "done"]


async def test_who_becomes_a_client_admin_is_held_back_in_the_session_that_runs(
    identity: Identity, strict: Strict
) -> None:
    """R02: by the next request."""
    email = an_email()
    invited = await identity.invite(strict.admin, email)
    await identity.confirm_by_link(email)
    session = await identity.sign_in(email)
    assert (await identity.viewer(session["accessToken"])).stage is Stage.FULL
    async with identity.running.parts.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO grants (id, membership_id, role, granted_at, granted_by)"
            " SELECT uuidv7(), id, 'CLIENT_ADMIN', now(), user_id FROM memberships WHERE user_id = $1",
            invited["user"]["id"],
        )

    held = await identity.viewer(session["accessToken"])
    assert held.stage is Stage.ENROL_FACTOR
    await add_app(identity, held)
    again = await identity.viewer(session["accessToken"])
    assert again.stage is Stage.FULL
    assert again.second_factor


async def test_support_needs_one_as_soon_as_an_organization_asks_for_it(
    identity: Identity, strict: Strict
) -> None:
    """ASVS 8.3.2: whoever is signed in without one is signed out."""
    said = {"email": SUPPORT[0], "password": SUPPORT[1]}
    off = {"secondFactorRequired": False, "expectedVersion": 1}
    assert (await set_rules(identity, strict.admin, **off))["version"] == 2
    before = (await identity.mutate(SIGN_IN, said))["accessToken"]
    assert (await set_rules(identity, strict.admin, expectedVersion=2))["version"] == 3

    with pytest.raises(Unauthenticated):
        await identity.viewer(before)
    assert (await identity.mutate(SIGN_IN, said))["stage"] == "ENROL_FACTOR"


async def test_a_password_that_is_too_short_alone_opens_a_session_that_can_only_add_a_factor(
    identity: Identity, here: Organization
) -> None:
    """NIST 800-63B-4: eight characters will do beside a second factor; when that is gone, they will not."""
    email = an_email()
    invited = await identity.invite(here.admin, email)
    await identity.confirm_by_link(email)
    parts = identity.running.parts
    short = PASSWORD[:10]
    hashed = await parts.peers.hasher.hash(short)
    async with parts.db.transaction() as tx:
        await store.set_password(tx, invited["user"]["id"], hashed, parts.clock.now())

    held, begun = await begin(identity, email, password=short)
    app, added = await add_app(identity, held)
    waiting, again = await begin(identity, email, password=short)
    done = await answer(identity, waiting, code=app.code(identity))

    assert begun["stage"] == "ENROL_FACTOR"
    assert added["signedIn"]["stage"] == "FULL"
    assert again["stage"] == "SECOND_FACTOR"
    assert done["stage"] == "FULL"


async def test_such_a_session_lives_half_an_hour(identity: Identity, strict: Strict) -> None:
    email = await another_admin(identity, strict.here)
    _, begun = await begin(identity, email)
    await identity.running.advance(timedelta(minutes=30))

    with pytest.raises(Unauthenticated):
        await identity.viewer(begun["accessToken"])
