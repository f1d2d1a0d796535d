"""A shop in seven subgraphs: keys and key chains, requirements, provided fields, abstract types."""

from __future__ import annotations

from graphql import GraphQLError

from tests.gateway.engine.worlds import Records, Ref, Value, World

RECORDS: Records = {
    "User": {
        "u1": {"id": "u1", "name": "Ada", "nick": "ace", "city": Ref("City", "bern"), "role": "ADMIN",
               "secret": "x", "friends": [Ref("User", "u2"), Ref("User", "u3")],
               "reviews": [Ref("Review", "r1"), Ref("Review", "r3")]},
        "u2": {"id": "u2", "name": "Bob", "nick": None, "city": None, "role": "STAFF",
               "secret": "y", "friends": [Ref("User", "u1")], "reviews": [Ref("Review", "r2")]},
        "u3": {"id": "u3", "name": "Cyd", "nick": "cy", "city": Ref("City", "oslo"), "role": "STAFF",
               "secret": "z", "friends": [], "reviews": []},
    },
    "City": {
        "bern": {"name": "Bern", "zip": "3000"},
        "oslo": {"name": "Oslo", "zip": None},
    },
    "Bot": {
        "b1": {"id": "b1", "owner": Ref("User", "u1")},
        "b2": {"id": "b2", "owner": None},
    },
    "Book": {
        "k1": {"id": "k1", "title": "Maps", "maker": Ref("Maker", "m1"), "pages": 90, "weight": 200,
               "size": Ref("Size", "s1"), "reviews": [Ref("Review", "r1"), Ref("Review", "r2")],
               "cells": [[1, 2], [3]]},
        "k2": {"id": "k2", "title": "Tides", "maker": Ref("Maker", "m2"), "pages": None, "weight": 500,
               "size": None, "reviews": [], "cells": []},
        "k3": {"id": "k3", "title": "Dunes", "maker": None, "pages": 700, "weight": None,
               "size": Ref("Size", "s2"), "reviews": [Ref("Review", "r3")], "cells": [[]]},
    },
    "Film": {
        "f1": {"id": "f1", "title": "Rain", "maker": Ref("Maker", "m1"), "minutes": 92,
               "reviews": [Ref("Review", "r4")]},
        "f2": {"id": "f2", "title": "Snow", "maker": Ref("Maker", "m3"), "minutes": 15, "reviews": []},
    },
    "Size": {"s1": {"width": 10, "height": 20}, "s2": {"width": 30, "height": None}},
    "Country": {"ch": {"iso": "CH"}, "no": {"iso": "NO"}},
    "Maker": {
        "m1": {"code": "one", "country": Ref("Country", "ch"), "register": "R1", "label": "One",
               "since": 1990, "capital": 5},
        "m2": {"code": "one", "country": Ref("Country", "no"), "register": "R2", "label": None,
               "since": None, "capital": 7},
        "m3": {"code": "three", "country": Ref("Country", "no"), "register": "R3", "label": "Three",
               "since": 2020, "capital": 9},
    },
    "Review": {
        "r1": {"id": "r1", "body": "Good", "stars": 4, "author": Ref("User", "u1"), "item": Ref("Book", "k1")},
        "r2": {"id": "r2", "body": "Bad", "stars": 1, "author": Ref("User", "u2"), "item": Ref("Book", "k1")},
        "r3": {"id": "r3", "body": "Long", "stars": None, "author": Ref("User", "u1"), "item": Ref("Book", "k3")},
        "r4": {"id": "r4", "body": "Wet", "stars": 5, "author": None, "item": Ref("Film", "f1")},
    },
    "NotFoundProblem": {"item": {"message": "No such item."}},
    "EmptyProblem": {"body": {"message": "Say something.", "field": "body"}},
    "Stats": {"all": {"users": 3, "items": 5, "reviews": 4}},
}  # fmt: skip
KEYS = {
    "User": [["id"]],
    "Book": [["id"]],
    "Film": [["id"]],
    "Review": [["id"]],
    "Maker": [["code", "country"], ["register"]],
}
PRICES = {"EUR": {"k1": 10, "k2": 20, "k3": None}, "USD": {"k1": 12, "k2": 24, "k3": None}}


