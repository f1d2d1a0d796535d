"""The ledger on a machine whose clock is ten years fast."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable

WRONG_BY = datetime.timedelta(days=3650)


def spoil() -> None:
    """Shift whatever reads the machine's clock."""
    seconds = WRONG_BY.total_seconds()
    real_time: Callable[[], float] = time.time
    real_time_ns: Callable[[], int] = time.time_ns

    class Wrong(datetime.datetime):
        """datetime with a wrong now()."""

        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Wrong:
            return cls.fromtimestamp(time.time(), tz)

    time.time = lambda: real_time() + seconds
    time.time_ns = lambda: real_time_ns() + int(seconds * 1e9)
    datetime.datetime = Wrong  # type: ignore[misc]


if __name__ == "__main__":
    spoil()
    from kit.service import run
    from tests.support import ledger

    run(ledger.NAME, ledger.build)
