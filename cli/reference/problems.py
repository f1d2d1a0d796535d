"""The page on problem codes, read from the code that refuses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from cli.folder import ROOT
from cli.reference.table import table
from kit.errors import REFUSALS

HEAD = """## Problem codes

A mutation answers with a `Problem` (code, message, field, remedy); anything else that is refused is a GraphQL error whose
`extensions.reason` is the code. `…` stands for what depends on the case."""
CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
KINDS = {kind.__name__ for kind in REFUSALS}
WHERE = (
    "kit",
    "gateway",
    *(f"services/{path.name}" for path in sorted((ROOT / "services").glob("[a-z]*"))),
)


def problems_page() -> str:
    """Every code with where it comes from and what it says."""
    rows: dict[tuple[str, str], str] = {}
    for folder in WHERE:
        for code, text in _refusals(ROOT / folder):
            known = rows.get((code, folder), "")
            rows[code, folder] = max(known, text, key=len) if known and not text else known or text
    found = [
        (f"`{code}`", folder.split("/")[-1], text) for (code, folder), text in sorted(rows.items())
    ]
    general = [
        (
            f"`{kind.default_code}`",
            f"`{kind.graphql_code}`",
            str(kind.http_status),
            (kind.__doc__ or "").split("\n")[0],
        )
        for kind in REFUSALS
    ]
    return "\n\n".join(
        (
            HEAD,
            table(("kind", "GraphQL error", "HTTP", "meaning"), general),
            table(("code", "told by", "says"), found),
        )
    )


def _refusals(folder: Path) -> Iterator[tuple[str, str]]:
    """Each code that a call below `folder` gives, with the sentence that goes with it."""
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                for code in _codes(node):
                    yield code, _sentence(node)


def _codes(call: ast.Call) -> Iterator[str]:
    for keyword in call.keywords:
        if keyword.arg == "code":
            for node in ast.walk(keyword.value):
                if (
                    isinstance(node, ast.Constant)
                    and isinstance(node.value, str)
                    and CODE.fullmatch(node.value)
                ):
                    yield node.value
    if isinstance(call.func, ast.Name) and call.func.id == "problem_type":
        for argument in call.args:
            if isinstance(argument, ast.Constant):
                yield str(argument.value)


def _sentence(call: ast.Call) -> str:
    """The message of a refusal; empty when the call is not one."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    message = call.args[0] if name in KINDS and call.args else None
    for keyword in call.keywords:
        if keyword.arg == "message":
            message = keyword.value
    if isinstance(message, ast.Constant):
        return str(message.value)
    if isinstance(message, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "…" for part in message.values
        )
    return ""
