"""Waiting for processes that are not our children."""

from __future__ import annotations

import asyncio
import os
import select

PATIENCE = 15


async def ended(pid: int) -> None:
    """Wait for the end of a process (Linux)."""
    try:
        watch = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        readable, _, _ = await asyncio.to_thread(select.select, [watch], [], [], PATIENCE)
        assert readable, f"{pid} still runs"
    finally:
        os.close(watch)
