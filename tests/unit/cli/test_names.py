"""Names out of capitals."""

from __future__ import annotations

import pytest

from cli.imports.names import person_name


@pytest.mark.parametrize(
    ("register", "people"),
    [
        ("LINDHOLM", "Lindholm"),
        ("SMITH-JONES", "Smith-Jones"),
        ("O'BRIEN", "O'Brien"),
        ("O\N{RIGHT SINGLE QUOTATION MARK}BRIEN", "O\N{RIGHT SINGLE QUOTATION MARK}Brien"),
        ("ROB'S", "Rob's"),
        ("MCDONALD", "McDonald"),
        ("MACHADO", "Machado"),
        ("DE LA CRUZ", "De La Cruz"),
        ("ST. JOHN", "St. John"),
        ("SAMPLEWOOD III", "Samplewood III"),
        ("VI", "Vi"),
        ("SAMPLEWOOD JR.", "Samplewood Jr."),
        ("J.R.", "J.R."),
        ("PEÑA", "Peña"),
        ("  ADA   MARIE ", "Ada Marie"),
        ("van der Berg", "van der Berg"),
        ("", ""),
    ],
)
def test_a_name_in_capitals_gets_small_letters(register: str, people: str) -> None:
    assert person_name(register) == people
