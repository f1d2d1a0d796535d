"""Small cells are not told, and cannot be computed from what is."""

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain import SMALL_CELL
from services.reporting.domain.suppression import column

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
