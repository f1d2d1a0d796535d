"""Partners sign in to a real NATS with the key that identity knows, and reach nothing but their own consumer."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import secrets
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass

import nats
import nats.errors
import nkeys  # type: ignore[import-untyped]
import pytest
from nats.aio.client import Client

from kit.bus import Bus, open_bus
from kit.db import Database
from kit.feed import FEED
from kit.partners import (
    API_PREFIX,
    KeyFormatError,
    answer_partner_sign_ins,
    ensure_partner_consumer,
    public_key_bytes,
    remove_partner_consumer,
)
from tests.support.facts import open_feed
from tests.support.servers import NatsServer


@dataclass(frozen=True)
class Acme:
    """A partner with a key."""

    durable: str
    seed: str

    @property
    def public_key(self) -> str:
        return str(nkeys.from_seed(self.seed.encode()).public_key.decode())


def new_partner(name: str) -> Acme:
    seed = nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER).decode()
    return Acme(f"partner_{name}_{secrets.token_hex(4)}", seed)


@dataclass
class Desk:
    """The side of identity: knows partners by key."""

    server: NatsServer
    bus: Bus
    partners: dict[str, Acme]

    async def admit(self, partner: Acme, organization: str) -> None:
        self.partners[partner.public_key] = partner
        await ensure_partner_consumer(self.bus, partner.durable, f"events.{organization}.>")

    @contextlib.asynccontextmanager
    async def signed_in(self, partner: Acme) -> AsyncIterator[tuple[Client, asyncio.Queue[str]]]:
        """A partner's connection, and what the server refused it."""
        refused: asyncio.Queue[str] = asyncio.Queue()

        async def note(error: Exception) -> None:
            await refused.put(str(error).lower())

        client = await nats.connect(
            self.server.address,
            nkeys_seed_str=partner.seed,
            inbox_prefix=f"_INBOX_{partner.durable}".encode(),
            error_cb=note,
            allow_reconnect=False,
        )
        try:
            yield client, refused
        finally:
            await client.close()


@pytest.fixture
async def desk(nats_server: NatsServer, database: Database) -> AsyncIterator[Desk]:
    await open_feed(nats_server.url("referrals"), database)
    bus = await open_bus(nats_server.url("identity"), name="identity")
    partners: dict[str, Acme] = {}

    async def find(public_key: str) -> Acme | None:
        return partners.get(public_key)

    answering = asyncio.create_task(
        answer_partner_sign_ins(bus.client, nats_server.issuer_seed, find)
    )
    await bus.client.flush()
    yield Desk(nats_server, bus, partners)
    answering.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await answering
    await bus.close()


async def assert_refused(desk: Desk, partner: Acme) -> None:
    with pytest.raises(nats.errors.Error, match="Authorization"):
        async with desk.signed_in(partner):
            pytest.fail("let in")
    drop_what_the_client_leaks()


