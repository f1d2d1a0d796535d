"""The post, by itself: no job runs beside the test."""

import asyncio
from uuid import uuid4

import pytest

from kit import db
from kit.auth import service_viewer
from kit.clock import Clock
from kit.db import Database, open_database, read_clock
from kit.ids import new_id
from kit.rpc import Peer
from kit.service import Call
from services.identity import store
from services.identity.actions import Means, send_letters
from services.identity.app import build
from services.identity.domain import Email, LetterId, LetterKind, UserId
from tests.support.running import VIEWER_KEY, environment
from tests.support.servers import PostgresServer

LETTERS = 3


async def a_call(postgres: PostgresServer, smtp_port: int) -> Call[Means]:
    """A call of identity on a database of its own, with that mail server."""
    url = await postgres.database("identity")
    await db.migrate(url, "identity")
    more = {
        "DIRECTORY_RPC": "127.0.0.1:1",
        "REFERRALS_RPC": "127.0.0.1:1",
        "SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
        "IDENTITY_SECRET": "1d" * 32,
    }
    service = build(environment("identity", url, "nats://127.0.0.1:1", **more))
    database = await open_database(url, size=2)
    clock = Clock(lambda: read_clock(database))
    await clock.sync()
    key = bytes.fromhex(VIEWER_KEY)
    peers = service.peers(lambda name, at: Peer(name, at, me="identity", key=key, clock=clock))
    return Call(
        viewer=service_viewer("identity"), db=database, clock=clock, peers=peers, request_id=""
    )


async def some_letters(database: Database, call: Call[Means]) -> None:
    """Several letters that are due."""
    user_id, address = UserId(new_id()), f"{uuid4().hex}@example.org"
    async with database.transaction() as tx:
        now = call.clock.now()
        await store.add_account(tx, user_id, Email(address, address), "Ada", now)
        for _ in range(LETTERS):
            sealed = call.peers.vault.seal(b"Subject: hello\r\n\r\nhello")
            await store.queue_letter(
                tx, LetterId(new_id()), LetterKind.NOTICE, user_id, sealed, now
            )


async def test_a_mail_server_that_is_away_is_tried_once_a_round_and_not_once_a_letter(
    postgres: PostgresServer,
) -> None:
    knocks = []

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        knocks.append(writer)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    call = await a_call(postgres, server.sockets[0].getsockname()[1])
    await some_letters(call.db, call)

    rounds = [(await send_letters(call), len(knocks)) for _ in range(LETTERS)]

    assert rounds == [(0, 1), (0, 2), (0, 3)]
    server.close()
    await call.db.pool.close()


@pytest.mark.parametrize("unwanted", ["220", "MAIL"])
async def test_a_mail_server_that_does_not_want_us_has_said_nothing_about_the_letters(
    postgres: PostgresServer, unwanted: str
) -> None:
    """R03: a wrong setting bounces nobody's invitation."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = "220"
        while line:
            refused = line[:4].strip() == unwanted
            answer = "550 not you" if refused else f"{220 if line == '220' else 250} fine"
            writer.write(f"{answer}\r\n".encode())
            line = (await reader.readline()).decode()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    call = await a_call(postgres, server.sockets[0].getsockname()[1])
    await some_letters(call.db, call)

    sent = await send_letters(call)

    async with call.db.reading() as tx:
        rows = await tx.fetch(
            "SELECT state::text, attempts, sealed IS NOT NULL AS kept FROM letters"
        )
    assert sent == 0
    assert sorted((row["state"], row["attempts"], row["kept"]) for row in rows) == [
        ("QUEUED", 0, True),
        ("QUEUED", 0, True),
        ("QUEUED", 1, True),
    ]
    server.close()
    await call.db.pool.close()
