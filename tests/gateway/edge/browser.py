"""A headless Chromium, spoken to by its DevTools protocol: one page, what it requested, what it complained about."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


class Page:
    """One page. `requests` are the URLs it asked for, `complaints` what its console and its policy said."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._replies: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.requests: list[str] = []
        self.complaints: list[str] = []

    async def listen(self) -> None:
        """Take in what the browser says, for as long as it talks."""
        async for text in self._socket:
            message = orjson.loads(text)
            if "id" in message:
                self._replies.pop(message["id"]).set_result(message)
            else:
                self._hear(message["method"], message.get("params", {}))

    def _hear(self, method: str, params: dict[str, Any]) -> None:
        if method in {"Network.requestWillBeSent", "Network.webSocketCreated"}:
            self.requests.append(params.get("url") or params["request"]["url"])
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(params["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(params["exceptionDetails"]["text"])

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        """One command and its result."""
        number = next(self._numbers)
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(
            orjson.dumps({"id": number, "method": method, "params": params}).decode()
        )
        answer = await asyncio.wait_for(reply, 20)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    async def evaluate(self, script: str) -> object:
        """The value of a script in the page, waiting for it when it is a promise."""
        answer = await self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        return answer["result"].get("value")

    async def until(self, script: str, seconds: float = 20) -> object:
        """Wait until the script's value is truthy, and answer it."""
        async with asyncio.timeout(seconds):
            while not (value := await self.evaluate(script)):
                await asyncio.sleep(0.05)
        return value

    async def screenshot(self, path: Path) -> None:
        """What a person would see."""
        shot = await self.call("Page.captureScreenshot", format="png")
        path.write_bytes(b64decode(shot["data"]))


@asynccontextmanager
async def page() -> AsyncIterator[Page]:
    """Start Chromium with one empty page."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = await asyncio.create_subprocess_exec(
            CHROMIUM,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--window-size=1280,800",
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
            "about:blank",
            stderr=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
        )
        try:
            url = await _debugger(Path(profile) / "DevToolsActivePort")
            async with connect(url, max_size=None, proxy=None, ping_interval=None) as root:
                place = await _open(root)
                async with connect(place, max_size=None, proxy=None, ping_interval=None) as socket:
                    opened = Page(socket)
                    listening = asyncio.create_task(opened.listen())
                    for domain in ("Network", "Page", "Runtime", "Log"):
                        await opened.call(f"{domain}.enable")
                    yield opened
                    listening.cancel()
        finally:
            browser.kill()
            await browser.wait()


async def _debugger(file: Path) -> str:
    async with asyncio.timeout(30):
        while not file.exists() or len(lines := file.read_text().splitlines()) < 2:
            await asyncio.sleep(0.05)
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"


async def _open(root: ClientConnection) -> str:
    await root.send('{"id": 1, "method": "Target.getTargets"}')
    answer = orjson.loads(await root.recv())
    target = next(one for one in answer["result"]["targetInfos"] if one["type"] == "page")
    host = root.remote_address
    return f"ws://{host[0]}:{host[1]}/devtools/page/{target['targetId']}"
