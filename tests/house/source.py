"""The repository's own source, for the checks of the house."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("kit", "services", "gateway", "cli", "tests")
GENERATED = ("_pb2.py", "_pb2_grpc.py")


def files(*rooms: str) -> list[Path]:
    """The Python files below these folders, without generated ones."""
    found = [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]
    return [path for path in found if not path.name.endswith(GENERATED)]


def where(path: Path, node: ast.AST | None = None) -> str:
    """A place as an editor understands it."""
    line = f":{getattr(node, 'lineno', 1)}" if node else ""
    return f"{path.relative_to(ROOT)}{line}"


@cache
def text(path: Path) -> str:
    """A file's text."""
    return path.read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    """A file, parsed."""
    return ast.parse(text(path))


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    """Every function and method of a file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, Function):
            yield node


def strings(node: ast.AST) -> Iterator[ast.Constant]:
    """Every string constant below a node, f-strings' parts included; docstrings left out."""
    docstrings = {
        id(body[0].value)
        for each in ast.walk(node)
        if (body := getattr(each, "body", None)) and isinstance(body, list)
        if isinstance(body[0], ast.Expr)
    }
    for each in ast.walk(node):
        if (
            isinstance(each, ast.Constant)
            and isinstance(each.value, str)
            and id(each) not in docstrings
        ):
            yield each


def is_store(path: Path) -> bool:
    """Whether a file is (part of) a service's store."""
    parts = path.relative_to(ROOT).parts
    return parts[0] == "services" and len(parts) > 2 and parts[2] in {"store", "store.py"}
