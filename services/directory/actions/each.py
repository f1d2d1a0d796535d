"""Doing the same for many, each by itself: for jobs, whose next run begins with the same ones."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def each(things: Iterable[T], do: Callable[[T], Awaitable[None]]) -> None:
    """Do it for each. What goes wrong with one keeps none of the others waiting, and is raised at the end."""
    failed = []
    for one in things:
        try:
            await do(one)
        except Exception as error:  # noqa: BLE001 - raised below, with the others
            failed.append(error)
    if failed:
        raise ExceptionGroup("some of them could not be done", failed)
