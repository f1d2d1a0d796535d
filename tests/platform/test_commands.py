"""The small commands: what they read, and what they refuse."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import smtplib
import subprocess
import sys
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from cli.__main__ import WORDS
from cli.clock import span
from cli.folder import DEFAULT, DataFolder
from cli.mail import letters
from cli.secrets import compose_secrets
from cli.servers.mailbox import start_mailbox
from cli.servers.process import free_port
from cli.trouble import Trouble
from cli.up import read_mail

ROOT = Path(__file__).parents[2]


def suite(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("word", sorted(WORDS))
def test_every_command_has_help(word: str) -> None:
    shown = suite(word, "--help")

    assert shown.returncode == 0
    assert f"./suite {word}" in shown.stdout


def test_a_mistyped_command_is_answered_with_the_nearest() -> None:
    answer = suite("chekc")

    assert answer.returncode == 1
    assert answer.stderr == "suite: there is no command 'chekc'. Did you mean `check`?\n"


def test_a_command_that_needs_a_running_system_says_so(tmp_path: Path) -> None:
    answer = suite("clock", "+8d", "--data", str(tmp_path))

    assert answer.returncode == 1
    remedy = "Start one with ./suite up, or say with --data where it runs."
    assert answer.stderr == f"suite: No system runs on {tmp_path}. {remedy}\n"


def test_mail_of_a_folder_that_is_not_there_is_not_called_none(tmp_path: Path) -> None:
    answer = suite("mail", "--data", str(tmp_path / "mistyped"))

    assert answer.returncode == 1
    assert answer.stderr.startswith(f"suite: There is no data folder {tmp_path / 'mistyped'}.")
    assert suite("mail", "--data", str(tmp_path)).stdout == "no mail\n"


def test_secrets_are_refused_a_place_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        answer = suite("secrets", str(place))
        assert answer.returncode == 1
        assert answer.stderr.startswith("suite: No folder can be made at")


@pytest.mark.parametrize(
    ("folder", "how"),
    [(DEFAULT, "./suite mail"), (Path("/a b/c"), "./suite mail --data '/a b/c'")],
)
def test_the_panel_says_how_mail_is_read_in_that_very_folder(folder: Path, how: str) -> None:
    assert read_mail(DataFolder(folder)) == how


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("+8d", timedelta(days=8)),
        ("36h", timedelta(hours=36)),
        ("+1d12h30m5s", timedelta(days=1, hours=12, minutes=30, seconds=5)),
    ],
)
def test_a_span_of_time_is_read_as_people_write_it(text: str, means: timedelta) -> None:
    assert span(text) == means


@pytest.mark.parametrize("text", ["", "+", "8", "-8d", "8 days", "+8d!", "9999999d"])
def test_anything_else_is_no_span_of_time(text: str) -> None:
    with pytest.raises(Trouble, match="is no span of time"):
        span(text)


def a_letter(to: str, subject: str, text: str) -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "suite@example.org", to, subject
    letter.set_content(text)
    return letter


def deliver(port: int, *mail: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", port) as server:
        for letter in mail:
            server.send_message(letter)


async def test_mail_is_kept_in_order_and_found_by_its_address(tmp_path: Path) -> None:
    port = free_port()
    server = await start_mailbox(tmp_path / "mail", port)
    ana = a_letter("ana@example.org", "Welcome, Ána", "Open the link: https://example.org/?a=1&b=2")
    await asyncio.to_thread(deliver, port, ana, a_letter("bo@example.org", "Hello", "Bo"))
    server.close()

    assert [letter.subject for letter in letters(tmp_path / "mail")] == ["Welcome, Ána", "Hello"]
    (mine,) = letters(tmp_path / "mail", "ANA@example.org")
    assert (mine.number, mine.text) == (1, "Open the link: https://example.org/?a=1&b=2")
    shown = suite("mail", "--json", "--to", "bo@example.org", "--data", str(tmp_path))
    assert [json.loads(line)["number"] for line in shown.stdout.splitlines()] == [2]
    assert "Welcome" in suite("mail", "show", "1", "--data", str(tmp_path)).stdout


def test_secrets_for_compose_are_those_its_file_reads_and_stay_the_same(tmp_path: Path) -> None:
    compose = (ROOT / "docker-compose.yml").read_text().partition("\nsecrets:\n")[2]
    declared = {line.split(":")[0].strip() for line in compose.splitlines() if "file:" in line}

    made = compose_secrets(tmp_path)

    assert set(made) == declared
    assert compose_secrets(tmp_path) == made


def test_the_contracts_are_fresh_which_is_told_without_node(tmp_path: Path) -> None:
    for program in ("dirname", "realpath"):
        (tmp_path / program).symlink_to(str(shutil.which(program)))

    answer = suite("contracts", "--check", PATH=str(tmp_path))

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_supergraph_was_composed_from_what_is_committed() -> None:
    for line in (ROOT / "gateway/supergraph.sha256").read_text().splitlines():
        digest, path = line.split()
        assert hashlib.sha256((ROOT / path).read_bytes()).hexdigest() == digest, path
