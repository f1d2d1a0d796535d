"""Habits that no other tool can hold us to: where SQL stands, whose rows it reads, and how long things are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.house.source import (
    OURS,
    ROOT,
    Function,
    files,
    functions,
    is_store,
    strings,
    text,
    tree,
    where,
)

FILE_LINES = 400
FUNCTION_LINES = 30
SQL = re.compile(
    r"\s*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+.*\sAS\s*\("
    r"|(CREATE|ALTER|DROP)\s+(TABLE|INDEX|ROLE|DATABASE|TYPE)\s|TRUNCATE\s|LISTEN\s|NOTIFY\s)",
    re.IGNORECASE | re.DOTALL,
)
SQL_ALLOWED = ("kit/", "cli/servers/postgres.py")
"""The kit has tables of its own; the embedded server makes roles and databases."""

EXEMPT = re.compile(r"#\s*any-organization:\s*\S+")


def test_sql_stands_in_the_store_alone() -> None:
    stray = [
        where(path, node)
        for path in files("services", "gateway", "cli")
        if not is_store(path) and not where(path).startswith(SQL_ALLOWED)
        for node in strings(tree(path))
        if SQL.match(str(node.value))
    ]
    assert stray == []


def test_every_read_of_a_store_is_bound_to_an_organization_or_says_why_not() -> None:
    unbound = [
        f"{where(path, function)} {function.name}"
        for path in files("services")
        if is_store(path)
        for function in functions(path)
        if isinstance(function, ast.AsyncFunctionDef)
        and _reads(function)
        and not _bound(path, function)
    ]
    assert unbound == []


READ = re.compile(r"\s*(SELECT|WITH)\s.*\sFROM\s", re.IGNORECASE | re.DOTALL)


def _reads(function: Function) -> bool:
    return any(READ.match(str(node.value)) for node in strings(function))


def _bound(path: Path, function: Function) -> bool:
    lines = text(path).splitlines()
    first = min([function.lineno, *(mark.lineno for mark in function.decorator_list)])
    body = "\n".join(lines[first - 1 : function.end_lineno])
    above: list[str] = []
    for line in reversed(lines[: first - 1]):
        if not line.startswith("#"):
            break
        above.append(line)
    shared = any(name in body for name in _bound_statements(path))
    return "organization_id" in body or shared or bool(EXEMPT.search("\n".join([*above, body])))


def _bound_statements(path: Path) -> list[str]:
    """Names of the file's constants whose SQL speaks of the organization."""
    return [
        target.id
        for node in tree(path).body
        if isinstance(node, ast.Assign) and "organization_id" in ast.unparse(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]


def test_no_file_is_longer_than_400_lines() -> None:
    long = {
        where(path): size for path in files(*OURS) if (size := text(path).count("\n")) > FILE_LINES
    }
    assert long == {}


def test_no_function_is_longer_than_30_lines() -> None:
    long = {
        f"{where(path, function)} {function.name}": size
        for path in files("kit", "services", "gateway", "cli")
        for function in functions(path)
        if (size := _lines(function)) > FUNCTION_LINES
    }
    assert long == {}


def _lines(function: Function) -> int:
    """Lines of a function without its docstring."""
    total = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        total -= (first.end_lineno or 0) - first.lineno + 1
    return total


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        where(path)
        for path in files("kit", "services", "gateway", "cli")
        if tree(path).body and not ast.get_docstring(tree(path))
    ]
    assert silent == []


def test_nothing_names_a_package_registry_or_a_place_on_one_machine() -> None:
    hosts = [
        ".".join(parts)
        for parts in (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs", "org"))
    ]
    suffixes = {".py", ".toml", ".lock", ".json", ".yml", ".md", ".conf", ".sh", ".mjs", ""}
    skipped = {".git", ".venv", ".tools", ".suite", "node_modules"}
    found = [
        where(path)
        for path in sorted(ROOT.rglob("*"))
        if path.is_file()
        and path.suffix in suffixes
        and not skipped & set(path.relative_to(ROOT).parts)
        if any(host in path.read_text(encoding="utf-8", errors="replace") for host in hosts)
    ]
    assert found == []
