"""Going on where an import was interrupted: how far it has come is kept in the directory, by the digest of the file."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from cli.imports.report import Tally
from cli.network import Person

_PROGRESS = """query($digest: String!, $kind: String!) {
  importProgress(digest: $digest, kind: $kind) { state keptAt finishedAt } }"""


@dataclass(frozen=True)
class Standing:
    """All rows up to `tally.rows` are done, and the error file holds so many bytes."""

    tally: Tally
    errors: int
    since: str = ""


@dataclass(frozen=True)
class Place:
    """Where the progress of one file is kept, on behalf of whoever imports."""

    by: Person
    digest: str
    kind: str

    async def standing(self) -> Standing:
        """How far the import had come; from the beginning when it is over, or nobody ever began it."""
        answer = await self.by.ask(_PROGRESS, digest=self.digest, kind=self.kind)
        found: dict[str, Any] | None = answer["importProgress"]
        if found is None or found["finishedAt"] is not None:
            return Standing(Tally(), 0)
        state = json.loads(found["state"])
        tally = Tally(state["rows"], Counter(state["counts"]))
        return Standing(tally, state["errors"], found["keptAt"])

    async def keep(self, tally: Tally, errors: int, *, finished: bool = False) -> None:
        """All rows up to here are done."""
        state = {"rows": tally.rows, "counts": dict(tally.counts), "errors": errors}
        given = {"digest": self.digest, "kind": self.kind, "state": json.dumps(state)}
        wanted = "... on ImportProgress { keptAt }"
        await self.by.do("keepImportProgress", given | {"finished": finished}, wanted)
