"""Tokens that somebody might try (I4): none is taken, and all are answered alike."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import digest
from typing import Any
from uuid import uuid4

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from kit.errors import Unauthenticated
from services.identity.actions import introspect
from tests.service.identity.conftest import SUPPORT, Identity

GONE = object()


def packed(data: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def unpacked(text: str) -> bytes:
    """The bytes in base64url."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Forge:
    """Makes tokens from a good one: with our key (which nobody has) or others, or with no signature that fits."""

    def __init__(self, good: str, ours: OKPKey) -> None:
        self.good, self.ours = good, ours
        head, body, self.signature = good.split(".")
        self.header: dict[str, Any] = orjson.loads(unpacked(head))
        self.claims: dict[str, Any] = orjson.loads(unpacked(body))

    def signed(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """Signed by our key over whatever these say; what is GONE is left out."""
        text = ".".join(packed(json.dumps(_kept(one)).encode()) for one in (header, claims))
        return f"{text}.{packed(self.ours.private_key.sign(text.encode()))}"  # type: ignore[union-attr,call-arg]

    def with_header(self, **lies: Any) -> str:  # noqa: ANN401 - JSON
        """Our signature over another header."""
        return self.signed(self.header | lies, self.claims)

    def with_claims(self, **lies: Any) -> str:  # noqa: ANN401 - JSON
        """Our signature over other claims."""
        return self.signed(self.header, self.claims | lies)

    def by(self, key: OKPKey | ECKey | RSAKey, algorithm: str, **more: Any) -> str:  # noqa: ANN401 - JSON
        """Signed by a stranger."""
        header = self.header | {"alg": algorithm} | more
        return jwt.encode(header, self.claims, key, algorithms=[algorithm])

    def mac(self, algorithm: str, secret: bytes) -> str:
        """Our public key taken for a shared secret."""
        text = f"{packed(json.dumps(self.header | {'alg': algorithm}).encode())}.{self.good.split('.')[1]}"
        return f"{text}.{packed(digest(secret, text.encode(), f'sha{algorithm[2:]}'))}"


def _kept(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not GONE}


def bad_headers(forge: Forge) -> dict[str, str]:
    """Our own signature, over a header we never write."""
    types = ["JWT", "at+JWT", "application/at+jwt", "id+jwt", "", None, GONE, ["at+jwt"], 7]
    algorithms = [
        "none",
        "None",
        "NONE",
        "",
        None,
        GONE,
        "HS256",
        "RS256",
        "ES256",
        "PS256",
        "Ed448",
        ["Ed25519"],
    ]
    kids = [
        "unknown",
        "",
        None,
        GONE,
        7,
        ["x"],
        {"kid": "x"},
        "../../../../dev/null",
        "' OR 1=1 --",
        "\0",
        "k" * 5000,
    ]
    found = {f"typ {value!r}"[:40]: forge.with_header(typ=value) for value in types}
    found |= {f"alg {value!r}": forge.with_header(alg=value) for value in algorithms}
    found |= {f"kid {value!r}"[:40]: forge.with_header(kid=value) for value in kids}
    return found | {
        "kid in other letters": forge.with_header(kid=forge.header["kid"].swapcase()),
        "crit": forge.with_header(crit=["exp"]),
        "crit of nothing": forge.with_header(crit=[]),
        "b64": forge.with_header(b64=False, crit=["b64"]),
    }


def bad_claims(forge: Forge) -> dict[str, str]:
    """Our own signature, over claims we never write."""
    now = int(datetime.now(tz=UTC).timestamp())
    day = int(timedelta(days=1).total_seconds())
    lies: dict[str, list[Any]] = {
        "iss": ["other", "", None, GONE, ["suite/identity"], "SUITE/IDENTITY"],
        "aud": ["other", "", None, GONE, ["suite"], ["suite", "other"], "suite "],
        "exp": [
            now - 1,
            now - day,
            0,
            -1,
            None,
            GONE,
            "soon",
            str(now + day),
            10**40,
            True,
            [now + day],
            {},
        ],
        "iat": [now + day, None, GONE, "now", 10**40, []],
        "sid": [None, GONE, "", "x", 7, [], str(uuid4()), str(uuid4()).upper(), "\0", "0" * 5000],
    }
    return {
        f"{name} {value!r}"[:40]: forge.with_claims(**{name: value})
        for name, values in lies.items()
        for value in values
    }


def bad_signatures(forge: Forge) -> dict[str, str]:
    """Signed by others, or by nobody."""
    strange, elliptic, rsa = (
        OKPKey.generate_key("Ed25519", auto_kid=False),
        ECKey.generate_key("P-256", auto_kid=False),
        RSAKey.generate_key(2048, auto_kid=False),
    )
    public = strange.as_dict(private=False)
    x = str(forge.ours.as_dict(private=False)["x"])
    secrets = [x.encode(), unpacked(x), json.dumps(forge.ours.as_dict(private=False)).encode(), b""]
    head, body, signature = forge.good.split(".")
    flipped = bytearray(unpacked(signature))
    flipped[10] ^= 1
    return {
        "another key of the kind": forge.by(strange, "Ed25519"),
        "its key in the header": forge.by(strange, "Ed25519", jwk=public),
        "its key at an address": forge.by(strange, "Ed25519", jku="https://evil.example/jwks"),
        "its certificate at an address": forge.by(strange, "Ed25519", x5u="https://evil.example/c"),
        "without a kid": forge.by(strange, "Ed25519", kid="unknown"),
        "ES256": forge.by(elliptic, "ES256"),
        "RS256": forge.by(rsa, "RS256"),
        **{f"HS256 {n}": forge.mac("HS256", one) for n, one in enumerate(secrets)},
        **{f"HS512 {n}": forge.mac("HS512", one) for n, one in enumerate(secrets)},
        "no signature": f"{head}.{body}.",
        "half of it": f"{head}.{body}.{signature[:40]}",
        "a bit of it": f"{head}.{body}.{packed(bytes(flipped))}",
        "zeros": f"{head}.{body}.{packed(bytes(64))}",
        "a hash": f"{head}.{body}.{packed(sha256(f'{head}.{body}'.encode()).digest())}",
        "one more byte": f"{head}.{body}.{packed(unpacked(signature) + b'x')}",
    }


def bad_shapes(forge: Forge) -> dict[str, str]:
    """No tokens at all."""
    head, body, signature = forge.good.split(".")
    nested = packed(json.dumps(forge.header | {"cty": "JWT"}).encode())
    return {
        "empty": "",
        "dots": "..",
        "two parts": f"{head}.{body}",
        "four parts": f"{forge.good}.{signature}",
        "five parts": f"{head}..{body}.{signature}.{signature}",
        "in a token": f"{nested}.{packed(forge.good.encode())}.{signature}",
        "as JSON": json.dumps({"protected": head, "payload": body, "signature": signature}),
        "upper case": forge.good.upper(),
        "padded": f"{head}==.{body}.{signature}",
        "a space": f"{head}. {body}.{signature}",
        "a line break": forge.good + "\n.",
        "a NUL": forge.good + "\0",
        "huge": f"{head}.{packed(b' ' * 200_000)}.{signature}",
        "snowmen": ".".join(["\N{SNOWMAN}"] * 3),
        "a surrogate": "\udcff.x.x",
        "deep": f"{packed(b'[' * 50_000)}.{body}.{signature}",
        "a list for a header": f"{packed(b'[]')}.{body}.{signature}",
        "parts swapped": f"{body}.{head}.{signature}",
    }


async def test_more_than_sixty_bad_tokens_are_refused_and_all_in_the_same_words(
    identity: Identity,
) -> None:
    """I4, R02"""
    parts = identity.running.parts
    good = (await identity.sign_in(*SUPPORT))["accessToken"]
    kid = orjson.loads(unpacked(good.split(".")[0]))["kid"]
    sealed = await parts.db.pool.fetchval(
        "SELECT sealed_private_key FROM signing_keys WHERE kid = $1", kid
    )
    forge = Forge(good, OKPKey.import_key(orjson.loads(parts.peers.vault.open(sealed))))
    assert (await introspect(parts.call(), forge.signed(forge.header, forge.claims)))[0].support

    vectors = bad_headers(forge) | bad_claims(forge) | bad_signatures(forge) | bad_shapes(forge)
    assert len(vectors) >= 100
    said, taken = set(), []
    for name, token in vectors.items():
        try:
            await introspect(parts.call(), token)
            taken.append(name)
        except Unauthenticated as refusal:
            said.add((refusal.code, refusal.message))

    assert taken == []
    assert len(said) == 1
