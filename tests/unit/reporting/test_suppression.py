"""Small cells are not told, and cannot be computed from what is."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain import SMALL_CELL
from services.reporting.domain.suppression import Column, column, crossed

COUNTS = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), st.integers(0, 30))


@given(COUNTS)
def test_a_small_cell_is_never_told(counts: dict[str, int]) -> None:
    """R31"""
    found = column(counts, all_told=False)

    for key, count in found.cells.items():
        assert count is None or (count == counts[key] and not 0 < count < SMALL_CELL)
    assert found.total is None or found.total == sum(counts.values())
    assert found.total is None or not 0 < found.total < SMALL_CELL


@given(COUNTS)
def test_no_hidden_cell_is_the_sum_less_the_rest(counts: dict[str, int]) -> None:
    """R31"""
    found = column(counts, all_told=False)
    hidden = [key for key, count in found.cells.items() if count is None]

    if found.total is not None and hidden:
        assert len(hidden) > 1
        assert sum(counts[key] for key in hidden) >= SMALL_CELL


@given(COUNTS)
def test_nothing_is_hidden_that_needs_no_hiding(counts: dict[str, int]) -> None:
    """R31"""
    found = column(counts, all_told=False)

    if not any(0 < count < SMALL_CELL for count in counts.values()):
        assert dict(found.cells) == counts
    assert all(found.cells[key] == 0 for key, count in counts.items() if not count)
    assert column(counts, all_told=True).cells == counts


def test_a_lone_small_cell_hides_the_smallest_other_as_well() -> None:
    """R31"""
    found = column({"ELM": 3, "OAK": 40, "ASH": 9, "FIR": 0}, all_told=False)

    assert (found.cells, found.total) == ({"ELM": None, "OAK": 40, "ASH": None, "FIR": 0}, 52)


def test_where_there_is_nothing_to_hide_among_the_sum_is_not_told_either() -> None:
    """R31"""
    found = column({"ELM": 3, "OAK": 0}, all_told=False)

    assert (found.cells, found.total) == ({"ELM": None, "OAK": 0}, None)


# Rows and columns of one table ----------------------------------------------------------------------------------------

TABLES = st.dictionaries(
    st.tuples(st.sampled_from("ABCD"), st.sampled_from("pqrst")),
    st.integers(1, 12).map(lambda n: (n,)),
)


def told(table: Mapping[tuple[str, str], tuple[int, ...]]) -> tuple[Column[str], Column[str]]:
    return crossed(table, "ABCD", "pqrst", all_told=False)


@given(TABLES)
def test_who_knows_who_works_where_computes_no_sum_that_is_withheld(
    table: dict[tuple[str, str], tuple[int, ...]],
) -> None:
    """R31: what is told are sums of cells; one that is withheld is no combination of them."""
    rows, columns = told(table)
    sums = [({cell for cell in table if cell[0] == row}, one) for row, one in rows.cells.items()]
    sums += [
        ({cell for cell in table if cell[1] == key}, one) for key, one in columns.cells.items()
    ]
    sums.append((set(table), rows.total))
    known = [[Fraction(cell in own) for cell in table] for own, one in sums if one is not None]

    for own, one in sums:
        if one is None:
            assert rank([*known, [Fraction(cell in own) for cell in table]]) > rank(known)
        else:
            assert one == sum(table[cell][0] for cell in own)
            assert not 0 < one < SMALL_CELL


def rank(vectors: Iterable[list[Fraction]]) -> int:
    """How many of the vectors are no combination of the others."""
    left, found = [one for one in vectors if any(one)], 0
    while left:
        by, found = left.pop(), found + 1
        place = next(number for number, value in enumerate(by) if value)
        less = (
            [a - b * one[place] / by[place] for a, b in zip(one, by, strict=True)] for one in left
        )
        left = [one for one in less if any(one)]
    return found


@given(TABLES)
def test_a_table_without_small_sums_is_told_as_it_is(
    table: dict[tuple[str, str], tuple[int, ...]],
) -> None:
    """R31"""
    rows, columns = told({cell: (count + SMALL_CELL,) for cell, (count,) in table.items()})

    assert None not in (*rows.cells.values(), *columns.cells.values(), rows.total)


def test_providers_of_one_office_hide_among_themselves() -> None:
    """R31: p and q work at A only, r at B only; that r has 6 is what B has."""
    rows, columns = told({("A", "p"): (2,), ("A", "q"): (7,), ("B", "r"): (6,), ("C", "s"): (9,)})

    assert rows.cells == {"A": 9, "B": 6, "C": 9, "D": 0}
    assert columns.cells == {"p": None, "q": None, "r": 6, "s": 9, "t": 0}


def test_a_part_of_few_is_withheld_on_both_sides() -> None:
    """R31"""
    rows, columns = told({("A", "p"): (2,), ("B", "q"): (6,), ("C", "r"): (9,)})

    assert (rows.cells["A"], rows.cells["B"], rows.cells["C"], rows.total) == (None, None, 9, 17)
    assert (columns.cells["p"], columns.cells["q"], columns.cells["r"]) == (None, None, 9)


def test_what_is_left_of_a_number_is_no_small_cell_either() -> None:
    """R31: of 8 appointments 6 were missed; that 2 were kept is as small a cell."""
    rows, _ = told({("A", "p"): (8, 2), ("B", "q"): (20, 14), ("C", "r"): (30, 30)})
    alone, _ = told({("A", "p"): (8, 2)})

    assert (rows.cells["A"], rows.cells["B"], rows.cells["C"], rows.total) == (None, None, 30, 58)
    assert (alone.cells["A"], alone.total) == (None, None)
