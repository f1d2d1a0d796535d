"""What stops the command: said in one sentence, with the way out."""

from __future__ import annotations


class Trouble(Exception):  # noqa: N818 - an expected end of a command, not a fault
    """The command cannot go on. The text is shown as it is, and the exit code is 1."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what} {remedy}".strip())
