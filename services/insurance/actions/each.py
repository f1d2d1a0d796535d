"""Jobs that go through many organizations, copies or endings: what hinders one keeps none of the others waiting."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from kit.db import AWAY

T = TypeVar("T")


async def each(things: Iterable[T], do: Callable[[T], Awaitable[None]]) -> None:
    """Do it to each, one after another; at the end, what failed is raised together. A database that went away is raised at once."""
    failures = list[Exception]()
    for thing in things:
        try:
            await do(thing)
        except AWAY:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told below
            failures.append(error)
    if failures:
        raise ExceptionGroup("a job failed in part", failures)
