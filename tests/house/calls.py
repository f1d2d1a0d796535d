"""Which function of a service may come to which other: read from the source, so rather too many ways than too few."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.house.source import ROOT, Function, files, tree

Place = tuple[str, str]
"""A module and a name in it: a function, Class.method, or anything else that is assigned there."""


@dataclass
class Module:
    """What a module defines, and what its imported names stand for."""

    defined: dict[str, ast.AST] = field(default_factory=dict)
    imported: dict[str, Place] = field(default_factory=dict)


@dataclass(frozen=True)
class Service:
    """A service's modules, and where methods of a name are."""

    modules: dict[str, Module]
    methods: dict[str, list[Place]]

    def node(self, place: Place) -> ast.AST | None:
        """What stands at a place, if it is one of the service's own."""
        module = self.modules.get(place[0])
        return module.defined.get(place[1]) if module else None

    def resolved(self, place: Place) -> Place:
        """Where a name is defined that came there through imports, or stays what it is."""
        seen: set[Place] = set()
        while place not in seen and place[0] in self.modules and self.node(place) is None:
            seen.add(place)
            place = self.modules[place[0]].imported.get(place[1], place)
        return place

    def uses(self, place: Place) -> Iterator[tuple[ast.AST, Place]]:
        """What is named in a function (or a table of functions), and where that is defined."""
        node = self.node(place)
        for each in ast.walk(node) if node else ():
            if isinstance(each, ast.Name):
                yield each, self.resolved((place[0], each.id))
            elif isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name):
                base = self.modules[place[0]].imported.get(each.value.id)
                if base is not None:
                    yield each, self.resolved((f"{base[0]}.{base[1]}", each.attr))
            if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
                yield from ((each.func, one) for one in self.methods.get(each.func.attr, ()))

    def reached(self, start: Place) -> set[Place]:
        """Every place of the service that the start may come to."""
        found, new = {start}, [start]
        while new:
            wanted = {one for _, one in self.uses(new.pop()) if self.node(one) is not None}
            new += sorted(wanted - found)
            found |= wanted
        return found


@cache
def service(name: str) -> Service:
    """The service of that name, read."""
    modules = {_dotted(path): _read(path) for path in files(f"services/{name}")}
    methods: dict[str, list[Place]] = {}
    for dotted, module in modules.items():
        for qualified in module.defined:
            if "." in qualified:
                methods.setdefault(qualified.split(".")[1], []).append((dotted, qualified))
    return Service(modules, methods)


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _read(path: Path) -> Module:
    module = Module()
    for node in tree(path).body:
        if isinstance(node, ast.ClassDef):
            own = [one for one in node.body if isinstance(one, Function)]
            module.defined |= {f"{node.name}.{one.name}": one for one in own}
        elif isinstance(node, Function):
            module.defined[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            module.defined |= {one.id: node for one in targets if isinstance(one, ast.Name)}
    for each in ast.walk(tree(path)):
        if isinstance(each, ast.ImportFrom) and each.module:
            for name in each.names:
                module.imported[name.asname or name.name] = (each.module, name.name)
    return module
