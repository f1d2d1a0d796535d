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
