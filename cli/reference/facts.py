"""The page on facts, from the comments of proto/*/v1/events.proto."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass

from cli.folder import ROOT
from cli.reference.table import table
from kit.config import SIBLINGS
from kit.outbox import fact_name

HEAD = """## Facts

CloudEvents 1.0 as JSON on `events.<organization>.<service>.<aggregate>.<verb>`; see [partners.md](partners.md). `sequence` has no
gaps within an organization and a subject. Ids, codes and directory data only: nothing about a patient."""
_LINE = re.compile(r"^(?:// (?P<comment>.*)|message (?P<message>\w+) \{.*)$")
_AGGREGATE = re.compile(r"Aggregate: (\w+)[^.]*\.\s*")


@dataclass(frozen=True)
class Declared:
    """A message of an events file with the comment before it and the aggregate it belongs to; none: it is a part of others."""

    name: str
    aggregate: str | None
    about: str


def declared(service: str) -> list[Declared]:
    """The messages of a service's events file, in their order."""
    text = (ROOT / "proto" / service / "v1" / "events.proto").read_text(encoding="utf-8")
    found: list[Declared] = []
    aggregate: str | None = None
    comments: list[str] = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            comments = []
        elif match["comment"] is not None:
            comments.append(match["comment"])
        else:
            about = " ".join(comments)
            if named := _AGGREGATE.search(about):
                aggregate, about = named[1], _AGGREGATE.sub("", about)
            found.append(Declared(match["message"], aggregate, about))
    return found


def facts_page() -> str:
    """Every fact with its subject, its fields and what it says."""
    parts = [HEAD]
    for service in SIBLINGS:
        module = importlib.import_module(f"proto.{service}.v1.events_pb2")
        rows = []
        for one in declared(service):
            kind = getattr(module, one.name)
            if one.aggregate is not None:
                name = fact_name(kind, one.aggregate)
                told = ", ".join(field.json_name for field in kind.DESCRIPTOR.fields)
                rows.append((one.name, f"`{name.type}`", told, one.about))
        parts += [f"### Told by {service}", table(("fact", "type", "data", "meaning"), rows)]
    return "\n\n".join(parts)
