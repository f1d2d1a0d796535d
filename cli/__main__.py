"""The `suite` command: one module for each word, loaded only when that word is said."""

from __future__ import annotations

import difflib
import errno
import importlib
import sys
from typing import NamedTuple

from cli.trouble import Trouble


class Word(NamedTuple):
    """A command: the module whose `app` (a typer app) answers it, and one line about it."""

    module: str
    about: str


WORDS = {
    "up": Word("cli.up", "start everything, and keep it running until Ctrl-C"),
    "test": Word("cli.test", "run the test suite on servers of its own"),
    "check": Word("cli.check", "lint, types, import rules, contracts, compose file and Dockerfile"),
    "contracts": Word("cli.contracts", "export the GraphQL and gRPC contracts, or check them"),
    "demo": Word("cli.demo", "walk the whole journey of a referral, step by step"),
    "seed": Word("cli.seed", "make the demo world in a running system that has none"),
    "import": Word(
        "cli.imports",
        "import providers of the national register; offices, staff, specialties, postal codes",
    ),
    "mail": Word("cli.mail", "read the mail the system sent"),
    "audit": Word("cli.audit", "verify the audit trails against their checkpoints"),
    "bench": Word(
        "cli.bench",
        "measure start, memory, queries, sends, sign-ins, facts, suggestions, imports and reports",
    ),
    "clock": Word("cli.clock", "move the time of a running system"),
    "rebuild": Word("cli.rebuild", "make reporting's tables again of the facts it kept"),
    "migrate": Word("cli.migrate", "bring the databases up to date"),
    "secrets": Word("cli.secrets", "make the secrets docker compose needs"),
}
"""A new word is one line here and one module with an `app`."""


REMEDIES = {
    errno.ENOSPC: "Free some room and try again.",
    errno.EACCES: "Run as its owner, or give --data a folder of your own.",
    errno.EPERM: "Run as its owner, or give --data a folder of your own.",
    errno.EROFS: "Give --data a folder that may be written to.",
}
"""What a person can do about an error of the system, wherever it is met."""


def usage() -> str:
    """What `./suite` says about itself."""
    width = max(map(len, WORDS)) + 2
    lines = "\n".join(f"  {name:<{width}}{word.about}" for name, word in sorted(WORDS.items()))
    return f"Usage: ./suite COMMAND [ARGS]\n\n{lines}\n\n./suite COMMAND --help tells more."


def main(arguments: list[str]) -> None:
    """Run the command the arguments name."""
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(usage())  # noqa: T201 - the answer
        return
    name, *rest = arguments
    if name not in WORDS:
        near = difflib.get_close_matches(name, WORDS, n=1)
        hint = f"Did you mean `{near[0]}`?" if near else "./suite --help lists the commands."
        sys.exit(f"suite: there is no command {name!r}. {hint}")
    try:
        importlib.import_module(WORDS[name].module).app(args=rest, prog_name=f"./suite {name}")
    except Trouble as trouble:
        sys.exit(f"suite: {trouble}")
    except OSError as error:
        if error.errno not in REMEDIES:
            raise
        sys.exit(f"suite: {error.strerror}: {error.filename}. {REMEDIES[error.errno]}")


if __name__ == "__main__":
    main(sys.argv[1:])
