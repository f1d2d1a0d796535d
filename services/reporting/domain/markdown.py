"""Markdown as HTML that nothing runs in: CommonMark with tables, HTML in it shown as text, and no pictures."""

import re
from functools import cache

from markdown_it import MarkdownIt

_LINK = re.compile(r"(https?://|mailto:|tel:|#)", re.IGNORECASE)
"""How the address of a link may begin; any other link stays text."""


class _Reader(MarkdownIt):
    """The well-kept reader of Markdown, with a list of its own of what may be linked to."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        """Whether an address may become a link: nothing that runs, and nothing relative to wherever the page is shown."""
        return _LINK.match(url) is not None


@cache
def _reader() -> MarkdownIt:
    """CommonMark. `html` off escapes tags; a picture would tell its server who reads."""
    return _Reader("commonmark", {"html": False}).enable("table").disable("image")


def to_html(text: str) -> str:
    """The text as HTML, safe to put into a page as it is (R30)."""
    rendered: str = _reader().render(text)
    return rendered
