"""GraphiQL from our own files: it loads, asks no other host for anything, and runs what is typed."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest

from gateway.http.graphiql import FILES
from tests.gateway.edge import browser
from tests.gateway.edge.client import request
from tests.gateway.edge.conftest import World

SHOWN = "document.querySelector('.result-window')?.innerText.includes('\"Query\"')"
SOCKET = """new Promise((done, failed) => {
  const socket = new WebSocket(location.origin.replace('http', 'ws') + '/graphql', 'graphql-transport-ws');
  socket.onopen = () => socket.send('{"type":"connection_init"}');
  socket.onmessage = (message) => { done(message.data); socket.close(); };
  socket.onclose = (end) => failed(end.code);
})"""
SCREENSHOTS = os.environ.get("SCREENSHOTS", "")


async def test_the_page_comes_with_a_policy_that_names_no_other_host(suite: World) -> None:
    reply = await request("GET", f"{suite.door.base}/graphiql")

    assert reply.status == 200
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "http" not in policy
    assert "*" not in policy
    assert reply.headers["x-content-type-options"] == "nosniff"


async def test_every_asset_the_page_names_is_there_compressed_or_not(suite: World) -> None:
    text = (await request("GET", f"{suite.door.base}/graphiql")).body.decode()
    names = re.findall(r"/graphiql/(assets/[^\"]+)", text)
    assert names

    for name in names:
        url = f"{suite.door.base}/graphiql/{name}"
        plain = await request("GET", url)
        packed = await request("GET", url, {"accept-encoding": "gzip, br"})
        assert (plain.status, packed.status) == (200, 200)
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(packed.body) == plain.body
        assert "immutable" in packed.headers["cache-control"]


@pytest.mark.parametrize(
    "name", ["nothing.js", "..%2findex.html", "..%2f..%2f..%2fconfig.py", "%2fetc%2fpasswd"]
)
async def test_nothing_else_is_served(suite: World, name: str) -> None:
    assert (await request("GET", f"{suite.door.base}/graphiql/assets/{name}")).status == 404


def test_what_is_committed_stays_modest() -> None:
    assert sum(file.stat().st_size for file in FILES.rglob("*.gz")) < 3_000_000


@pytest.mark.skipif(browser.CHROMIUM is None, reason="there is no Chromium")
async def test_graphiql_runs_a_query_and_asks_no_other_host(suite: World) -> None:
    async with browser.page() as page:
        await page.call("Page.navigate", url=f"{suite.door.base}/graphiql")
        await page.until("document.querySelectorAll('.graphiql-editor .view-line').length > 3")
        await page.evaluate("document.querySelector('.graphiql-execute-button').click()")
        await page.until(SHOWN)
        assert await page.evaluate(SOCKET) == '{"type":"connection_ack"}'
        if SCREENSHOTS:
            await page.screenshot(Path(SCREENSHOTS) / "graphiql.png")

        foreign = [
            url
            for url in page.requests
            if not url.startswith((suite.door.base, suite.socket, "data:", "blob:"))
        ]
        assert foreign == []
        assert page.complaints == []
        assert f"{suite.door.base}/graphql" in page.requests