def _refs(*types: str) -> list[Ref]:
    return [Ref(type_, id_) for type_ in types for id_ in RECORDS[type_]]


def _find(id_: str, *types: str) -> Ref | None:
    return next((ref for ref in _refs(*types) if ref.id == id_), None)


def _price(item: Value, currency: str) -> int | None:
    return PRICES[currency].get(item.record["id"], 7)


def _postage(book: Value, *, express: bool) -> int | None:
    size = book["size"]
    if book["weight"] is None or size is None:
        return None
    held = size if isinstance(size, dict) else RECORDS["Size"][size.id]
    return int(book["weight"] + held["width"] + (held["height"] or 0)) * (2 if express else 1)


def _greeting(user: Value) -> str:
    city = user["city"]
    held = RECORDS["City"][city.id] if isinstance(city, Ref) else city
    return f"{user['name']} of {held['name'] if held else 'nowhere'}"


def _duty(book: Value) -> int | None:
    postage = book["postage"] if book.external else _postage(book, express=False)
    return None if postage is None else postage // 10


def _total(book: Value) -> int | None:
    duty = book["duty"] if book.external else _duty(book)
    return None if duty is None else duty + 1


def _insurance(book: Value) -> int | None:
    price = book["price"] if book.external else _price(book, "USD")
    return None if price is None else price * 100


def _add_review(_: Value, item: str, body: str) -> Ref:
    if not body:
        return Ref("EmptyProblem", "body")
    found = _find(item, "Book", "Film")
    if found is None:
        return Ref("NotFoundProblem", "item")
    return next(r for r in _refs("Review") if RECORDS["Review"][r.id]["item"] == found)


def _rename(_: Value, id: str, name: str) -> Ref | None:
    if name == "":
        message = "A name is needed."
        raise GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})
    return _find(id, "User")


RULES = {
    "Query.me": lambda _: Ref("User", "u1"),
    "Query.user": lambda _, id: _find(id, "User"),
    "Query.users": lambda _: _refs("User"),
    "Query.actors": lambda _: _refs("User", "Bot"),
    "Query.node": lambda _, id: _find(id, "User", "Bot"),
    "Query.stats": lambda _: Ref("Stats", "all"),
    "Query.items": lambda _: _refs("Book", "Film"),
    "Query.books": lambda _: _refs("Book"),
    "Query.search": lambda _, text: [
        ref
        for ref in _refs("Book", "Film", "Maker")
        if text in str(RECORDS[ref.type][ref.id].get("title", "Maker"))
    ],
    "Query.makers": lambda _: _refs("Maker"),
    "Query.registered": lambda _, since=None: [
        ref for ref in _refs("Maker") if (RECORDS["Maker"][ref.id]["since"] or 0) >= (since or 0)
    ],
    "Query.latest": lambda _, count=3: _refs("Review")[: count or 0],
    "Query.cheapest": lambda _: Ref("Book", "k1"),
    "Query.customsOpen": lambda _: True,
    "Mutation.renameUser": _rename,
    "Mutation.addReview": _add_review,
    "Book.price": _price,
    "Film.price": _price,
    "Book.grid": lambda book: [
        [{"__typename": "Cell", "value": value, "book": None} for value in row]
        for row in book.record["cells"]
    ],
    "Book.postage": lambda book, express: _postage(book, express=express),
    "Book.duty": _duty,
    "Book.total": _total,
    "Book.insurance": _insurance,
    "User.greeting": _greeting,
}


def shop() -> World:
    """A fresh shop with nothing down and an empty log."""
    return World("shop", RECORDS, RULES, KEYS)
