"""The facts of reports."""

from datetime import datetime

from google.protobuf.message import Message

from kit.auth import Viewer
from kit.db import Connection
from kit.outbox import record
from services.reporting.domain import PublishedReport


async def tell(
    tx: Connection, report: PublishedReport, fact: Message, at: datetime, by: Viewer
) -> None:
    """Record a fact about a published report."""
    await record(
        tx,
        fact,
        organization_id=report.organization_id,
        aggregate="report",
        aggregate_id=report.id,
        at=at,
        by=by,
    )
