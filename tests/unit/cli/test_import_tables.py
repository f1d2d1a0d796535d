"""Tables that people made: whatever program saved them, each row is read or told."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.imports import offices, shared, staff
from cli.imports.tables import Column, Record, Table
from cli.trouble import Trouble

TABLE = Table(
    "sample", (Column("name", needed=True), Column("city", also=("town",)), Column("note"))
)
CELL = st.text(st.characters(exclude_characters="\0\r\n", codec="utf-8"), max_size=20)


def read(content: bytes, table: Table = TABLE) -> list[Record]:
    return list(table.read(io.BytesIO(content)))


def cells(content: bytes) -> list[dict[str, str]]:
    return [dict(one.cells) for one in read(content)]


@given(
    st.lists(st.tuples(CELL, CELL), max_size=6),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.booleans(),
)
def test_what_was_written_is_read_however_it_was_saved(
    rows: list[tuple[str, str]],
    end: str,
    apart: str,
    quoting: int,
    mark: bool,  # noqa: FBT001 - hypothesis
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=apart, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(["name", "city"])
    writer.writerows(rows)
    content = (b"\xef\xbb\xbf" if mark else b"") + out.getvalue().encode()
    wanted = [
        {"name": name.strip(), "city": city.strip()}
        for name, city in rows
        if (name.strip() or city.strip()) and not name.lstrip().startswith("#")
    ]

    assert cells(content) == wanted


@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_one_sentence_of_trouble(some: bytes) -> None:
    try:
        rows = read(b"name,city\n" + some)
    except Trouble as trouble:
        assert str(trouble)  # noqa: PT017 - either is right
    else:
        assert all(set(one.cells) == {"name", "city"} for one in rows)


def test_what_a_spreadsheet_saved_in_its_own_encoding_is_read() -> None:
    content = "name,city\nJosé Peña,Cañon City\n"

    assert cells(content.encode("cp1252")) == cells(content.encode())


def test_cells_with_line_breaks_and_quotes_are_one_cell() -> None:
    assert cells(b'name,city\n"Ada ""A"" Sample\nof Boston",Boston\n') == [
        {"name": 'Ada "A" Sample\nof Boston', "city": "Boston"}
    ]


def test_blank_lines_comments_and_odd_titles_are_read_over() -> None:
    content = b"# a note\n\n  NAME , Town\n,,\nAda,Boston\n# not this,one\n"

    assert cells(content) == [{"name": "Ada", "city": "Boston"}]


def test_rows_are_counted_as_spreadsheets_do() -> None:
    assert [one.number for one in read(b"# note\nname\nAda\n\nBen\n")] == [3, 5]


def test_a_row_that_is_too_short_is_told_and_the_next_one_is_read() -> None:
    first, second = read(b"name,city\nAda\nBen,Boston\n")

    assert first.problem == "The row has 1 cells, the header at least 2."
    assert (second.cells["name"], second.problem) == ("Ben", "")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"city\nBoston\n", "no column 'name'"),
        (b"name,city,Name\nAda,Boston,Ben\n", "'name' twice"),
        (b"# nothing\n", "nothing but comments"),
        (b'name\n"' + b"x" * 200_000, "no table from line"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_a_way_out(content: bytes, words: str) -> None:
    with pytest.raises(Trouble, match=words) as refused:
        read(content)

    assert str(refused.value).endswith(".")


def test_a_column_that_nobody_reads_may_be_there_twice() -> None:
    assert cells(b"x,name,x\n1,Ada,2\n") == [{"name": "Ada"}]


@pytest.mark.parametrize("table", [offices.TABLE, staff.TABLE, shared.TAXONOMY, shared.ZIPS])
def test_a_template_can_be_read_and_holds_no_row_but_its_sample(table: Table) -> None:
    template = table.template()
    (sample,) = read(template.replace("\n# ", "\n").split("passed over.\n")[1].encode(), table)

    assert read(template.encode(), table) == []
    assert all(column.name in template for column in table.columns)
    assert {name: sample.cells[name] for name in sample.cells} == {
        column.name: column.sample for column in table.columns
    }


def test_the_census_s_gazetteer_is_read_as_it_comes() -> None:
    content = (
        b"GEOID\tALAND\tAWATER\tALAND_SQMI\tAWATER_SQMI\tINTPTLAT\tINTPTLONG               \n"
        b"00601\t166836392\t798613\t64.416\t0.308\t18.180555\t-66.749961\n"
    )
    piped = content.replace(b"\t", b"|")

    for one in (content, piped):
        (row,) = read(one, shared.ZIPS)
        assert dict(row.cells) == {
            "postal_code": "00601",
            "latitude": "18.180555",
            "longitude": "-66.749961",
        }
