"""Whole systems for the end-to-end tests: everything real, on free ports, in folders of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from cli.demo import ephemeral_system
from cli.system import System

FreshSystem = Callable[[], AbstractAsyncContextManager[System]]


@pytest.fixture(scope="session")
async def system() -> AsyncIterator[System]:
    """One system for every test that leaves the others alone: it works in organizations of its own."""
    async with ephemeral_system() as running:
        yield running


@pytest.fixture(scope="session")
def fresh_system() -> FreshSystem:
    """Starts a system that nobody else uses: `async with fresh_system() as system`."""
    return ephemeral_system
