"""Where a page starts: a cursor is taken back only by the kind of list that gave it."""

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

from kit.errors import Invalid
from kit.graphql import Page

Part = Callable[[str], object]
"""Reads one part of a position; ValueError when it cannot be one."""

TEXT: Part = str
ID: Part = UUID
DAY: Part = date.fromisoformat
MOMENT: Part = datetime.fromisoformat


def position(page: Page, *parts: Part) -> list[str] | None:
    """The position the page starts after, in its parts; None for the first page. Invalid BAD_CURSOR when it is of another list."""
    if page.after is None:
        return None
    given = [one for one in page.after if isinstance(one, str)]
    if not len(page.after) == len(given) == len(parts) or not _sound(given, parts):
        raise Invalid(
            "after is not a cursor of this list.",
            code="BAD_CURSOR",
            field="after",
            remedy="Use pageInfo.endCursor.",
        )
    return given


def _sound(given: list[str], parts: tuple[Part, ...]) -> bool:
    try:
        for read, text in zip(parts, given, strict=True):
            read(text)
    except ValueError:
        return False
    return True
