"""`./suite test` runs every test, each once."""

from __future__ import annotations

from cli.folder import ROOT
from cli.test import HALVES


def test_every_folder_with_tests_is_in_one_of_the_halves() -> None:
    with_tests = {
        f"tests/{path.relative_to(ROOT / 'tests').parts[0]}"
        for path in (ROOT / "tests").rglob("test_*.py")
    }

    named = [folder for half in HALVES for folder in half]

    assert sorted(named) == sorted(with_tests)
