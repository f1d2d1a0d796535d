"""Whole systems for the end-to-end tests: everything real, on free ports, in folders of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from cli.demo import ephemeral_system
from cli.system import System
from tests.e2e.clinic import Clinic, new_clinic
from tests.e2e.matrix import Bench
from tests.e2e.matrix_world import create
from tests.e2e.town import Town, settle

FreshSystem = Callable[[], AbstractAsyncContextManager[System]]


@pytest.fixture(scope="session")
async def system() -> AsyncIterator[System]:
    """One system for every test that leaves the others alone: it works in organizations of its own."""
    async with ephemeral_system() as running:
        yield running


@pytest.fixture
async def clinic(system: System) -> AsyncIterator[Clinic]:
    """An organization of one test, with a client admin who can import."""
    async with new_clinic(system) as opened:
        yield opened


@pytest.fixture(scope="session")
def fresh_system() -> FreshSystem:
    """Starts a system that nobody else uses: `async with fresh_system() as system`."""
    return ephemeral_system


@pytest.fixture(scope="session")
async def town() -> AsyncIterator[Town]:
    """Two organizations with things to hide, on a system of their own: its clock stands where it was moved to."""
    async with ephemeral_system() as running:
        made = await settle(running)
        yield made
        made.close()


@pytest.fixture(scope="session")
async def matrix() -> AsyncIterator[Bench]:
    """The cast of tests/model on a system of its own, with nobody and nothing else in it."""
    async with ephemeral_system() as running:
        bench = Bench(await create(running))
        yield bench
        bench.close()
        bench.world.stage.client.close()
