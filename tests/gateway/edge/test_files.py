"""Files beside GraphQL: signed like everything else, passed on as they come, and never held whole."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit
from uuid import uuid4

import psutil
import pytest
from starlette.responses import JSONResponse, PlainTextResponse

from gateway.http import files
from gateway.subgraphs import Bounds, Target
from gateway.subgraphs.pool import Pool
from tests.gateway.edge.client import Reply, opened, request
from tests.gateway.edge.conftest import World

MEGABYTE = 1_000_000


async def ask(world: World, path: str, token: str, method: str = "GET", **more: str) -> Reply:
    """One request for a file."""
    sent = {name.replace("_", "-"): value for name, value in more.items()}
    if token:
        sent["authorization"] = f"Bearer {token}"
    return await request(method, f"{world.door.base}/files/{path}", sent)


async def upload(world: World, token: str, contents: bytes, **more: str) -> Reply:
    """Send a file."""
    sent = {name.replace("_", "-"): value for name, value in more.items()}
    sent |= {"authorization": f"Bearer {token}", "content-type": "image/png"}
    return await request("POST", f"{world.door.base}/files/directory/here", sent, contents)


async def test_a_file_goes_to_its_subgraph_with_the_viewer_signed_and_little_else(
    suite: World,
) -> None:
    token = suite.user()
    reply = await upload(
        suite,
        token,
        b"x" * MEGABYTE,
        x_file_name="a.png",
        idempotency_key="k",
        cookie="a=1",
        x_viewer="me",
    )

    assert (reply.status, reply.json) == (201, {"bytes": MEGABYTE})
    assert suite.places.viewer.user_id == suite.users[token]
    given = suite.places.file_headers
    assert (given["x-file-name"], given["idempotency-key"]) == ("a.png", "k")
    assert given["content-type"] == "image/png"
    assert not {"authorization", "cookie"} & given.keys()


async def test_a_file_comes_back_to_be_saved_and_with_nothing_of_the_subgraphs_own(
    suite: World,
) -> None:
    reply = await ask(suite, f"directory/{3 * MEGABYTE}", suite.user())

    assert (reply.status, len(reply.body)) == (200, 3 * MEGABYTE)
    assert reply.headers["content-disposition"] == 'attachment; filename="a.bin"'
    assert reply.headers["content-type"] == "image/png"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert not {"set-cookie", "x-powered-by"} & reply.headers.keys()


@pytest.mark.parametrize("token", ["", "nobody"])
async def test_nobody_gets_near_a_file_without_signing_in(suite: World, token: str) -> None:
    for method in ("GET", "POST"):
        suite.places.file_headers = {}
        reply = await ask(suite, "directory/10", token, method)
        assert (reply.status, reply.code) == (401, "UNAUTHENTICATED")
        assert suite.places.file_headers == {}


@pytest.mark.parametrize(
    "path",
    [
        "nowhere/10",
        "directory/",
        "directory/../graphql",
        "directory/..%2fgraphql",
        "directory/%2e%2e/graphql",
        "directory//graphql",
        "directory/a.b",
        "directory/a%0d%0ax-viewer:%20b",
        "directory/a?b=c%0d%0ad",
        "directory/a?b=/../",
        "directory/a%00",
    ],
)
async def test_no_path_leads_anywhere_but_to_a_subgraphs_files(suite: World, path: str) -> None:
    suite.places.file_headers = {}
    reply = await ask(suite, path, suite.user())

    assert reply.status == 404
    assert suite.places.file_headers == {}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_files_are_got_and_posted_and_nothing_else(suite: World, method: str) -> None:
    reply = await ask(suite, "directory/10", suite.user(), method)

    assert (reply.status, reply.code) == (405, "METHOD_NOT_ALLOWED")


async def test_what_a_subgraph_refuses_is_told_and_its_faults_are_not(suite: World) -> None:
    token, told = suite.user(), {"message": "No.", "extensions": {"code": "NOT_FOUND"}}
    suite.places.answer_with = JSONResponse({"errors": [told]}, 404)
    refused = await ask(suite, "directory/10", token)
    early = [await _refused_early(suite, token, after) for after in ("keep-alive", "close")]
    suite.places.answer_with = PlainTextResponse("SELECT secret", 500)
    broken = await ask(suite, "directory/10", token)
    suite.places.answer_with = PlainTextResponse("x" * MEGABYTE, 500)
    endless = await ask(suite, "directory/10", token)
    suite.places.answer_with = PlainTextResponse("Not Found", 404)
    nothing = await ask(suite, "directory/10", token)
    suite.places.answer_with = None

    assert (refused.status, refused.json["errors"]) == (404, [told])
    assert early == [(404, refused.body)] * 2
    assert (broken.status, broken.code, b"secret" in broken.body) == (500, "INTERNAL", False)
    assert (endless.status, endless.code) == (500, "INTERNAL")
    assert (nothing.status, nothing.code) == (404, "NOT_FOUND")


async def _refused_early(
    world: World, token: str, after: str, size: int = 20 * MEGABYTE
) -> tuple[int, bytes]:
    """The answer to an upload that is refused (a large one long before all of it has been sent), by a client that listens only then."""
    url = f"{world.door.base}/files/directory/here"
    headers = {"authorization": f"Bearer {token}", "connection": after}
    body = b"x" * size
    async with opened("POST", url, headers, body, listening=False) as (status, given, reader):
        return status, await reader.readexactly(int(given["content-length"]))


async def test_a_refused_file_that_has_come_whole_is_answered_though_its_sender_closes_after_it(
    suite: World,
) -> None:
    told = {"message": "No.", "extensions": {"code": "TYPE_MISMATCH"}}
    suite.places.answer_with = JSONResponse({"errors": [told]}, 400)
    status, body = await _refused_early(suite, suite.user(), "close", size=5)
    suite.places.answer_with = None

    assert (status, json.loads(body)) == (400, {"errors": [told]})


async def test_a_subgraph_that_is_away_is_said_to_be(suite: World) -> None:
    pools = suite.edge.subgraphs._pools  # noqa: SLF001 - a subgraph nobody serves, for this test
    pools["gone"] = Pool(Target.parse("http://127.0.0.1:9/graphql"), Bounds())
    reply = await ask(suite, "gone/10", suite.user())
    del pools["gone"]

    assert (reply.status, reply.code) == (503, "UNAVAILABLE")


async def test_an_upload_that_stands_still_is_cut_and_its_subgraph_hears_of_it(
    suite: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PIECE_PATIENCE", 0.1)
    suite.places.left.clear()
    url = f"{suite.door.base}/files/directory/here"
    headers = {"authorization": f"Bearer {suite.user()}", "content-length": "1000"}

    async with opened("POST", url, headers, b"half") as (status, _, reader):
        told = await reader.read()

    assert status == 408
    assert b"BODY_TIMEOUT" in told
    async with asyncio.timeout(5):
        await suite.places.left.wait()
    assert suite.places.file_bytes < 1000


async def test_an_upload_whose_sender_hangs_up_reaches_its_subgraph_as_cut_off(
    suite: World,
) -> None:
    suite.places.left.clear()
    place = urlsplit(suite.door.base)
    _, writer = await asyncio.open_connection(place.hostname, place.port)
    head = (
        f"POST /files/directory/here HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {suite.user()}\r\n"
        "Content-Length: 1000\r\n\r\nhalf"
    )
    writer.write(head.encode())
    await writer.drain()
    writer.close()

    async with asyncio.timeout(5):
        await suite.places.left.wait()
    assert suite.places.file_bytes < 1000


async def test_a_file_of_unknown_length_is_not_taken(suite: World) -> None:
    url = f"{suite.door.base}/files/directory/here"
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    head = (
        f"POST {place.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {suite.user()}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\n"
    )
    writer.write(head.encode())
    async with asyncio.timeout(5):
        line = await reader.readline()
        told = await reader.readuntil(b"}]}")
    writer.close()

    assert b" 411 " in line
    assert b"LENGTH_REQUIRED" in told


async def test_a_download_that_nobody_takes_waits_at_its_source(suite: World) -> None:
    size, url = 200 * MEGABYTE, f"{suite.door.base}/files/directory/{200 * MEGABYTE}"
    before = psutil.Process().memory_info().rss

    async with opened("GET", url, {"authorization": f"Bearer {suite.user()}"}, b"") as (
        status,
        _,
        reader,
    ):
        await reader.readexactly(MEGABYTE)
        async with asyncio.timeout(10):
            sent = -1
            while sent != suite.places.file_sent:
                sent = suite.places.file_sent
                for _ in range(200):
                    await asyncio.sleep(0)
        held = psutil.Process().memory_info().rss - before

    assert status == 200
    assert suite.places.file_sent < size / 2
    assert held < 100 * MEGABYTE


async def test_one_user_does_not_take_all_the_places(suite: World) -> None:
    token, url = suite.user(), f"{suite.door.base}/files/directory/here"
    headers = {"authorization": f"Bearer {token}", "content-length": "10"}
    place = urlsplit(url)
    writers = []
    for _ in range(files.AT_ONCE_EACH):
        suite.places.file_headers = {}
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        lines = [
            f"POST {place.path} HTTP/1.1",
            "host: x",
            *(f"{n}: {v}" for n, v in headers.items()),
        ]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\nhalf")
        async with asyncio.timeout(5):
            while not suite.places.file_headers:
                await asyncio.sleep(0.01)
        writers.append((reader, writer))
    refused = await ask(suite, "directory/10", token)
    other = await ask(suite, "directory/10", suite.user())
    for reader, writer in writers:
        writer.write(b"123456")
        assert b" 201 " in await reader.readline()
        writer.close()
    again = await ask(suite, "directory/10", token)

    assert (refused.status, refused.json["errors"][0]["extensions"]["reason"]) == (
        429,
        "TOO_MANY_FILES",
    )
    assert (other.status, again.status) == (200, 200)


async def test_a_request_id_of_the_client_comes_back(suite: World) -> None:
    mine = uuid4().hex
    reply = await ask(suite, "directory/10", suite.user(), x_request_id=mine)

    assert reply.headers["x-request-id"] == mine
