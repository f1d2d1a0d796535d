"""A zoo in three subgraphs: an interface object, entity interfaces, members with unlike fields."""

from __future__ import annotations

from tests.gateway.engine.worlds import Records, Ref, World

CATS = {
    "c1": {"id": "c1", "name": "Mia", "tag": "t1", "lives": 9, "visits": 2,
           "doctor": Ref("Keeper", "w1")},
    "c2": {"id": "c2", "name": "Tom", "tag": "t2", "lives": None, "visits": 0, "doctor": None},
}  # fmt: skip
DOGS = {
    "d1": {"id": "d1", "name": "Rex", "tag": None, "owner": Ref("Keeper", "w2"), "visits": 7,
           "doctor": Ref("Keeper", "w1")},
}  # fmt: skip
RECORDS: Records = {
    "Cat": CATS,
    "Dog": DOGS,
    "Animal": {**CATS, **DOGS},
    "Keeper": {
        "w1": {"badge": "w1", "charges": [Ref("Cat", "c1"), Ref("Dog", "d1")]},
        "w2": {"badge": "w2", "charges": []},
    },
}
ALL = [Ref("Cat", "c1"), Ref("Dog", "d1"), Ref("Cat", "c2")]
RULES = {
    "Query.animals": lambda _: ALL,
    "Query.pets": lambda _: ALL,
    "Query.oldest": lambda _: ALL[1],
    "Query.patients": lambda _: ALL[:2],
    "Query.sickest": lambda _: ALL[1],
    "Query.tagged": lambda _: [Ref("Cat", "c2")],
}
KEYS = {"Animal": [["id"]], "Cat": [["id"]], "Dog": [["id"]], "Keeper": [["badge"]]}


def zoo() -> World:
    """A fresh zoo with nothing down and an empty log."""
    return World("zoo", RECORDS, RULES, KEYS, {"Cat": "Animal", "Dog": "Animal"})
