"""Attachments that are not what they say, do not arrive, or were tampered with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

import orjson
import pytest

from kit import files
from services.referrals.actions import attachments
from tests.gateway.edge.client import opened, request
from tests.service.referrals.asking import send
from tests.service.referrals.attaching import (
    BOTH_STORES,
    LARGE,
    Door,
    domain_id,
    leftovers,
    names,
    require_nothing_astray,
    why,
)
from tests.service.referrals.conftest import Referrals, World
from tests.support.files import PDF, PNG, PROGRAM_IN_DICOM, TEXT
from tests.support.object_store import SmallStore

pytestmark = BOTH_STORES


@pytest.fixture
def door(http_door: str, referrals: Referrals) -> Door:
    """The service's door for files."""
    return Door(http_door, referrals)


@pytest.fixture(autouse=True)
async def nothing_astray(
    referrals: Referrals, object_store: SmallStore | None
) -> AsyncIterator[None]:
    """After each test."""
    yield
    await require_nothing_astray(referrals, object_store)


@pytest.mark.parametrize(
    ("contents", "said", "reason"),
    [
        (PDF, "image/png", "TYPE_MISMATCH"),
        (PNG + b"PK\3\4" + bytes(100), "image/png", "TYPE_MISMATCH"),
        (PROGRAM_IN_DICOM, "application/dicom", "TYPE_MISMATCH"),
        (b"<html><script>", "text/html", "TYPE_NOT_ALLOWED"),
        (b"<svg onload=alert(1)>", "image/svg+xml", "TYPE_NOT_ALLOWED"),
        (b"%PDF-1.7 without an end", "application/pdf", "TYPE_MISMATCH"),
        (b"", "application/pdf", "EMPTY_FILE"),
        (b"%PDF-1.7" + bytes(10_000_000) + b"%%EOF", "application/pdf", "TOO_LARGE"),
    ],
)
async def test_what_a_file_is_not_is_refused_and_leaves_nothing(
    world: World, door: Door, contents: bytes, said: str, reason: str
) -> None:
    sent = await send(world)
    url = f"{door.base}/files/{sent['id']}/attachments"
    headers = door.signed(world.sender.staff) | {
        "content-type": said,
        "idempotency-key": "k",
        "connection": "keep-alive",
    }
    async with opened("POST", url, headers, contents) as (status, given, reader):
        told = orjson.loads(await reader.readexactly(int(given["content-length"])))

    assert (status, told["errors"][0]["extensions"]["reason"]) == (400, reason)
    assert await leftovers(world, sent) == 0
    assert await names(world, world.sender.staff, sent) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("a\r\nSet-Cookie: x=1", "a Set-Cookie x=1.pdf"),
        ('x"; filename="evil.html', "x filename= evil.html.pdf"),
        ("gnp\u202efdp.exe", "gnpfdp.exe.pdf"),
        ("検査 Résumé.pdf", "検査 Résumé.pdf"),
        ("", "attachment.pdf"),
    ],
)
async def test_a_hostile_name_stays_a_name(world: World, door: Door, given: str, kept: str) -> None:
    sent = await send(world)
    id_ = await door.attached(world.sender.staff, sent, name=given)
    got = await door.get(world.receiver.staff, id_)

    assert await names(world, world.receiver.staff, sent) == [kept]
    assert quote(kept, safe="").lower() in got.headers["content-disposition"]
    assert "set-cookie" not in got.headers
    assert got.headers["content-disposition"].count('"') == 2


async def test_a_name_that_is_no_text_is_refused(world: World, door: Door) -> None:
    sent = await send(world)
    headers = door.signed(world.sender.staff) | {"x-file-name": "%ff%fe"}
    url = f"{door.base}/files/{sent['id']}/attachments"
    reply = await request("POST", url, headers | {"content-type": "application/pdf"}, PDF)

    assert (reply.status, why(reply)) == (400, "BAD_TEXT")


async def test_an_upload_that_is_cut_off_leaves_nothing(
    world: World, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PIECE_PATIENCE", 0.1)
    sent = await send(world)
    url = f"{door.base}/files/{sent['id']}/attachments"
    headers = door.signed(world.sender.staff) | {
        "content-type": "application/pdf",
        "idempotency-key": "k",
        "content-length": str(len(LARGE)),
    }
    async with opened("POST", url, headers, LARGE[:600_000]) as (status, _, _reader):
        assert status == 503
    assert await leftovers(world, sent) == 0
    place = url.removeprefix("http://").partition("/")[0].split(":")
    _, writer = await asyncio.open_connection(place[0], int(place[1]))
    lines = [f"POST /files/{sent['id']}/attachments HTTP/1.1", "host: x"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + LARGE[:600_000])
    await writer.drain()
    writer.close()
    async with asyncio.timeout(5):
        while await leftovers(world, sent):
            await asyncio.sleep(0.02)


async def test_what_was_cut_off_with_the_process_is_swept_away(world: World) -> None:
    sent, parts = await send(world), world.service.running.parts

    async def breaks() -> AsyncIterator[bytes]:
        yield LARGE[:300_000]
        raise asyncio.CancelledError

    call = parts.call(world.sender.staff)
    upload = attachments.Upload(
        domain_id(sent["id"]), "a.pdf", attachments.MediaType.PDF, len(LARGE), None, "k"
    )
    await attachments._begin(call, upload)  # noqa: SLF001 - as a process does that dies with the next step
    with pytest.raises(asyncio.CancelledError):
        await attachments.attach(call, upload, breaks())
    assert await leftovers(world, sent) == 1
    await attachments.drop_cut_off(parts.call())
    assert await leftovers(world, sent) == 1
    await world.service.running.advance(timedelta(hours=1, seconds=1))
    assert await leftovers(world, sent) == 0


MOVED = "UPDATE attachment_pieces SET number = number + 10 WHERE attachment_id = $1 AND number = 0"
CHANGED = "UPDATE attachment_pieces SET box = overlay(box PLACING '\\x00' FROM 30) WHERE attachment_id = $1"
CUT = "UPDATE attachments SET pieces = 2 WHERE id = $1"
LONGER = "UPDATE attachments SET pieces = 4 WHERE id = $1"


@pytest.mark.parametrize("tampering", [MOVED, CHANGED, CUT, LONGER])
async def test_a_file_that_was_moved_changed_or_cut_at_rest_does_not_come_out_whole(
    world: World, door: Door, object_store: SmallStore | None, tampering: str
) -> None:
    sent = await send(world)
    id_ = await door.attached(world.sender.staff, sent, contents=LARGE)
    await world.service.running.sql.execute(tampering, UUID(id_))
    if object_store and tampering is CHANGED:
        for key, box in object_store.objects.items():
            object_store.objects[key] = box[:29] + bytes([box[29] ^ 1]) + box[30:]
    call = world.service.running.parts.call(world.sender.staff)

    got = list[bytes]()
    with pytest.raises(RuntimeError):
        await _read_all((await attachments.read(call, domain_id(id_))).body, got)
    assert len(b"".join(got)) < len(LARGE)


async def _read_all(body: AsyncIterator[bytes], into: list[bytes]) -> None:
    async for piece in body:
        into.append(piece)  # noqa: PERF401 - what came before the fault is looked at


async def test_plain_text_keeps_its_letters(world: World, door: Door) -> None:
    sent = await send(world)
    id_ = await door.attached(
        world.sender.staff, sent, contents=TEXT, name="note.txt", type="text/plain; charset=utf-8"
    )
    got = await door.get(world.receiver.staff, id_)

    assert (got.body, got.headers["content-type"]) == (TEXT, "text/plain")
