"""The page of the rules is true: each rule is there, and the tests it names exist and say that they prove it."""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.house.source import ROOT, Function, files, functions, text, tree, where
from tests.house.test_docs import facts

PAGE = ROOT / "docs" / "rules.md"
RULES = [*(f"R{number:02}" for number in range(1, 35)), "R-S1"]
EVERYWHERE = [f"C{number:02}" for number in range(1, 16)]
"""What holds for all rules alike. Its tests are about a mechanism, so their docstrings need not name it."""

_RULE = re.compile(r"(?<![\w-])R(?:\d\d|-S\d)(?![\w-])")
_HEADING = re.compile(r"^### (\S+) .+\n", re.MULTILINE)
_PROOF = re.compile(r"^- `(tests/[\w/]+\.py)::(test_\w+)`$", re.MULTILINE)
_MISSING = "Not built yet: "


@dataclass(frozen=True, slots=True)
class Entry:
    """What the page says of a rule, and the tests it names."""

    rule: str
    body: str

    @property
    def proofs(self) -> list[tuple[Path, str]]:
        """The named tests: file and function."""
        return [(ROOT / path, name) for path, name in _PROOF.findall(self.body)]

    @property
    def is_missing(self) -> bool:
        """Whether nothing of the rule is built."""
        return self.body.strip().startswith(_MISSING)

    def words(self, label: str) -> set[str]:
        """What stands in backquotes after "Codes:" or "Facts:"."""
        said = re.search(rf"(?<!\w){label}:\s((?:`\w+`[,\s]*)+)\.", self.body)
        return set(re.findall(r"`(\w+)`", said.group(1))) if said else set()


@cache
def entries() -> list[Entry]:
    """Every rule of the page, in its order."""
    parts = _HEADING.split(text(PAGE))[1:]
    return [
        Entry(rule, body.split("\n## ")[0])
        for rule, body in zip(parts[::2], parts[1::2], strict=True)
    ]


@cache
def named_in(path: Path) -> dict[str, Function]:
    """The tests of a file, by name; none of a file that is not there."""
    found = functions(path) if path.is_file() else ()
    return {one.name: one for one in found if one.name.startswith("test_")}


def test_every_rule_is_on_the_page_once() -> None:
    assert Counter(entry.rule for entry in entries()) == Counter([*RULES, *EVERYWHERE])


def test_every_test_that_the_page_names_exists() -> None:
    assert [
        f"{entry.rule}: {path.relative_to(ROOT)}::{name}"
        for entry in entries()
        for path, name in entry.proofs
        if name not in named_in(path)
    ] == []


def test_every_test_that_the_page_names_says_that_it_proves_the_rule() -> None:
    assert [
        f"{entry.rule}: {where(path, found)} {name}"
        for entry in entries()
        if entry.rule in RULES
        for path, name in entry.proofs
        if (found := named_in(path).get(name))
        if entry.rule not in _RULE.findall(ast.get_docstring(found) or "")
    ] == []


def test_every_rule_that_is_built_has_a_proof_and_no_other_has_one() -> None:
    assert [one.rule for one in entries() if one.is_missing == bool(one.proofs)] == []


def test_every_line_of_a_proof_is_understood() -> None:
    listed = [line for line in text(PAGE).splitlines() if line.startswith("- ")]

    assert [line for line in listed if not _PROOF.fullmatch(line)] == []


def test_no_rule_names_a_test_twice() -> None:
    assert [one.rule for one in entries() if len(set(one.proofs)) != len(one.proofs)] == []


def test_every_code_and_fact_of_the_page_is_one() -> None:
    known = text(ROOT / "docs" / "reference.md") + text(ROOT / "docs" / "referrals.md")
    codes = set().union(*(one.words("Codes") for one in entries()))
    assert sorted(code for code in codes if not re.search(rf"\b{code}\b", known)) == []
    assert sorted(set().union(*(one.words("Facts") for one in entries())) - facts()) == []


def test_every_rule_that_a_test_names_is_on_the_page() -> None:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    assert [
        f"{where(path)}: {rule}"
        for path in files("tests")
        for node in ast.walk(tree(path))
        if isinstance(node, kinds)
        for rule in _RULE.findall(ast.get_docstring(node) or "")
        if rule not in RULES
    ] == []
