"""How the garbage collector is set in a process that serves: it looks at requests' leavings, not at the program itself."""

from __future__ import annotations

import gc

YOUNG = 10_000
"""New objects after which the collector looks for cycles: more than a usual request makes. Python's own 700 has it look
dozens of times in one request, each time in vain; nested lists take up to 40 % longer then."""


def settle() -> None:
    """Call it once, when everything that stays for good has been loaded: from now on that is left out of every search."""
    gc.freeze()
    gc.set_threshold(YOUNG)
