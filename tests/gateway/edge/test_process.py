"""The gateway as a process: how it starts, says what is wrong, and stops."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.gateway.edge.client import request
from tests.gateway.edge.conftest import environment
from tests.gateway.edge.neighbours import Identity, identity_rpc

NOBODY = "nats://127.0.0.1:9"


@asynccontextmanager
async def process(given: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """python -m gateway with these settings and no others."""
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        env={"PATH": os.environ["PATH"]} | given,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def answers(url: str, status: int) -> None:
    """Wait until the URL answers so."""
    async with asyncio.timeout(20):
        while True:
            try:
                if (await request("GET", url)).status == status:
                    return
            except OSError:
                pass  # not listening yet
            await asyncio.sleep(0.05)


async def test_wrong_settings_end_it_with_all_their_names() -> None:
    async with process({"HTTP_PORT": "99999", "VIEWER_KEY": "short"}) as gateway:
        _, said = await gateway.communicate()

    assert gateway.returncode == 2
    for name in (
        b"HTTP_PORT",
        b"VIEWER_KEY",
        b"NATS_URL",
        b"IDENTITY_RPC",
        b"SUBGRAPH_REPORTING_URL",
    ):
        assert name in said


async def test_it_is_ready_once_identity_answers_and_stops_in_order_when_asked() -> None:
    rpc = free_port()
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    given = environment(NOBODY, f"127.0.0.1:{rpc}") | {"HTTP_PORT": str(port)}
    async with process(given) as gateway:
        await answers(f"{base}/livez", 200)
        assert (await request("GET", f"{base}/readyz")).status == 503

        async with identity_rpc(Identity(), port=rpc):
            await answers(f"{base}/readyz", 200)

        gateway.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            _, said = await gateway.communicate()

    assert gateway.returncode == 0, said.decode()[-2000:]
    assert b"Traceback" not in said


async def test_a_port_that_is_taken_ends_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = environment(NOBODY, "127.0.0.1:9") | {"HTTP_PORT": str(taken.getsockname()[1])}
        async with process(given) as gateway, asyncio.timeout(20):
            _, said = await gateway.communicate()

    assert gateway.returncode == 1
    assert b"HTTP_PORT" in said
    assert b"in use" in said


async def test_a_supergraph_that_is_none_ends_it(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.graphql"
    wrong.write_text("type Query { a: Int }", encoding="utf-8")
    given = environment(NOBODY, "127.0.0.1:9") | {"SUPERGRAPH": str(wrong)}
    async with process(given) as gateway, asyncio.timeout(20):
        _, said = await gateway.communicate()

    assert gateway.returncode == 2
    assert b"Traceback" not in said
