"""docs/reference.md, written from the code: settings, facts, problem codes and commands. `./suite contracts` keeps it fresh."""

from __future__ import annotations

from pathlib import Path

from cli.reference.facts import facts_page
from cli.reference.problems import problems_page
from cli.reference.settings import commands_page, settings_page

REFERENCE = Path("docs/reference.md")
HEAD = """# Reference

Written from the code by `./suite contracts`; do not edit it here.
"""


def reference() -> str:
    """The whole page."""
    parts = (HEAD, commands_page(), settings_page(), facts_page(), problems_page())
    return "\n".join(part.rstrip() + "\n" for part in parts)
