"""All tables, by service."""

from __future__ import annotations

from tests.model import directory, identity, insurance, referrals, reporting
from tests.model.words import Table

TABLES: dict[str, Table] = {
    "identity": identity.TABLE,
    "directory": directory.TABLE,
    "insurance": insurance.TABLE,
    "referrals": referrals.TABLE,
    "reporting": reporting.TABLE,
}
