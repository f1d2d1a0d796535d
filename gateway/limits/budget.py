"""What one user may ask for in a minute, all operations together."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from gateway.limits.errors import limit_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from graphql import GraphQLError

MINUTE = 60.0


class Budget:
    """Things that each user may have brought back in a minute. What was spent comes back evenly within the minute after it.

    Each gateway counts for itself: two replicas let a user spend twice as much.
    """

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._now = now
        self._spent: OrderedDict[UUID, tuple[float, float]] = OrderedDict()

    def spend(self, user_id: UUID, cost: int) -> list[GraphQLError]:
        """Take the cost of an operation; where there is not enough left nothing is taken, and the refusal says when to come again."""
        now = self._now()
        self._forget(now)
        spent, at = self._spent.get(user_id, (0.0, now))
        spent = max(0.0, spent - (now - at) * self._per_minute / MINUTE) + cost
        missing = spent - self._per_minute
        if missing > 0:
            return [self._refusal(math.ceil(missing * MINUTE / self._per_minute))]
        self._spent[user_id] = (spent, now)
        self._spent.move_to_end(user_id)
        return []

    def __len__(self) -> int:
        """Users of whom something is remembered."""
        return len(self._spent)

    def _forget(self, now: float) -> None:
        """Whoever has asked for nothing for a minute has all of it back."""
        while self._spent:
            user_id, (_, at) = next(iter(self._spent.items()))
            if now - at < MINUTE:
                return
            del self._spent[user_id]

    def _refusal(self, wait: int) -> GraphQLError:
        return limit_error(
            "COST_BUDGET",
            f"You have asked for more than {self._per_minute} things within a minute.",
            remedy=f"Ask again in {wait} seconds, for smaller pages, or less often.",
            limit=self._per_minute,
            retryAfterSeconds=wait,
        )
