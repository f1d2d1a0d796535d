"""Facts heard: each applied once, within an aggregate in order, and never lost.

The inbox row and the effect are one transaction; only then is the message acknowledged. A fact that cannot be applied goes to
the dead letters with its cause, and what follows it of the same aggregate waits behind it, until an operator redrives them.
"""

from kit.inbox.consumer import GAP_PATIENCE, MAX_TRIES, Consumer
from kit.inbox.events import (
    Begin,
    Event,
    GapError,
    Handler,
    Heard,
    Hearing,
    MalformedError,
    MissedError,
    from_here_on,
    read_event,
)

__all__ = [
    "GAP_PATIENCE",
    "MAX_TRIES",
    "Begin",
    "Consumer",
    "Event",
    "GapError",
    "Handler",
    "Heard",
    "Hearing",
    "MalformedError",
    "MissedError",
    "from_here_on",
    "read_event",
]
