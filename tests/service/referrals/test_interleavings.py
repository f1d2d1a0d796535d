"""Whatever is done to referrals at once, none is ever orphaned, and none is shown to somebody the model forbids.

INTERLEAVINGS says how many stories are told (20 unless said); with it they are other ones each time.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.service.referrals.conftest import Referrals, World
from tests.service.referrals.fencing import Directory, directory_of
from tests.service.referrals.interleaving import RAN, Town
from tests.support.servers import PostgresServer

log = logging.getLogger(__name__)

WANTED = os.environ.get("INTERLEAVINGS", "")
EXAMPLES = int(WANTED or "20")

KINDS = (
    "send", "send", "send", "forward", "forward", "reassign", "decline", "resend", "acknowledge", "hand_over", "cancel", "fence",
    "lower", "remove", "leave", "leave", "contest", "contest", "crash",
)  # fmt: skip
STEP = st.tuples(st.sampled_from(KINDS), st.integers(0, 11), st.integers(0, 11))
BEGUN = 3
"""So many referrals are under way when a story begins."""

STORY = st.lists(st.lists(STEP, min_size=1, max_size=5), min_size=2, max_size=7)


@pytest.fixture(scope="module")
async def killer(
    referrals: Referrals, postgres: PostgresServer
) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Who may end other connections to the service's database."""
    url = urlsplit(referrals.running.parts.settings.database_url)
    connection = await asyncpg.connect(postgres.server.url(url.path.removeprefix("/")))
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def directory(referrals: Referrals) -> AsyncIterator[Directory]:
    """Directory, who removes."""
    async with directory_of(World(referrals, None, None)) as asking:  # type: ignore[arg-type] - it only looks at the service
        yield asking


@given(story=STORY)
@settings(
    max_examples=EXAMPLES,
    derandomize=not WANTED,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
async def test_no_interleaving_orphans_a_referral_or_shows_it_to_somebody_it_is_not_for(
    referrals: Referrals,
    directory: Directory,
    killer: asyncpg.Connection[asyncpg.Record],
    story: list[list[tuple[str, int, int]]],
) -> None:
    """R13, R14, R15: the steps of a round are taken at once, on real PostgreSQL."""
    town = Town(referrals, directory, killer)
    await town.begin(BEGUN)
    for steps in story:
        await asyncio.gather(*(town.take(step) for step in steps))
        await town.check()
    RAN["stories"] += 1


def test_enough_stories_were_told_and_every_kind_of_step_was_taken() -> None:
    """R14: what was not tried proves nothing. The figures are in the log."""
    log.info("%s", dict(sorted(RAN.items())))
    if RAN["stories"]:
        assert RAN["stories"] >= EXAMPLES
        assert all(RAN[kind] for kind in KINDS)
        assert RAN["send: DONE"] > RAN["stories"]
        assert RAN["remove: REMOVED"] + RAN["leave: REMOVED"] > RAN["stories"] / 10
        assert RAN["crash: KILLED"]