def drop_what_the_client_leaks() -> None:
    """nats-py leaves the socket of a refused connection to the garbage collector."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


async def publish(server: NatsServer, subject: str, body: bytes) -> None:
    client = await nats.connect(server.url("operator"))
    await client.jetstream().publish(subject, body)
    await client.close()


@pytest.mark.parametrize(
    ("prefix", "stream"), [("$JS.API", "EVENTS"), (API_PREFIX, "EVENTS"), (API_PREFIX, FEED)]
)
async def test_a_partner_reads_and_acknowledges_its_own_facts(
    desk: Desk, prefix: str, stream: str
) -> None:
    """By the name it was told, and by the one that its consumer says it is on."""
    acme = new_partner("acme")
    await desk.admit(acme, f"org-{acme.durable}")
    await publish(desk.server, f"events.org-{acme.durable}.directory.office.added", b"mine")
    await publish(desk.server, "events.org-b.directory.office.added", b"theirs")

    async with desk.signed_in(acme) as (client, _):
        js = client.jetstream(prefix=prefix)
        mine = await js.pull_subscribe_bind(durable=acme.durable, stream=stream)
        messages = await mine.fetch(10, timeout=1)
        assert [message.data for message in messages] == [b"mine"]
        await messages[0].ack_sync()
        js = client.jetstream(prefix=API_PREFIX)
        mine = await js.pull_subscribe_bind(durable=acme.durable, stream=stream)
        info = await mine.consumer_info()

    assert (info.num_pending, info.num_ack_pending) == (0, 0)


async def test_a_partner_is_refused_everything_else(desk: Desk) -> None:
    acme, other = new_partner("acme"), new_partner("other")
    await desk.admit(acme, "org-a")
    await desk.admit(other, "org-b")
    forbidden = [
        f"$JS.API.CONSUMER.MSG.NEXT.EVENTS.{other.durable}",
        f"$JS.API.CONSUMER.MSG.NEXT.FEED.{other.durable}",
        f"$JS.API.CONSUMER.MSG.NEXT.FEED.{acme.durable}",
        f"$JS.API.CONSUMER.INFO.EVENTS.{other.durable}",
        *(
            f"{API_PREFIX}.CONSUMER.{verb}.{stream}.{other.durable}"
            for verb in ("MSG.NEXT", "INFO")
            for stream in ("EVENTS", "FEED")
        ),
        "$JS.API.CONSUMER.MSG.NEXT.EVENTS.referrals",
        f"$JS.API.CONSUMER.DELETE.EVENTS.{acme.durable}",
        f"$JS.API.CONSUMER.CREATE.EVENTS.{acme.durable}",
        f"$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.{acme.durable}",
        f"$JS.ACK.EVENTS.{acme.durable}.1.1.1.1.0",
        f"$JS.ACK.FEED.{other.durable}.1.1.1.1.0",
        "$JS.API.STREAM.MSG.DELETE.FEED",
        "$JS.API.STREAM.MSG.GET.FEED",
        "$JS.API.DIRECT.GET.FEED",
        "$JS.API.STREAM.INFO.EVENTS",
        "$JS.API.STREAM.MSG.GET.EVENTS",
        "$JS.API.DIRECT.GET.EVENTS",
        "$JS.API.STREAM.PURGE.EVENTS",
        "$JS.API.STREAM.NAMES",
        "$JS.API.INFO",
        "events.org-a.directory.office.added",
        "$SYS.REQ.USER.AUTH",
    ]

    async with desk.signed_in(acme) as (client, refused):
        for subject in forbidden:
            await client.publish(subject, b"{}")
        for subject in ("events.>", "_INBOX.>", f"_INBOX_{other.durable}.>", ">"):
            await client.subscribe(subject)
        await client.flush()
        said = [await asyncio.wait_for(refused.get(), 5) for _ in range(len(forbidden) + 4)]

    assert all("permissions violation" in text for text in said)


async def test_a_pull_cannot_make_the_server_deliver_into_our_account(desk: Desk) -> None:
    acme = new_partner("acme")
    await desk.admit(acme, f"org-{acme.durable}")
    await publish(desk.server, f"events.org-{acme.durable}.directory.office.added", b"mine")
    ours = await nats.connect(desk.server.url("operator"))
    heard = await ours.subscribe("internal.>")

    async with desk.signed_in(acme) as (client, _):
        await client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.EVENTS.{acme.durable}", b"1", reply="internal.command"
        )
        await client.flush()
        with pytest.raises(nats.errors.TimeoutError):
            await heard.next_msg(timeout=0.3)

    await ours.close()


async def test_an_unknown_key_is_refused(desk: Desk) -> None:
    await assert_refused(desk, new_partner("stranger"))


async def test_a_key_that_was_only_overheard_is_refused(desk: Desk) -> None:
    acme, thief = new_partner("acme"), new_partner("thief")
    desk.partners[acme.public_key] = acme
    thiefs = nkeys.from_seed(thief.seed.encode())

    def sign(nonce: str) -> bytes:
        return base64.b64encode(thiefs.sign(nonce.encode()))

    client = Client()
    client._public_nkey = acme.public_key  # noqa: SLF001 - a thief would not ask
    with pytest.raises(nats.errors.Error, match="Authorization"):
        await client.connect(desk.server.address, signature_cb=sign, allow_reconnect=False)
    del client
    drop_what_the_client_leaks()


async def test_a_removed_partner_is_refused_and_its_open_connection_has_nothing_left(
    desk: Desk,
) -> None:
    acme = new_partner("acme")
    await desk.admit(acme, f"org-{acme.durable}")

    async with desk.signed_in(acme) as (client, _):
        del desk.partners[acme.public_key]
        await remove_partner_consumer(desk.bus, acme.durable)
        await publish(desk.server, f"events.org-{acme.durable}.directory.office.added", b"late")
        mine = await client.jetstream().pull_subscribe_bind(durable=acme.durable, stream="EVENTS")
        with pytest.raises(nats.errors.Error):
            await mine.fetch(1, timeout=1)

    await assert_refused(desk, acme)


def test_a_mistyped_key_is_told_apart() -> None:
    key = new_partner("acme").public_key
    assert len(public_key_bytes(key)) == 32

    swapped = key[:10] + ("A" if key[10] != "A" else "B") + key[11:]
    with pytest.raises(KeyFormatError):
        public_key_bytes(swapped)
    with pytest.raises(KeyFormatError):
        public_key_bytes("not a key")
