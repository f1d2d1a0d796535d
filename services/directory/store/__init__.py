"""Every SQL statement of directory: rows in, nouns out."""

from services.directory.store import (
    answering,
    catalogue,
    fences,
    groups,
    heard,
    offices,
    placements,
    providers,
    receivers,
    suggestions,
    tasks,
    zips,
)

__all__ = [
    "answering",
    "catalogue",
    "fences",
    "groups",
    "heard",
    "offices",
    "placements",
    "providers",
    "receivers",
    "suggestions",
    "tasks",
    "zips",
]
