"""The verbs of reporting: tell a group's week, publish it, restate it, remind of it, mark it reviewed."""

from services.reporting.actions.hearing import hear_change
from services.reporting.actions.peers import Peers
from services.reporting.actions.publishing import JOBS, publish_due, remind_due, restate_due
from services.reporting.actions.reports import mark_reviewed, readable_groups, reports
from services.reporting.actions.showing import chart, export

__all__ = [
    "JOBS",
    "Peers",
    "chart",
    "export",
    "hear_change",
    "mark_reviewed",
    "publish_due",
    "readable_groups",
    "remind_due",
    "reports",
    "restate_due",
]
