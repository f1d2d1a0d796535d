"""Every SQL statement of reporting: rows in, nouns out."""

from services.reporting.store import changes, organizations, people, reports, standings, tallies

__all__ = ["changes", "organizations", "people", "reports", "standings", "tallies"]
