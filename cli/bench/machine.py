"""Where it was measured, and how busy that machine was with other things."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from collections.abc import Iterator
from typing import Any

from cli.bench.processes import PROC, cpu_seconds

_TICKS = os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def watched() -> Iterator[dict[str, Any]]:
    """Facts about the machine, filled in at the end of the block: what share of it others used meanwhile, too."""
    facts: dict[str, Any] = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    facts["load_before"] = round(os.getloadavg()[0], 2)
    begun, busy, own = time.monotonic(), _busy(), cpu_seconds()
    yield facts
    took = time.monotonic() - begun
    others = (_busy() - busy) - (cpu_seconds() - own)
    facts["seconds"] = round(took, 1)
    share = max(others, 0.0) / took / (os.cpu_count() or 1)
    facts["used_by_others_percent"] = round(100 * share)


def _busy() -> float:
    """Processor seconds that all processes have used since the start of the machine, and what its host took away."""
    user, nice, system, _, _, irq, softirq, steal, *_ = (
        int(word) for word in (PROC / "stat").read_text().splitlines()[0].split()[1:]
    )
    return (user + nice + system + irq + softirq + steal) / _TICKS
