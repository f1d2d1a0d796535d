"""The embedded mail server: keeps every letter as an .eml file and delivers none."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any
from uuid import uuid4


class Keeper:
    """Writes each letter to the folder, whole or not at all. The name's beginning is the time, so names sort by it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ANN401, ARG002, N802 - aiosmtpd's hook
        """Take a letter."""
        to = ", ".join(envelope.rcpt_tos)
        content: bytes = envelope.original_content
        name = f"{time.time_ns():020d}-{uuid4().hex[:8]}"
        draft = self._folder / f".{name}.new"
        draft.write_bytes(f"X-Envelope-To: {to}\r\n".encode() + content)
        draft.rename(self._folder / f"{name}.eml")
        return "250 kept"


async def start_mailbox(folder: Path, port: int) -> asyncio.Server:
    """Listen for letters on the loopback."""
    from aiosmtpd.smtp import SMTP  # noqa: PLC0415 - 0.1 s, while the services start

    folder.mkdir(parents=True, exist_ok=True)
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: SMTP(Keeper(folder), loop=loop, enable_SMTPUTF8=True), "127.0.0.1", port
    )
