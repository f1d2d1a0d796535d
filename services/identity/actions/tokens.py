"""Access tokens: Ed25519-signed, five minutes long, saying who, never what they may do."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from kit.db import Connection
from kit.errors import Unauthenticated
from kit.ids import new_id
from services.identity import policy, store
from services.identity.actions.auditing import note_rotation
from services.identity.actions.means import Call
from services.identity.domain import ACCESS_LIFE, Session, SessionId, SupportAct, reason
from services.identity.store import SigningKeyRow

ISSUER = "suite/identity"
AUDIENCE = "suite"
TYPE = "at+jwt"
ALGORITHMS = ["Ed25519", "EdDSA"]

KEYS_TRUSTED = timedelta(minutes=1)
"""A key that was taken away is refused by every process after this long, and a new one is known to every process."""

KEY_LIFE = timedelta(days=90)
"""A key signs this long before another one takes its place by itself."""

SKEW = timedelta(seconds=5)
"""How far another process's clock may be ahead when it issues a token."""

UNKNOWN_KEY_PAUSE = timedelta(seconds=1)
"""A token with a key this process does not know (another one may just have made it) has the keys read anew, but no more often
than this, whatever strangers send."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token and when it ends."""

    text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good token says."""

    session_id: SessionId
    expires_at: datetime


async def issue(call: Call, session: Session) -> AccessToken:
    """A token for a session, at most as long as the session."""
    ring, now = await _keys(call), call.clock.now()
    expires_at = min(now + ACCESS_LIFE, session.ends_at).replace(microsecond=0)
    key = next((one for one in ring if one.signs_from <= now), ring[-1])
    private = OKPKey.import_key(orjson.loads(call.peers.vault.open(key.sealed_private_key)))
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(session.user_id),
        "sid": str(session.id),
        "iat": int(now.timestamp()),
        "exp": int(expires_at.timestamp()),
    }
    header = {"alg": "Ed25519", "kid": key.kid, "typ": TYPE}
    return AccessToken(jwt.encode(header, claims, private, algorithms=ALGORITHMS), expires_at)


class _UnknownKeyError(ValueError):
    """The token names a key that is not on the ring."""


async def read(call: Call, text: str) -> Claims:
    """What a token says; Unauthenticated, in the same words, whatever is wrong with it."""
    now = call.clock.now()
    try:
        try:
            return _judge(text, await _keys(call), now)
        except _UnknownKeyError:
            return _judge(text, await _keys(call, UNKNOWN_KEY_PAUSE), now)
    except (JoseError, ValueError, KeyError, TypeError, OverflowError):
        raise bad_token() from None


def _judge(text: str, ring: Sequence[SigningKeyRow], now: datetime) -> Claims:
    keys = {key.kid: key for key in ring if not key.ended(now)}
    if not keys:
        raise ValueError("every key has ended")

    def find(found: Any) -> OKPKey:  # noqa: ANN401 - joserfc's guest has no public type
        kid = found.headers().get("kid")
        if not isinstance(kid, str) or kid not in keys:
            raise _UnknownKeyError
        return OKPKey.import_key(keys[kid].public_key)

    token = jwt.decode(text, find, algorithms=ALGORITHMS)
    return _claims(token.header, token.claims, now)


def _claims(header: dict[str, Any], claims: dict[str, Any], now: datetime) -> Claims:
    expires_at = datetime.fromtimestamp(claims["exp"], tz=UTC)
    sound = (
        header.keys() == {"alg", "kid", "typ"}
        and header["typ"] == TYPE
        and claims["iss"] == ISSUER
        and claims["aud"] == AUDIENCE
        and now < expires_at
        and datetime.fromtimestamp(claims["iat"], tz=UTC) <= now + SKEW
        and isinstance(claims["sid"], str)
    )
    if not sound:
        raise ValueError("not an access token of ours, or not any more")
    return Claims(SessionId(UUID(claims["sid"])), expires_at)


def bad_token() -> Unauthenticated:
    """The one answer to every token that is not good."""
    return Unauthenticated(
        "The access token is not valid, or not any more.",
        code="TOKEN_INVALID",
        remedy="Refresh the session, or sign in.",
    )


async def jwks(call: Call) -> bytes:
    """The public keys that verify access tokens, as a JWKS document."""
    keys = [
        {**key.public_key, "kid": key.kid, "use": "sig", "alg": "Ed25519"}
        for key in await _keys(call)
        if not key.ended(call.clock.now())
    ]
    return orjson.dumps({"keys": keys})


async def _keys(call: Call, trusted: timedelta = KEYS_TRUSTED) -> tuple[SigningKeyRow, ...]:
    """The signing keys, newest first, as they were read not longer ago than they are trusted."""
    ring, now = call.peers.keyring, call.clock.now()
    if ring.read_at is None or not timedelta() <= now - ring.read_at < trusted:
        ring.keys, ring.read_at = await _read_keys(call), now
    return ring.keys


async def _read_keys(call: Call) -> tuple[SigningKeyRow, ...]:
    """From the database; the first one is made when it is first needed."""
    async with call.db.reading() as tx:
        known = await store.signing_keys(tx)
    if known:
        return tuple(known)
    async with call.db.transaction() as tx:
        await store.lock_signing_keys(tx)
        if not await store.signing_keys(tx):
            await store.add_signing_key(tx, _new_key(call, call.clock.now()))
        return tuple(await store.signing_keys(tx))


def _new_key(call: Call, signs_from: datetime) -> SigningKeyRow:
    key = OKPKey.generate_key("Ed25519")
    public = {name: str(value) for name, value in key.as_dict(private=False).items()}
    thumb = urlsafe_b64encode(sha256(public["x"].encode()).digest()).decode()[:16]
    private = call.peers.vault.seal(orjson.dumps(key.as_dict(private=True)))
    return SigningKeyRow(thumb, public, private, call.clock.now(), signs_from)


# Rotation -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rotated:
    """A new key signs from then on, and no other verifies any more from `others_end_at` on."""

    kid: str
    signs_from: datetime
    others_end_at: datetime


async def rotate_signing_keys(call: Call, why: str, *, at_once: bool) -> Rotated:
    """Support only: a new key takes the place of those before. Nobody is signed out: every process knows the new key before it signs,
    and the ones before verify until the last token that they signed has ended. `at_once` (a key has leaked): they are refused
    within a minute, and users refresh."""
    by = policy.permit_support(call.viewer)
    why = reason(why)
    async with call.db.transaction() as tx:
        rotated = await _rotate(call, tx, why, at_once=at_once)
        act = (SupportAct.ROTATE_SIGNING_KEYS, why)
        await store.note_support_act(tx, new_id(), by, by, act, call.clock.now())
    call.peers.keyring.read_at = None
    return rotated


async def _rotate(call: Call, tx: Connection, why: str, *, at_once: bool = False) -> Rotated:
    await store.lock_signing_keys(tx)
    now = call.clock.now()
    signs_from = now if at_once else now + KEYS_TRUSTED
    others_end_at = now if at_once else signs_from + ACCESS_LIFE
    key = _new_key(call, signs_from)
    await store.add_signing_key(tx, key)
    await store.end_signing_keys(tx, key.kid, others_end_at)
    await note_rotation(call, tx, why)
    return Rotated(key.kid, signs_from, others_end_at)


async def care_for_keys(call: Call) -> None:
    """A key that is 90 days old gets a successor, and keys that ended a day ago are forgotten."""
    now = call.clock.now()
    async with call.db.transaction() as tx:
        await store.forget_signing_keys(tx, now - timedelta(days=1))
        await store.lock_signing_keys(tx)
        known = await store.signing_keys(tx)
        if known and now >= known[0].made_at + KEY_LIFE:
            await _rotate(call, tx, "")
            call.peers.keyring.read_at = None
