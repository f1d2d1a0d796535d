"""How long a subgraph that hangs is waited for again and again: not long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SILENCES = 5
"""As many in a row, and nobody waits for the subgraph any more."""

PAUSE = 2.0
"""Seconds until one request tries again."""


class Patience:
    """Whether a subgraph is worth asking. One that answers, whatever it says, always is."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._silences = 0
        self._next_at = 0.0

    def ask(self) -> bool:
        """Whether to ask now. While it is silent one request in each pause is let through, to find out whether it still is."""
        if self._silences < SILENCES:
            return True
        now = self._now()
        if now < self._next_at:
            return False
        self._next_at = now + PAUSE
        return True

    def heard(self) -> None:
        """It has answered, or said that it cannot be reached: either way nobody had to wait."""
        self._silences = 0

    def silent(self) -> bool:
        """It has not answered in time; whether this is when patience ends."""
        self._silences += 1
        self._next_at = self._now() + PAUSE
        return self._silences == SILENCES
