"""Jobs that go through many things (organizations, copies, endings): what hinders one keeps none of the others waiting."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import asyncpg

from kit.db import AWAY
from kit.errors import Unavailable

T = TypeVar("T")

_ITS_OWN = (TimeoutError, asyncpg.QueryCanceledError, Unavailable)
"""What may be the fault of one thing only: it takes too long, or a neighbour does not answer about it."""


async def each(things: Iterable[T], do: Callable[[T], Awaitable[None]]) -> None:
    """Do it to each, one after another; at the end, what failed is raised together. A database that went away is raised at once."""
    failures = list[Exception]()
    for thing in things:
        try:
            await do(thing)
        except _ITS_OWN as error:
            failures.append(error)
        except AWAY:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told below
            failures.append(error)
    if failures:
        raise ExceptionGroup("a job failed in part", failures)
