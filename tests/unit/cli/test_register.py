"""Reading the national register's file: made-up rows of the genuine shape."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from cli.imports import register
from cli.imports.register import Deactivated, Passed, Profile, Row, RowError
from cli.seed.world import check_digit
from cli.trouble import Trouble

NPI, OTHER = check_digit("100000000"), check_digit("100000001")
HEADER = [
    "NPI",
    "Entity Type Code",
    "Provider Last Name (Legal Name)",
    "Provider First Name",
    "Provider Name Suffix Text",
    "Provider Credential Text",
    "Provider Business Practice Location Address Telephone Number",
    "NPI Deactivation Date",
    "NPI Reactivation Date",
    "Provider Sex Code",
    "Healthcare Provider Taxonomy Code_1",
    "Healthcare Provider Primary Taxonomy Switch_1",
    "Healthcare Provider Taxonomy Code_2",
    "Healthcare Provider Primary Taxonomy Switch_2",
]
PERSON = {
    "NPI": NPI,
    "Entity Type Code": "1",
    "Provider Last Name (Legal Name)": "SAMPLEWOOD",
    "Provider First Name": "ADA",
    "Provider Credential Text": "M.D.",
    "Provider Business Practice Location Address Telephone Number": "6125550142",
    "Healthcare Provider Taxonomy Code_1": "207RC0000X",
    "Healthcare Provider Primary Taxonomy Switch_1": "Y",
}
DEACTIVATED = {"NPI": NPI, "NPI Deactivation Date": "04/07/2011"}


def file(*rows: dict[str, str], header: list[str] = HEADER, end: str = "\n") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(
        out, header, quoting=csv.QUOTE_ALL, lineterminator=end, extrasaction="ignore", restval=""
    )
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def read(content: bytes) -> list[Row]:
    return list(register.read(io.BytesIO(content)))


def only(content: bytes) -> Profile | RowError | Passed | Deactivated:
    (row,) = read(content)
    return row.found


def code(**changes: str) -> str:
    found = only(file(PERSON | changes))
    assert isinstance(found, RowError)
    return found.code


def test_an_active_individual_becomes_a_profile() -> None:
    (row,) = read(file(PERSON))

    assert row == Row(
        2, NPI, Profile(NPI, "Ada", "Samplewood", "M.D.", "612-555-0142", ("207RC0000X",))
    )


def test_columns_are_found_by_name_in_any_order() -> None:
    assert only(file(PERSON, header=HEADER[::-1])) == only(file(PERSON))


@pytest.mark.parametrize("name", ["Provider Gender Code", "Provider Sex Code", "Something new"])
def test_a_column_that_was_renamed_or_added_does_not_matter(name: str) -> None:
    header = [name if title == "Provider Sex Code" else title for title in HEADER]

    assert only(file(PERSON, header=header)) == only(file(PERSON))


def test_a_header_that_ends_early_leaves_out_what_it_does_not_name() -> None:
    found = only(file(PERSON, header=HEADER[:9]))

    assert isinstance(found, Profile)
    assert found.specialty_codes == ()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_marks_do_not_matter(end: str, mark: bytes) -> None:
    assert only(mark + file(PERSON, end=end)) == only(file(PERSON))


def test_blank_lines_and_titles_with_odd_spaces_are_read_over() -> None:
    odd = file(PERSON).replace(b"Entity Type Code", b" Entity  Type CODE ").replace(b"\n", b"\n\n")

    assert only(odd) == only(file(PERSON))


def test_a_number_that_went_through_a_spreadsheet_is_understood() -> None:
    phone = "Provider Business Practice Location Address Telephone Number"
    damaged = {"NPI": f"{NPI}.0", "Entity Type Code": "1.0", phone: "6125550142.0"}

    assert only(file(PERSON | damaged)) == only(file(PERSON))


def test_the_primary_specialty_comes_first_and_each_comes_once() -> None:
    found = only(
        file(
            PERSON
            | {
                "Healthcare Provider Primary Taxonomy Switch_1": "N",
                "Healthcare Provider Taxonomy Code_2": "207Q00000X",
                "Healthcare Provider Primary Taxonomy Switch_2": "Y",
            }
        )
    )
    twice = only(file(PERSON | {"Healthcare Provider Taxonomy Code_2": "207RC0000X"}))

    assert isinstance(found, Profile)
    assert found.specialty_codes == ("207Q00000X", "207RC0000X")
    assert isinstance(twice, Profile)
    assert twice.specialty_codes == ("207RC0000X",)


def test_what_is_no_taxonomy_code_is_left_out() -> None:
    found = only(file(PERSON | {"Healthcare Provider Taxonomy Code_1": "HEART"}))

    assert isinstance(found, Profile)
    assert found.specialty_codes == ()


def test_organizations_are_passed_over() -> None:
    assert only(file({"NPI": OTHER, "Entity Type Code": "2"})) is Passed.ORGANIZATION


def test_a_deactivated_row_says_since_when_though_it_has_nothing_else() -> None:
    """R11."""
    assert only(file(DEACTIVATED)) == Deactivated(date(2011, 4, 7), None)
    assert only(file(DEACTIVATED | {"NPI Deactivation Date": "soon"})) == Deactivated(None, None)


def test_a_deactivated_row_names_the_npi_in_its_place_if_it_is_one() -> None:
    """R11."""
    header = [*HEADER, "Replacement NPI"]
    replaced = only(file(DEACTIVATED | {"Replacement NPI": f"{OTHER}.0"}, header=header))
    nonsense = only(file(DEACTIVATED | {"Replacement NPI": "1234567890"}, header=header))

    assert replaced == Deactivated(date(2011, 4, 7), OTHER)
    assert nonsense == Deactivated(date(2011, 4, 7), None)


def test_a_row_with_something_wrong_names_the_column() -> None:
    found = only(file(PERSON | {"Provider First Name": " "}))

    assert isinstance(found, RowError)
    assert found.field == "Provider First Name"


@pytest.mark.parametrize(
    ("ended", "again", "active"),
    [
        ("04/07/2011", "05/07/2011", True),
        ("04/07/2011", "04/07/2011", True),
        ("04/07/2011", "04/06/2011", False),
        ("04/07/2011", "soon", False),
        ("soon", "04/07/2011", True),
    ],
)
def test_a_reactivated_row_is_active(ended: str, again: str, *, active: bool) -> None:
    dates = {"NPI Deactivation Date": ended, "NPI Reactivation Date": again}

    assert isinstance(only(file(PERSON | dates)), Profile) is active


def test_an_npi_must_pass_its_check_digit() -> None:
    assert code(NPI="1234567890") == "NPI_INVALID"
    assert code(NPI="") == "NPI_INVALID"


def test_an_individual_must_have_both_names() -> None:
    assert code(**{"Provider First Name": " "}) == "NAME_MISSING"
    assert code(**{"Provider Last Name (Legal Name)": ""}) == "NAME_MISSING"


def test_a_suffix_belongs_to_the_last_name_and_is_none_by_itself() -> None:
    found = only(file(PERSON | {"Provider Name Suffix Text": "III"}))
    alone = {"Provider Name Suffix Text": "III", "Provider Last Name (Legal Name)": ""}

    assert isinstance(found, Profile)
    assert found.last_name == "Samplewood III"
    assert code(**alone) == "NAME_MISSING"


def test_a_name_whose_letters_were_lost_is_an_error() -> None:
    latin = file(PERSON).replace(b"SAMPLEWOOD", "PEÑA".encode("latin-1"))
    found = only(latin)

    assert isinstance(found, RowError)
    assert found.code == "NAME_DAMAGED"
    assert code(**{"Provider First Name": "A" * 101}) == "NAME_TOO_LONG"


def test_an_unknown_entity_type_is_an_error() -> None:
    assert code(**{"Entity Type Code": "3"}) == "ENTITY_TYPE"
    assert code(**{"Entity Type Code": ""}) == "ENTITY_TYPE"


def test_a_row_with_more_or_fewer_cells_than_the_header_is_an_error_and_the_next_one_is_read() -> (
    None
):
    lines = file(PERSON, PERSON).splitlines(keepends=True)
    short = lines[0] + b'"' + NPI.encode() + b'","1"\n' + lines[2]
    long = lines[0] + lines[1].rstrip() + b',"more"\n' + lines[2]
    harmless = lines[0] + lines[1].rstrip() + b",\n"

    for content in (short, long):
        wrong, right = read(content)
        assert isinstance(wrong.found, RowError)
        assert (wrong.number, wrong.npi, wrong.found.code) == (2, NPI, "CELLS")
        assert isinstance(right.found, Profile)
    assert isinstance(only(harmless), Profile)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no column 'NPI'"),
        (b"name,address\nAda,Here\n", "no column 'NPI'"),
        (b"NPI,Provider Other Organization Name\n", "no column 'Entity Type Code'"),
        (b"\x00\x01\x02\x03\x04\r\x00", "CSV"),
        (file(PERSON) + b'"' + b"x" * 200_000, "CSV"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_a_way_out(content: bytes, words: str) -> None:
    with pytest.raises(Trouble, match=words) as refused:
        read(content)

    assert str(refused.value).endswith(".")


def test_a_file_with_a_header_alone_has_no_rows() -> None:
    assert read(file()) == []


def test_memory_stays_flat_whatever_the_size() -> None:
    body = file(*[PERSON] * 20_000)
    source = io.BytesIO(body)
    tracemalloc.start()

    rows = sum(1 for _ in register.read(source))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert rows == 20_000
    assert most < 200_000


GENUINE = Path(__file__).resolve().parents[4] / "shared/data/nppes"


@pytest.mark.skipif(not GENUINE.exists(), reason="the genuine files are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("npidata_pfile_sample", {"Profile": 733, "Passed": 188, "Deactivated": 79}),
        ("npidata_pfile_v2_as_found", {"Profile": 733, "Passed": 188, "Deactivated": 79}),
        ("npidata_pfile_2018_individuals", {"Profile": 2000}),
        ("npidata_pfile_2018_organizations", {"Passed": 40}),
        (
            "npidata_41col_2016_extract",
            {"Profile": 231, "Passed": 65, "Deactivated": 317, "RowError": 1},
        ),
    ],
)
def test_every_row_of_the_genuine_files_is_accounted_for(name: str, kinds: dict[str, int]) -> None:
    """The figures are those of the files; the people in them are real, so nothing of theirs is told."""
    with (GENUINE / f"{name}.csv").open("rb") as source:
        found = Counter(type(row.found).__name__ for row in register.read(source))

    assert found == kinds
