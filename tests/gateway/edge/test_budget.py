"""What one user may ask for in a minute."""

from __future__ import annotations

from uuid import uuid4

import pytest

from gateway.limits import Budget
from tests.gateway.edge.conftest import world
from tests.gateway.edge.moved_clock import MovedClock

MANY = "{ providers(first: 100) { edges { node { colleagues { id } } } } }"
COST = 600
"""Of MANY: a hundred providers, each with a list that counts as five."""


def test_a_user_spends_their_own_minute_only() -> None:
    budget, one, other = Budget(10_000, MovedClock()), uuid4(), uuid4()

    assert budget.spend(one, 10_000) == []
    assert budget.spend(one, 1) != []
    assert budget.spend(other, 10_000) == []


def test_what_was_spent_comes_back_evenly_and_a_refusal_says_when_there_is_enough() -> None:
    clock = MovedClock()
    budget, user = Budget(6_000, clock), uuid4()
    assert budget.spend(user, 6_000) == []

    (refusal,) = budget.spend(user, 1_000)

    assert refusal.extensions is not None
    assert refusal.extensions["retryAfterSeconds"] == 10
    clock.seconds += 9.9
    assert budget.spend(user, 1_000) != []
    clock.seconds += 0.1
    assert budget.spend(user, 1_000) == []


def test_a_refused_operation_costs_nothing() -> None:
    clock = MovedClock()
    budget, user = Budget(5_000, clock), uuid4()
    assert budget.spend(user, 4_000) == []
    for _ in range(100):
        assert budget.spend(user, 2_000) != []

    assert budget.spend(user, 1_000) == []


def test_users_who_were_silent_for_a_minute_are_forgotten() -> None:
    clock = MovedClock()
    budget, late = Budget(5_000, clock), uuid4()
    for _ in range(1_000):
        budget.spend(uuid4(), 5)
    clock.seconds += 30
    budget.spend(late, 5)

    clock.seconds += 30
    budget.spend(late, 5)

    assert len(budget) == 1


@pytest.mark.parametrize("path", ["http", "events"])
async def test_who_asks_for_too_much_is_told_when_to_come_again(
    gateway_nats: str, path: str
) -> None:
    async with world(gateway_nats, COST_PER_MINUTE="5000") as running:
        token, other = running.user(), running.user()
        for _ in range(5000 // COST):
            assert (await running.door.post(MANY, token=token)).status == 200

        if path == "http":
            refused = await running.door.post(MANY, token=token)
            assert (refused.status, refused.code) == (429, "COST_BUDGET")
            assert refused.json["errors"][0]["extensions"]["retryAfterSeconds"] >= 1
        else:
            async with running.door.events(MANY, token=token) as events:
                assert events.status == 429
        assert (await running.door.post(MANY, token=other)).status == 200
        assert (await running.door.post("{ viewer }")).status == 200
