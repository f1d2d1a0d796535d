"""The evidence of a campaign as CSV."""

import csv
import io
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.insurance import domain
from services.insurance.domain import ItemState, Line, Source

ID = UUID(int=7)
LINE = Line(
    ID, ID, ID, ItemState.ATTESTED, datetime(2028, 1, 3, 9, tzinfo=UTC), ID, ID, "Acme", "Gold, PPO",
    date(2027, 1, 1), None, Source.PAYER, date(2028, 1, 3), ID,
)  # fmt: skip


def line(payer: str) -> Line:
    return Line(
        ID, ID, ID, ItemState.ATTESTED, None, None, None, payer, None, None, None, None, None, None
    )


def test_a_line_says_who_said_of_which_row_and_when_that_it_is_true() -> None:
    """R29"""
    head, told = csv.reader(io.StringIO(domain.as_csv([LINE], head=True)))
    assert head[0] == "item_id"
    assert dict(zip(head, told, strict=True)) == {
        "item_id": str(ID), "provider_id": str(ID), "office_id": str(ID), "state": "ATTESTED",
        "settled_at": "2028-01-03T09:00:00+00:00", "settled_by": str(ID), "participation_id": str(ID),
        "payer": "Acme", "plan": "Gold, PPO", "effective_from": "2027-01-01", "effective_until": "",
        "source": "PAYER", "verified_on": "2028-01-03", "verified_by": str(ID),
    }  # fmt: skip


def test_only_the_first_page_begins_with_the_names_of_the_columns() -> None:
    """R29"""
    assert domain.as_csv([LINE], head=False).count("\r\n") == 1
    assert domain.as_csv([], head=False) == ""


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"])
def test_no_cell_begins_a_formula(name: str) -> None:
    """R29, R31: whoever names a payer does not compute in somebody's spreadsheet."""
    (told,) = csv.reader(io.StringIO(domain.as_csv([line(name)], head=False)))
    assert told[7] == f"'{name}"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_every_name_comes_back_whole_but_for_the_guard_before_it(name: str) -> None:
    """R29"""
    text = domain.as_csv([line(name)], head=False)
    (told,) = csv.reader(io.StringIO(text, newline=""))
    assert told[7] in (name, f"'{name}")
    assert not told[7].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
