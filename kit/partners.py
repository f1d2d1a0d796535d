"""Partners' sign-in to NATS: the server asks, and we answer with a signed permission for one durable consumer.

The server (auth callout, deploy/nats.conf) asks about everybody it does not know itself. A partner proves that it holds its private
key by signing the server's nonce; it is then let into the account PARTNERS, where it may do three things with its own consumer.
Nothing here is encrypted: the questions travel inside our own account.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from kit.bus import ACK_WAIT, STREAM, Bus
from kit.feed import FEED, opened_at

log = logging.getLogger(__name__)

SIGN_IN_SUBJECT = "$SYS.REQ.USER.AUTH"
ACCOUNT = "PARTNERS"
API_PREFIX = "PARTNER.API"
"""What a partner's client is told instead of $JS.API (deploy/nats.conf says why)."""

HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}
PREFIX_USER = 20 << 3
PREFIX_ACCOUNT = 0
MAX_ACK_PENDING = 1000
"""So many facts may be with a partner unacknowledged; a slow partner holds up nobody but itself."""

KEY_BYTES = 35  # prefix, 32 bytes of key, checksum


class Partner(Protocol):
    """What has to be known about a partner."""

    @property
    def durable(self) -> str:
        """The name of its consumer, and of its inboxes: `_INBOX_<durable>.>`."""


FindPartner = Callable[[str], Awaitable[Partner | None]]
"""The partner with this public key (as NATS spells it, U...), or None."""


class KeyFormatError(ValueError):
    """The text is not a NATS key of the wanted kind."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A question of the server: may whoever holds `public_key` come in? `proven` says the key signed the server's nonce."""

    server_id: str
    user: str
    public_key: str
    proven: bool


def public_key_bytes(text: str) -> bytes:
    """The 32 bytes of a user's public key (U...); KeyFormatError when it is mistyped or another kind of key."""
    return _decode(text, PREFIX_USER)


def _decode(text: str, prefix: int) -> bytes:
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error:
        raise KeyFormatError("not a NATS key: it has other letters than A-Z and 2-7") from None
    if len(raw) != KEY_BYTES or raw[0] != prefix:
        raise KeyFormatError("not a NATS key of this kind")
    if binascii.crc_hqx(raw[:-2], 0) != int.from_bytes(raw[-2:], "little"):
        raise KeyFormatError("the key's checksum is wrong: it was mistyped")
    return raw[1:-2]


class Issuer:
    """Signs what the server will believe. The seed is an account's (SA...)."""

    def __init__(self, seed: str) -> None:
        raw = base64.b32decode(seed.strip() + "=" * (-len(seed.strip()) % 8))
        self._key = Ed25519PrivateKey.from_private_bytes(raw[2:34])
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        body = bytes([PREFIX_ACCOUNT]) + public
        checksum = binascii.crc_hqx(body, 0).to_bytes(2, "little")
        self.name = base64.b32encode(body + checksum).rstrip(b"=").decode()

    def sign(self, subject: str, audience: str, claims: dict[str, Any]) -> str:
        """A token about `subject` for `audience`."""
        body = {"iss": self.name, "sub": subject, "aud": audience, "iat": int(time.time())}
        body["jti"] = base64.b32encode(hashlib.sha256(orjson.dumps(body)).digest()).decode()
        parts = (HEADER, body | {"nats": claims | {"version": 2}})
        text = b".".join(_base64(orjson.dumps(part)) for part in parts)
        return (text + b"." + _base64(self._key.sign(text))).decode()

    def welcome(self, asked: SignIn, durable: str) -> str:
        """The answer that lets a partner in, to its own consumer and its own inboxes. It knows the feed as EVENTS; clients that
        ask about their consumer are told the feed's own name, and may use that."""
        asks = [
            f"{API_PREFIX}.CONSUMER.{verb}.{stream}.{durable}"
            for verb in ("MSG.NEXT", "INFO")
            for stream in (STREAM, FEED)
        ]
        pulls, acknowledges = (
            f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{durable}",
            f"$JS.ACK.{FEED}.{durable}.>",
        )
        user = self.sign(
            asked.user,
            ACCOUNT,
            {
                "type": "user",
                "pub": {"allow": [pulls, *asks, acknowledges]},
                "sub": {"allow": [f"_INBOX_{durable}.>"]},
                "subs": 100,
                "data": -1,
                "payload": -1,
            },
        )
        return self._answer(asked, {"jwt": user})

    def refuse(self, asked: SignIn) -> str:
        """The answer that does not let in, whatever the reason."""
        return self._answer(asked, {"error": "unknown key"})

    def _answer(self, asked: SignIn, claims: dict[str, Any]) -> str:
        return self.sign(asked.user, asked.server_id, {"type": "authorization_response", **claims})


