"""Specialties, postal codes, offices and staff from tables, on a live system."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.e2e.clinic import Clinic, address
from tests.e2e.test_genuine_sample import offset

OFFICES = """{ offices(first: 100) { edges { node {
    id name state locatedBy coordinates { latitude longitude } warnings { code } } } } }"""
USERS = "{ users(first: 100) { edges { node { email status grants { role office { name } } } } } }"


async def _offices(clinic: Clinic) -> dict[str, dict[str, Any]]:
    nodes = (await clinic.admin.ask(OFFICES))["offices"]["edges"]
    return {edge["node"]["name"]: edge["node"] for edge in nodes}


async def _soon(clinic: Clinic) -> date:
    return (datetime.now(UTC) + await offset(clinic)).date() + timedelta(days=20)


async def test_every_template_is_printed_without_a_system_and_can_be_imported(
    clinic: Clinic, tmp_path: Path
) -> None:
    for kind in ("taxonomy", "zips", "offices", "staff"):
        code, said, _ = await clinic.run("--template", kind=kind)
        file = tmp_path / f"{kind}.csv"
        file.write_text(said)
        by = clinic.support if kind in {"taxonomy", "zips"} else None
        _, counts = await clinic.told(file, by=by, kind=kind)

        assert code == 0
        assert counts["rows"] == 0


async def test_specialties_are_kept_for_the_network_by_support_alone(
    clinic: Clinic, tmp_path: Path
) -> None:
    file = tmp_path / "nucc.csv"
    mark = secrets.token_hex(3).upper()
    file.write_bytes(
        b"Code,Grouping,Classification,Specialization,Definition,Notes,Display Name,Section\r\n"
        + f'17{mark}0X,Other,Caf\xe9 {mark},,"Long, with ""quotes""\nand lines",,Guide {mark},Individual\r\n'
        f"short,Other,Nobody,,,,,\r\n17{mark}0X,Other,Again,,,,,\r\n".encode("cp1252")
    )
    remarks, counts = await clinic.told(file, by=clinic.support, kind="taxonomy")
    _, again = await clinic.told(file, by=clinic.support, kind="taxonomy")
    code, _, complained = await clinic.run(str(file), kind="taxonomy")
    known = (await clinic.admin.ask("{ specialties { code name classification } }"))["specialties"]

    assert counts == {"rows": 3, "kept": 1, "added": 1, "changed": 0, "repeated": 1, "errors": 1}
    assert [(one["row"], one["code"], one["field"]) for one in remarks] == [(3, "BAD_CODE", "code")]
    assert (again["added"], again["changed"]) == (0, 0)
    assert {
        "code": f"17{mark}0X",
        "name": f"Guide {mark}",
        "classification": f"Café {mark}",
    } in known
    assert (code, "kept by support" in complained) == (1, True)


async def test_offices_are_added_once_and_stand_where_they_are_known_to_be(
    clinic: Clinic, tmp_path: Path
) -> None:
    """R16."""
    zips = tmp_path / "gaz.txt"
    zips.write_text("GEOID\tINTPTLAT\tINTPTLONG   \n59001\t45.5\t-109.5\n590\t45.5\n")
    day = await _soon(clinic)
    file = tmp_path / "offices.csv"
    head = "name,line1,city,state,postal_code,latitude,longitude,phone,time_zone,first_day\n"
    file.write_text(
        head
        + f"By code,1 A Road,Absarokee,mt,59001,,,406-555-0101,America/Denver,{day}\n"
        + f"By hand,2 B Road,Absarokee,MT,59001,45.6,-109.6,406-555-0102,America/Denver,{day}\n"
        + f"Nowhere,3 C Road,Absarokee,MT,59999,,,406-555-0103,America/Denver,{day:%m/%d/%Y}\n"
        + f"Bad,4 D Road,Absarokee,MT,59001,,,406-555-0104,Mars/Olympus,{day}\n"
        + "Past,5 E Road,Absarokee,MT,59001,,,406-555-0105,America/Denver,2001-01-01\n"
        + f"by CODE,6 F Road,Absarokee,MT,59001,,,406-555-0106,America/Denver,{day}\n"
        + f"Twin,1 A Road,Absarokee,MT,59001,,,406-555-0107,America/Denver,{day}\n"
    )
    _, places = await clinic.told(zips, by=clinic.support, kind="zips")
    _, tried = await clinic.told(file, "--dry-run", kind="offices")
    none = await _offices(clinic)
    remarks, counts = await clinic.told(file, kind="offices")
    _, again = await clinic.told(file, kind="offices")
    found = await _offices(clinic)

    assert (places["kept"], places["errors"]) == (1, 1)
    assert (tried["added"], none) == (5, {})
    assert counts == {"rows": 7, "added": 3, "known": 1, "errors": 3}
    assert [(one["row"], one["code"], one["field"]) for one in remarks] == [
        (5, "UNKNOWN_TIME_ZONE", "time_zone"),
        (6, "DATE_IN_PAST", "first_day"),
        (8, "DUPLICATE_OFFICE", "another_office"),
    ]
    assert again == {"rows": 7, "added": 0, "known": 4, "errors": 3}
    assert {name: one["locatedBy"] for name, one in found.items()} == {
        "By code": "POSTAL_CODE", "By hand": "GIVEN", "Nowhere": None,
    }  # fmt: skip
    assert [one["code"] for one in found["Nowhere"]["warnings"]] == ["NO_GEOCODE"]


async def test_staff_are_invited_once_with_their_roles(clinic: Clinic, tmp_path: Path) -> None:
    """R03, R26: an insurance manager with offices is one of these only."""
    day, north, south = await _soon(clinic), "Clinic North", "Clinic South"
    rows = "".join(
        f"{name},{place} Road,Moab,UT,84532,38.5,-109.5,435-555-010{place},America/Denver,{day}\n"
        for place, name in enumerate((north, south))
    )
    offices = tmp_path / "offices.csv"
    offices.write_text(f"name,line1,city,state,zip,lat,lon,phone,time_zone,go_live_on\n{rows}")
    await clinic.told(offices, kind="offices")
    ada, ben, gil = address("Ada Staff"), address("Ben Manager"), address("Gil Plans")
    file = tmp_path / "staff.csv"
    file.write_text(
        "name;email;role;offices\n"
        f'Ada Staff;{ada};Office Staff;"{north}; {south}"\n'
        f"Ben Manager;{ben};insurance manager;\n"
        f"Gil Plans;{gil};insurance manager;{south}\n"
        f"Ada Staff;{ada.upper()};office admin;{north}\n"
        f"Cleo;{address('Cleo')};boss;\n"
        f"Dan;{address('Dan')};office staff;Clinic West\n"
        f"Eva;{address('Eva')};office staff;\n"
        "Finn;no address;client admin;\n"
    )
    _, tried = await clinic.told(file, "--dry-run", kind="staff")
    remarks, counts = await clinic.told(file, kind="staff")
    _, again = await clinic.told(file, kind="staff")
    nodes = (await clinic.admin.ask(USERS))["users"]["edges"]
    grants = {
        edge["node"]["email"]: {
            (one["role"], one["office"]["name"] if one["office"] else None)
            for one in edge["node"]["grants"]
        }
        for edge in nodes
    }

    assert (tried["invited"], tried["roles_added"], tried["errors"]) == (4, 1, 3)
    assert counts == {"rows": 8, "invited": 3, "roles_added": 1, "known": 0, "errors": 4}
    assert [(one["row"], one["code"], one["field"]) for one in remarks][:3] == [
        (6, "UNKNOWN_ROLE", "role"),
        (7, "UNKNOWN_OFFICE", "offices"),
        (8, "OFFICE_NEEDED", "offices"),
    ]
    assert (remarks[3]["row"], remarks[3]["field"]) == (9, "email")
    assert again == {"rows": 8, "invited": 0, "roles_added": 0, "known": 4, "errors": 4}
    assert grants[ada] == {
        ("OFFICE_STAFF", north), ("OFFICE_STAFF", south), ("OFFICE_ADMIN", north),
    }  # fmt: skip
    assert grants[ben] == {("INSURANCE_MANAGER", None)}
    assert grants[gil] == {("INSURANCE_MANAGER", south)}
