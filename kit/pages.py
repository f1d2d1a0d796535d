"""Lists in pages, as Relay has them: forwards, with cursors that only the list that gave them takes back."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson
import strawberry

from kit.errors import Invalid

T = TypeVar("T")

DEFAULT_PAGE = 20
MAX_PAGE = 100


@strawberry.federation.type(shareable=True, description="Where a page stands in its list.")
class PageInfo:
    """Relay's PageInfo, forwards."""

    has_next_page: bool
    end_cursor: str | None


@strawberry.type(description="One thing of a page.")
class Edge(Generic[T]):
    """Relay's edge."""

    node: T
    cursor: str


@strawberry.type(description="A page of things.")
class Connection(Generic[T]):
    """Relay's connection."""

    edges: list[Edge[T]]
    page_info: PageInfo


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted. A store fetches `limit + 1` rows that come after the sort key `after`."""

    limit: int
    after: list[Any] | None


def page_of(first: int | None, after: str | None) -> Page:
    """The page that `first` and `after` ask for; Invalid when first is not 1 to 100 or the cursor is not ours."""
    limit = DEFAULT_PAGE if first is None else first
    if not 1 <= limit <= MAX_PAGE:
        raise Invalid(
            f"first must be 1 to {MAX_PAGE}.",
            code="PAGE_SIZE",
            field="first",
            remedy="Ask for several pages.",
        )
    if after is None:
        return Page(limit, None)
    try:
        position = orjson.loads(urlsafe_b64decode(after.encode()))
    except ValueError:
        position = None
    if not isinstance(position, list):
        raise _bad_cursor()
    return Page(limit, position)


def after_key(page: Page, *parts: Callable[[str], Any]) -> tuple[Any, ...] | None:
    """The sort key a page starts after, part by part; None for the first page. Each of `parts` reads one part from its text
    and raises ValueError when that cannot be one: BAD_CURSOR then, as for a key of more or fewer parts."""
    if page.after is None:
        return None
    texts = [one for one in page.after if isinstance(one, str) and "\0" not in one]
    if not len(page.after) == len(texts) == len(parts):
        raise _bad_cursor()
    try:
        return tuple(read(text) for read, text in zip(parts, texts, strict=True))
    except (ValueError, OverflowError):
        raise _bad_cursor() from None


def after_id(page: Page) -> UUID | None:
    """The id a page starts after, in a list in the order of ids."""
    found = after_key(page, UUID)
    return found[0] if found else None


def after_name(page: Page) -> tuple[str, UUID] | None:
    """The name and id a page starts after, in a list in the order of names."""
    found: tuple[str, UUID] | None = after_key(page, str, UUID)
    return found


def after_moment(page: Page) -> tuple[datetime, UUID] | None:
    """The moment and id a page starts after, in a list in the order of moments."""
    found: tuple[datetime, UUID] | None = after_key(page, _moment, UUID)
    return found


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _bad_cursor() -> Invalid:
    return Invalid(
        "after is not a cursor of this list.",
        code="BAD_CURSOR",
        field="after",
        remedy="Use pageInfo.endCursor.",
    )


def connection(
    items: Sequence[T],
    page: Page,
    *,
    key: Callable[[T], Sequence[object]],
    node: Callable[[T], Any],
) -> Connection[Any]:
    """A connection of at most `limit + 1` fetched items; `key` is an item's sort key, `node` its GraphQL type."""
    edges = [Edge(node=node(item), cursor=_cursor(key(item))) for item in items[: page.limit]]
    return Connection(
        edges=edges,
        page_info=PageInfo(
            has_next_page=len(items) > page.limit, end_cursor=edges[-1].cursor if edges else None
        ),
    )


def _cursor(position: Sequence[object]) -> str:
    return urlsafe_b64encode(orjson.dumps(list(position), default=str)).decode()
