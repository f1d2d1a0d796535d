"""A clock that stands still until a test moves it."""

from __future__ import annotations


class MovedClock:
    """Seconds, as time.monotonic tells them."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds
