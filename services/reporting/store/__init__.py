"""Every SQL statement of reporting: rows in, nouns out."""

from services.reporting.store import (
    changes,
    deeds,
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
    "hygiene",
    "organizations",
    "people",
    "reports",
    "standings",
    "tallies",
]
