"""Sign-in services that are broken, or not what they say: none gets anybody in, and the log names no secret."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from time import time
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from services.identity.actions import web
from services.identity.actions.openid import KEYS_PAUSE, KEYS_TRUSTED
from tests.service.identity.conftest import Identity, Organization
from tests.service.identity.signing_on import CHANGE, Office, office_with, viewer_of
from tests.support.sign_in_service import (
    CLIENT,
    SECRET,
    SignInService,
    packed,
    reply,
    sign_in_service,
)

Lie = Callable[[SignInService], object]
NOW = int(time())


@pytest.fixture
async def office(identity: Identity, here: Organization) -> AsyncIterator[Office]:
    """An organization and its sign-in service."""
    async with sign_in_service() as service:
        yield await office_with(identity, here, service)


def claims(**lies: Any) -> Lie:  # noqa: ANN401 - claims are anything
    """An identity token that says this; `...` leaves a claim out."""
    return lambda service: service.claims.update(lies)


def header(**lies: Any) -> Lie:  # noqa: ANN401 - headers are anything
    """An identity token whose header says this."""
    return lambda service: service.header.update(lies)


def answers(path: str, whole: bytes) -> Lie:
    """This HTTP answer at a path."""
    return lambda service: service.raw.update({path: whole})


def configured(**lies: Any) -> Lie:  # noqa: ANN401 - JSON
    """A configuration that says this."""
    return lambda service: service.configuration.update(lies)


def says(**lies: Any) -> Lie:  # noqa: ANN401 - JSON
    """An answer for a code that says this."""
    return lambda service: service.said.update(lies)


def another_key(service: SignInService) -> None:
    """Signed by a key that it does not show."""
    service.keys = service.public_keys()
    service.key = ECKey.generate_key("P-256")


def weak_key(service: SignInService) -> None:
    """Signed with RSA of 1024 bits."""
    with warnings.catch_warnings(action="ignore"):
        service.key, service.algorithm = RSAKey.generate_key(1024, auto_kid=False), "RS256"
        service.token = service.identity_token("x", "x")


def shared_key(service: SignInService) -> None:
    """Signed with a secret that it shows among its keys."""
    secret = OctKey.generate_key(256)
    service.keys = [secret.as_dict(private=True) | {"kid": service.kid, "alg": "HS256"}]
    service.key, service.header = secret, {"alg": "HS256"}  # type: ignore[assignment]


def twice(service: SignInService) -> None:
    """Two keys of one name: which is meant?"""
    other = ECKey.generate_key("P-256").as_dict(private=False) | {"kid": service.kid}
    service.keys = [*service.public_keys(), dict(other)]


def for_encryption(service: SignInService) -> None:
    """A key that is not for signatures."""
    service.keys = [one | {"use": "enc"} for one in service.public_keys()]


def unsigned(service: SignInService) -> None:
    """No signature at all."""
    head = packed(json.dumps({"alg": "none", "kid": service.kid}).encode())
    service.token = f"{head}.{packed(json.dumps(service.good_claims('x')).encode())}."


def critical(service: SignInService) -> None:
    """A header that says it must be understood."""
    head = packed(json.dumps({"alg": "ES256", "kid": service.kid, "crit": ["exp"]}).encode())
    service.token = (
        f"{head}.{packed(json.dumps(service.good_claims('x')).encode())}.{packed(bytes(64))}"
    )


def doubled(service: SignInService) -> None:
    """Claims that say who it is twice."""
    said = json.dumps(service.good_claims("x"))[:-1] + ', "sub": "root"}'
    head = packed(json.dumps({"alg": "ES256", "kid": service.kid}).encode())
    service.token = f"{head}.{packed(said.encode())}.{packed(bytes(64))}"


def about_somebody_else(service: SignInService) -> None:
    """Userinfo of another person."""
    service.claims |= {"email": ..., "email_verified": ...}
    service.userinfo["sub"] = "somebody else"


def about_nobody(service: SignInService) -> None:
    """Userinfo that does not say of whom."""
    service.claims |= {"email": ..., "email_verified": ...}
    service.userinfo["sub"] = ...


MISBEHAVIOURS: dict[str, Lie] = {
    "another issuer": claims(iss="https://login.example.evil"),
    "an issuer with a slash more": lambda s: s.claims.update(iss=s.issuer + "/"),
    "no issuer": claims(iss=...),
    "a token of another client": claims(aud="another client"),
    "no audience": claims(aud=...),
    "several audiences, nobody named": claims(aud=[CLIENT, "another client"]),
    "issued to another client": claims(azp="another client"),
    "another nonce": claims(nonce="replayed"),
    "no nonce": claims(nonce=...),
    "expired": claims(exp=NOW - 3600),
    "no end": claims(exp=...),
    "an end that is no time": claims(exp="tomorrow"),
    "an end that is a truth": claims(exp=True),
    "an end beyond all numbers": claims(exp=10**400),
    "made in the future": claims(iat=NOW + 3600),
    "made long ago": claims(iat=NOW - 7200),
    "no making": claims(iat=...),
    "not good yet": claims(nbf=NOW + 3600),
    "no subject": claims(sub=...),
    "an empty subject": claims(sub=""),
    "a subject that is a number": claims(sub=7),
    "a subject without end": claims(sub="s" * 256),
    "a subject with a line break": claims(sub="a\nb"),
    "another access token's": claims(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "alg none": unsigned,
    "HS256 with the public key": header(alg="HS256"),
    "a shared secret among its keys": shared_key,
    "a key that it does not show": another_key,
    "an unknown key": header(kid="unknown"),
    "two keys of one name": twice,
    "a key for encryption": for_encryption,
    "a weak key": weak_key,
    "an access token": header(typ="at+jwt"),
    "a header that must be understood": critical,
    "a name twice in the claims": doubled,
    "a token that is none": says(id_token="a.b"),
    "no identity token": says(id_token=None),
    "a token that is a number": says(id_token=7),
    "no access token": says(access_token=None),
    "another type of token": says(token_type="mac"),
    "a huge token": says(id_token="a" * 100_000),
    "a name twice in the answer": answers(
        "/token", reply(200, '{"id_token": "a", "id_token": "b"}')
    ),
    "a huge answer": answers("/token", reply(200, "[" + " " * 2_000_000 + "]")),
    "a huge head": answers("/token", b"HTTP/1.1 200 X\r\n" + b"x: y\r\n" * 100_000),
    "deep JSON": answers("/token", reply(200, "[" * 100_000)),
    "a list": answers("/token", reply(200, [])),
    "HTML": answers("/token", reply(200, "<html>sign in</html>", kind="text/html")),
    "a redirect": answers("/token", reply(302, {}, "location: http://127.0.0.1:1/")),
    "an error": answers("/token", reply(400, {"error": "invalid_grant"})),
    "no HTTP": answers("/token", b"SSH-2.0-x\r\n\r\n"),
    "keys that are none": answers("/jwks", reply(200, {"keys": {"kid": "first"}})),
    "no keys": answers("/jwks", reply(200, {"keys": []})),
    "broken keys": answers(
        "/jwks", reply(200, {"keys": [7, {"kty": "EC", "kid": "first", "x": 1}]})
    ),
    "a redirect to the keys": answers("/jwks", reply(307, {}, "location: http://127.0.0.1:1/")),
    "userinfo about somebody else": about_somebody_else,
    "userinfo about nobody": about_nobody,
}

NOT_LET_IN: dict[str, Lie] = {
    "an address that was not verified": claims(email_verified=False),
    "an address of which it is not said": claims(email_verified=...),
    "verified as a text": claims(email_verified="true"),
    "verified as a number": claims(email_verified=1),
    "an address of another domain": claims(email="sam@example.org"),
    "a domain that looks alike": lambda s: s.claims.update(email=s.email + ".evil"),
    "an address that is none": claims(email="sam"),
    "an address that is a list": claims(email=["sam@example.org"]),
    "no address": lambda s: (
        s.claims.update(email=..., email_verified=...),
        s.userinfo.update(email=...),
    ),
}


def test_there_are_at_least_twenty_of_them() -> None:
    assert len(MISBEHAVIOURS) + len(NOT_LET_IN) >= 20


async def signed_in(office: Office, lie: Lie) -> dict[str, Any]:
    """What signing in answers when the service misbehaves once its user is there."""
    started = await office.start()
    back = office.service.visit(started["url"])
    lie(office.service)
    return await office.finish(started, back)


@pytest.mark.parametrize("lie", MISBEHAVIOURS.values(), ids=MISBEHAVIOURS)
async def test_a_service_that_misbehaves_is_not_believed(
    office: Office, lie: Lie, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    refused = await signed_in(office, lie)

    assert refused["code"] == "SINGLE_SIGN_ON_FAILED", refused
    assert refused["remedy"]
    said = [
        one for one in caplog.records if one.getMessage() == "a sign-in service was not believed"
    ]
    assert len(said) == 1
    text = json.dumps([{**vars(one), "args": None} for one in caplog.records], default=str)
    assert SECRET not in text
    assert office.email not in text
    assert "eyJ" not in text


@pytest.mark.parametrize("lie", NOT_LET_IN.values(), ids=NOT_LET_IN)
async def test_an_address_that_proves_nothing_lets_nobody_in(office: Office, lie: Lie) -> None:
    assert (await signed_in(office, lie))["code"] == "NOT_A_USER"


@pytest.mark.parametrize(
    "lie",
    [
        configured(issuer="https://login.example.evil"),
        configured(token_endpoint="file:///etc/passwd"),
        configured(token_endpoint=None),
        configured(jwks_uri="http://user:password@127.0.0.1/jwks"),
        configured(authorization_endpoint="http://127.0.0.1/\r\nx: y"),
        configured(userinfo_endpoint=7),
        answers("/.well-known/openid-configuration", reply(301, {}, "location: /elsewhere")),
        answers("/.well-known/openid-configuration", reply(200, '{"issuer": 1, "issuer": 2}')),
    ],
)
async def test_a_configuration_that_is_not_the_services_own_is_not_used(
    identity: Identity, here: Organization, lie: Lie
) -> None:
    async with sign_in_service() as service:
        office = await office_with(identity, here, service)
        lie(service)

        assert (await office.start())["code"] == "SINGLE_SIGN_ON_FAILED"


async def test_a_state_that_was_never_given_or_belongs_to_another_sign_in_opens_nothing(
    office: Office,
) -> None:
    one, other = await office.start(), await office.start()
    back, other_back = office.service.visit(one["url"]), office.service.visit(other["url"])

    invented = await office.finish(one, back | {"state": "invented"})
    swapped = await office.finish(one, back | {"state": other_back["state"]})
    crossed = await office.finish(one, back | {"code": other_back["code"]})

    assert {one["code"] for one in (invented, swapped, crossed)} == {"SINGLE_SIGN_ON_FAILED"}


async def test_a_code_that_was_used_is_good_for_nothing(office: Office) -> None:
    first = await office.start()
    back = office.service.visit(first["url"])
    assert (await office.finish(first, back))["__typename"] == "SignedIn"
    second = await office.start()
    state = office.service.visit(second["url"])["state"]

    assert (await office.finish(second, back | {"state": state}))["code"] == "SINGLE_SIGN_ON_FAILED"


async def test_one_service_cannot_pass_its_users_off_as_anothers(office: Office) -> None:
    """The mix-up of RFC 9207: who sends a person back says so, and must be whom the person was sent to."""
    office.service.configuration["authorization_response_iss_parameter_supported"] = True
    answers = []
    for iss in ("https://login.example.evil", None):
        started = await office.start()
        back = office.service.visit(started["url"])
        answers.append(await office.finish(started, back, **({"iss": iss} if iss else {})))
    started = await office.start()
    good = await office.finish(
        started, office.service.visit(started["url"]), iss=office.service.issuer
    )

    assert {one["code"] for one in answers} == {"SINGLE_SIGN_ON_FAILED"}
    assert good["__typename"] == "SignedIn"


async def test_a_sign_in_that_was_begun_before_the_service_was_changed_is_over(
    identity: Identity, office: Office
) -> None:
    started = await office.start()
    back = office.service.visit(started["url"])
    await identity.mutate(CHANGE, office.wanted(expectedVersion=1), office.here.admin)

    assert (await office.finish(started, back))["code"] == "SINGLE_SIGN_ON_FAILED"


async def test_a_slow_service_is_not_waited_for_and_one_that_is_away_is_told_so(
    identity: Identity, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "TIMEOUT", 0.2)
    started = await office.start()
    back = office.service.visit(started["url"])
    office.service.slow.add("/token")
    slow = await office.finish(started, back)
    wanted = office.wanted(issuer="http://127.0.0.1:9", expectedVersion=1)
    await identity.mutate(CHANGE, wanted, office.here.admin)

    away = await office.start()

    assert slow["code"] == away["code"] == "SIGN_IN_SERVICE_AWAY"
    assert slow["__typename"] == "UnavailableProblem"


async def test_a_key_that_was_changed_is_found_and_unknown_keys_are_looked_for_now_and_then_only(
    identity: Identity, office: Office
) -> None:
    assert await viewer_of(identity, await office.sign_in())
    office.service.rotate("second")
    too_soon = await office.sign_in()
    known = identity.running.parts.peers.openid._keys._known  # noqa: SLF001 - a look into its memory
    address = f"{office.service.issuer}/jwks"
    known[address] = (known[address][0], known[address][1] - KEYS_PAUSE)
    assert await viewer_of(identity, await office.sign_in())

    office.service.header["kid"] = "unknown"
    asked = office.service.asked.count("/jwks")
    for _ in range(5):
        assert (await office.sign_in())["code"] == "SINGLE_SIGN_ON_FAILED"

    assert too_soon["code"] == "SINGLE_SIGN_ON_FAILED"
    assert office.service.asked.count("/jwks") == asked
    assert KEYS_PAUSE < timedelta(minutes=1) < KEYS_TRUSTED
