"""Every SQL statement of directory: rows in, nouns out."""

from services.directory.store import (
    answering,
    catalogue,
    feed,
    fences,
    groups,
    heard,
    imports,
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
    "feed",
    "fences",
    "groups",
    "heard",
    "imports",
    "offices",
    "placements",
    "providers",
    "receivers",
    "suggestions",
    "tasks",
    "zips",
]
