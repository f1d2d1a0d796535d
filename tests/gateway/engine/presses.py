"""A press in three subgraphs: shared values, fragments in requirements and in what is provided."""

from __future__ import annotations

from tests.gateway.engine.worlds import Records, Ref, Value, World

RECORDS: Records = {
    "Issue": {
        "i1": {"id": "i1", "title": "One", "layout": Ref("Layout", "l1"), "copies": 10,
               "lead": Ref("Photo", "p1")},
        "i2": {"id": "i2", "title": "Two", "layout": None, "copies": None,
               "lead": Ref("Text", "t1")},
        "i3": {"id": "i3", "title": "Three", "layout": Ref("Layout", "l2"), "copies": 3,
               "lead": None},
    },
    "Layout": {
        "l1": {"columns": 4, "frame": Ref("Frame", "f1"), "inks": ["red", "black"]},
        "l2": {"columns": None, "frame": None, "inks": None},
    },
    "Frame": {"f1": {"width": 7}},
    "Photo": {
        "p1": {"id": "p1", "credit": "Kay", "lens": "wide", "sheets": 2, "indexedAs": "P"},
        "p2": {"id": "p2", "credit": None, "lens": None, "sheets": None, "indexedAs": None},
    },
    "Text": {"t1": {"id": "t1", "credit": "Lee", "words": 300, "sheets": 1, "indexedAs": "T"}},
}  # fmt: skip
ISSUES = [Ref("Issue", "i1"), Ref("Issue", "i2"), Ref("Issue", "i3")]
WORKS = [Ref("Photo", "p1"), Ref("Text", "t1"), Ref("Photo", "p2")]


def _whole(value: Value) -> Value:
    return RECORDS[value.type][value.id] if isinstance(value, Ref) else value


def _summary(issue: Value) -> str:
    lead = _whole(issue["lead"])
    return "no lead" if lead is None else f"{lead['id']} {lead.get('lens')} {lead.get('words')}"


def _area(issue: Value) -> int | None:
    layout = _whole(issue["layout"])
    return layout and layout["columns"] and layout["columns"] * 10


RULES = {
    "Query.issues": lambda _: ISSUES,
    "Query.indexed": lambda _: ISSUES[:2],
    "Query.leads": lambda _: WORKS,
    "Query.works": lambda _: WORKS,
    "Query.cover": lambda _: WORKS[0],
    "Issue.summary": _summary,
    "Issue.area": _area,
}


def press() -> World:
    """A fresh press with nothing down and an empty log."""
    return World("press", RECORDS, RULES, {t: [["id"]] for t in ("Issue", "Photo", "Text")})
