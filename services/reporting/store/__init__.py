"""Every SQL statement of reporting: rows in, nouns out."""

from services.reporting.store import changes, organizations, reports

__all__ = ["changes", "organizations", "reports"]
