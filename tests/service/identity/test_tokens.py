"""Access tokens that are not quite ours."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from kit.auth import Kind
from kit.errors import Unauthenticated
from proto.identity.v1.identity_pb2 import IntrospectRequest, KeysRequest
from services.identity.actions.tokens import KEYS_TRUSTED, UNKNOWN_KEY_PAUSE
from tests.service.identity.conftest import SUPPORT, Identity


def forged(token: str, **changes: object) -> str:
    """A token with other claims and the old signature."""
    head, body, signature = token.split(".")
    claims = orjson.loads(urlsafe_b64decode(body + "==")) | changes
    return f"{head}.{urlsafe_b64encode(orjson.dumps(claims)).decode().rstrip('=')}.{signature}"


async def test_a_token_that_is_not_quite_ours_is_refused(identity: Identity) -> None:
    """R02"""
    session = await identity.sign_in(*SUPPORT)
    good = session["accessToken"]
    keys = orjson.loads((await identity.ask("Keys", KeysRequest())).jwks_json)["keys"]
    kid, claims = keys[0]["kid"], orjson.loads(urlsafe_b64decode(good.split(".")[1] + "=="))
    strange, shared = OKPKey.generate_key("Ed25519"), OctKey.import_key(keys[0]["x"].encode() * 2)
    head = {"kid": kid, "typ": "at+jwt"}
    unsigned = urlsafe_b64encode(json.dumps(head | {"alg": "none"}).encode()).decode().rstrip("=")
    bad = [
        "", ".", "..", "a.b.c", good[:-2], good + "x", good.upper(), f"{unsigned}.{good.split('.')[1]}.",
        good.rpartition(".")[0] + ".", forged(good, sub=str(UUID(int=1))), forged(good, exp=9999999999),
        jwt.encode(head | {"alg": "Ed25519"}, claims, strange, algorithms=["Ed25519"]),
        jwt.encode(head | {"alg": "Ed25519", "kid": "other"}, claims, strange, algorithms=["Ed25519"]),
        jwt.encode(
            head | {"alg": "Ed25519", "jwk": strange.as_dict(private=False)}, claims, strange, algorithms=["Ed25519"]
        ),
        jwt.encode({"alg": "Ed25519", "typ": "at+jwt"}, claims, strange, algorithms=["Ed25519"]),
        jwt.encode(head | {"alg": "HS256"}, claims, shared, algorithms=["HS256"]),
        session["refreshToken"], "A" * 20000, "\N{SNOWMAN}.\N{SNOWMAN}.\N{SNOWMAN}",
    ]  # fmt: skip

    for token in bad:
        with pytest.raises(Unauthenticated):
            await identity.ask("Introspect", IntrospectRequest(access_token=token))
    assert (await identity.viewer(good)).kind is Kind.USER


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"typ": "JWT"}, {}),
        ({}, {"aud": "other"}),
        ({}, {"iss": "other"}),
        ({}, {"exp": 1}),
        ({}, {"iat": 9999999999}),
        ({}, {"exp": "soon"}),
        ({}, {"exp": 10**40}),
        ({}, {"sid": None}),
        ({}, {"sid": str(UUID(int=3))}),
    ],
)
async def test_a_token_signed_by_our_key_must_still_say_the_right_things(
    identity: Identity, header: dict[str, object], claims: dict[str, object]
) -> None:
    """R02"""
    session = await identity.sign_in(*SUPPORT)
    parts = identity.running.parts
    row = await parts.db.pool.fetchrow("SELECT kid, sealed_private_key FROM signing_keys")
    assert row is not None
    key = OKPKey.import_key(orjson.loads(parts.peers.vault.open(row["sealed_private_key"])))
    said = orjson.loads(urlsafe_b64decode(session["accessToken"].split(".")[1] + "=="))
    token = jwt.encode(
        {"alg": "Ed25519", "kid": row["kid"], "typ": "at+jwt"} | header,
        said | claims,
        key,
        algorithms=["Ed25519"],
    )

    with pytest.raises(Unauthenticated):
        await identity.viewer(token)


async def signed_by(identity: Identity, kid: str, key: OKPKey) -> str:
    """A token like those of identity, signed by a key of another process."""
    session = await identity.sign_in(*SUPPORT)
    said = orjson.loads(urlsafe_b64decode(session["accessToken"].split(".")[1] + "=="))
    header = {"alg": "Ed25519", "kid": kid, "typ": "at+jwt"}
    return jwt.encode(header, said, key, algorithms=["Ed25519"])


async def test_a_key_that_another_process_made_is_known_at_once_and_one_taken_away_within_a_minute(
    identity: Identity,
) -> None:
    """I8"""
    parts, key = identity.running.parts, OKPKey.generate_key("Ed25519")
    token = await signed_by(identity, "made-elsewhere", key)
    with pytest.raises(Unauthenticated):
        await identity.viewer(token)
    ring = parts.peers.keyring
    await parts.db.pool.execute(
        "INSERT INTO signing_keys VALUES ('made-elsewhere', $1, 'sealed', 'epoch', 'epoch')",
        {name: str(value) for name, value in key.as_dict(private=False).items()},
    )

    assert ring.read_at is not None
    ring.read_at -= UNKNOWN_KEY_PAUSE
    assert (await identity.viewer(token)).support

    await parts.db.pool.execute("DELETE FROM signing_keys WHERE kid = 'made-elsewhere'")
    assert (await identity.viewer(token)).support
    ring.read_at -= KEYS_TRUSTED
    with pytest.raises(Unauthenticated):
        await identity.viewer(token)
