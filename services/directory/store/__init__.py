"""Every SQL statement of directory: rows in, nouns out."""

from services.directory.store import (
    catalogue,
    fences,
    groups,
    heard,
    offices,
    placements,
    providers,
    receivers,
    suggestions,
)

__all__ = [
    "catalogue",
    "fences",
    "groups",
    "heard",
    "offices",
    "placements",
    "providers",
    "receivers",
    "suggestions",
]
