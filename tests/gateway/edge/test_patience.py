"""A subgraph that hangs is not waited for by everybody."""

from __future__ import annotations

import asyncio

import pytest

from gateway.subgraphs import Bounds, SubgraphError, Subgraphs, SubgraphSilent
from gateway.subgraphs.patience import PAUSE, SILENCES, Patience
from tests.gateway.edge.moved_clock import MovedClock
from tests.gateway.edge.scripted import Peer, scripted

QUICK = Bounds(connect=1.0, total=0.1)


def worn_out(clock: MovedClock) -> Patience:
    """The patience with a subgraph that has just been silent once too often."""
    patience = Patience(clock)
    for _ in range(SILENCES):
        assert patience.ask()
        patience.silent()
    return patience


def test_after_five_silences_in_a_row_nobody_waits_any_more() -> None:
    assert not worn_out(MovedClock()).ask()


def test_the_moment_patience_ends_is_told_once() -> None:
    patience = Patience(MovedClock())

    assert [patience.silent() for _ in range(SILENCES + 2)].count(True) == 1


def test_an_answer_in_between_begins_the_count_anew() -> None:
    patience = Patience(MovedClock())
    for _ in range(3):
        for _ in range(SILENCES - 1):
            patience.silent()
        patience.heard()

    assert patience.ask()


def test_after_a_pause_one_request_tries_and_the_others_do_not_wait() -> None:
    clock = MovedClock()
    patience = worn_out(clock)
    clock.seconds += PAUSE

    assert [patience.ask() for _ in range(10)] == [True] + [False] * 9

    clock.seconds += PAUSE
    assert patience.ask(), "whoever tried may have left without an answer"


def test_once_it_answers_everybody_asks_again() -> None:
    clock = MovedClock()
    patience = worn_out(clock)
    clock.seconds += PAUSE
    assert patience.ask()
    patience.heard()

    assert all(patience.ask() for _ in range(10))


async def test_a_hanging_subgraph_is_told_to_be_away_without_being_asked() -> None:
    async def silence(peer: Peer) -> None:
        await peer.request()
        await peer.gone()

    async with scripted(silence) as script:
        client = Subgraphs({"things": script.url}, QUICK)
        for _ in range(SILENCES):
            with pytest.raises(SubgraphSilent):
                await client.post("things", b"{}", {}, repeatable=True)
        asked = script.connections

        async with asyncio.timeout(QUICK.total):
            for repeatable in (True, False) * 20:
                with pytest.raises(SubgraphError, match="not asked"):
                    await client.post("things", b"{}", {}, repeatable=repeatable)

        assert script.connections == asked == SILENCES


async def test_one_that_cannot_be_reached_is_asked_each_time() -> None:
    async def hang_up(peer: Peer) -> None:
        peer.close()

    async with scripted(hang_up) as script:
        client = Subgraphs({"things": script.url}, QUICK)
        for _ in range(2 * SILENCES):
            with pytest.raises(SubgraphError):
                await client.post("things", b"{}", {}, repeatable=False)

        assert script.connections == 2 * SILENCES