def read_sign_in(question: bytes) -> SignIn:
    """The server's question. ValueError or KeyError when it is not one."""
    claims = orjson.loads(_unbase64(question.decode().split(".")[1]))["nats"]
    if claims["type"] != "authorization_request":
        raise ValueError("not a sign-in")
    options = claims["connect_opts"]
    public_key = str(options.get("nkey", ""))
    nonce = str(claims["client_info"].get("nonce", ""))
    return SignIn(
        server_id=str(claims["server_id"]["id"]),
        user=str(claims["user_nkey"]),
        public_key=public_key,
        proven=bool(nonce) and _signed(public_key, nonce, str(options.get("sig", ""))),
    )


def _signed(public_key: str, nonce: str, signature: str) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key_bytes(public_key))
        key.verify(_unbase64(signature), nonce.encode())
    except (ValueError, InvalidSignature):
        return False
    return True


def _base64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _unbase64(text: str) -> bytes:
    """Clients differ: with or without padding, in the alphabet for URLs or the other."""
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    return base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))


async def answer_partner_sign_ins(
    nats: Client, issuer_seed: str, find_partner: FindPartner
) -> None:
    """Answer the server's questions until cancelled. Replicas share them. A fault while looking is answered as a refusal.

    Removing a partner means deleting its consumer as well: a connection that is still open then has nothing left to ask.
    """
    issuer = Issuer(issuer_seed)

    async def answer(message: Msg) -> None:
        try:
            asked = read_sign_in(message.data)
        except (ValueError, KeyError, IndexError, TypeError):
            log.warning("a partner's sign-in could not be read")
            return
        await message.respond((await _decide(issuer, asked, find_partner)).encode())

    subscription = await nats.subscribe(SIGN_IN_SUBJECT, queue="partner-sign-ins", cb=answer)
    try:
        await asyncio.Event().wait()
    finally:
        if nats.is_connected:
            await subscription.unsubscribe()


async def _decide(issuer: Issuer, asked: SignIn, find_partner: FindPartner) -> str:
    if not asked.proven:
        return issuer.refuse(asked)
    try:
        partner = await find_partner(asked.public_key)
    except Exception:
        log.exception("a partner could not be looked up")
        return issuer.refuse(asked)
    if partner is None:
        log.info("an unknown partner was refused", extra={"public_key": asked.public_key})
        return issuer.refuse(asked)
    return issuer.welcome(asked, partner.durable)


async def partner_consumers(bus: Bus) -> frozenset[str]:
    """The durable names of the consumers that there are on the feed; none while there is no feed."""
    known: set[str] = set()
    while True:
        request = orjson.dumps({"offset": len(known)})
        answer = await bus.client.request(f"$JS.API.CONSUMER.NAMES.{FEED}", request)
        page = orjson.loads(answer.data).get("consumers") or ()
        if known.issuperset(page):
            return frozenset(known)
        known.update(page)


async def ensure_partner_consumer(bus: Bus, durable: str, subject: str) -> None:
    """Make a partner's durable pull consumer, or leave it as it is: every fact on `subject`, from the first kept on. While the feed
    is not open none is made: what was withdrawn may be in it."""
    opened = await opened_at(bus)
    if opened is None:
        log.info("the partners' feed is not open yet")
        return
    await bus.js.add_consumer(
        FEED,
        ConsumerConfig(
            durable_name=durable,
            filter_subject=subject,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT,
            max_ack_pending=MAX_ACK_PENDING,
            max_deliver=-1,
        ),
    )
    if await opened_at(bus) != opened:
        await remove_partner_consumer(bus, durable)


async def remove_partner_consumer(bus: Bus, durable: str) -> None:
    """Delete a partner's consumer, if it is there: whoever is still connected has nothing left to ask."""
    with suppress(NotFoundError):
        await bus.js.delete_consumer(FEED, durable)
