"""Every SQL statement of reporting: rows in, nouns out."""

from services.reporting.store import (
    changes,
    deeds,
    facts,
    hygiene,
    organizations,
    people,
    reports,
    standings,
    tallies,
)

__all__ = [
    "changes",
    "deeds",
    "facts",
    "hygiene",
    "organizations",
    "people",
    "reports",
    "standings",
    "tallies",
]
