"""The mail identity writes."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from uuid import UUID

import pytest

from services.identity.domain import LetterId, letters
from tests.unit.identity.builders import NOW

ENVELOPE = letters.Envelope(
    LetterId(UUID(int=5)), "Suite <suite@example.org>", 'Ann "Bo" O\\Neil', "ann@example.org", NOW
)
LINK = "https://suite.example/confirm#token=abc&x=<y>"


def read(words: letters.Words) -> EmailMessage:
    message = message_from_bytes(letters.compose(ENVELOPE, words), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    text: str = found.get_content()
    return text


def test_an_invitation_is_one_message_in_two_forms_of_the_same_words() -> None:
    """R03"""
    message = read(
        letters.invitation("Lakeside & Co", LINK, "abcde-fghjk", NOW + timedelta(hours=48))
    )

    assert message.get_content_type() == "multipart/alternative"
    assert message["To"].addresses[0].addr_spec == "ann@example.org"
    assert message["To"].addresses[0].display_name == 'Ann "Bo" O\\Neil'
    assert message["Message-ID"] == "<00000000-0000-0000-0000-000000000005@example.org>"
    for text in (part(message, "plain"), part(message, "html")):
        assert "abcde-fghjk" in text
        assert "04 March 2026, 09:00 UTC" in text
    assert LINK in part(message, "plain")
    assert "token=abc&amp;x=&lt;y&gt;" in part(message, "html")
    assert "Lakeside &amp; Co" in part(message, "html")


def test_a_reset_says_that_the_password_before_is_void() -> None:
    """R05"""
    message = read(letters.reset(LINK, "abcde-fghjk", NOW))

    assert "does not work any more" in part(message, "plain")


def test_a_second_membership_is_told_without_any_secret() -> None:
    """R03"""
    text = part(read(letters.membership("Hillside", "https://suite.example")), "plain")

    assert "Hillside" in text
    assert "password stays the same" in text


def test_a_notice_has_no_link() -> None:
    """R01"""
    assert "href" not in part(
        read(letters.notice("A third client admin", "Ann is now one.")), "html"
    )


@pytest.mark.parametrize(
    "name",
    [
        "Lakeside =?utf-8?q?=0D=0ABcc:_eve@example.org?=",
        "Lakeside =?utf-8?q?=0D=0A=0D=0A<p>Pay_here</p>?=",
        "=?utf-8?b?DQpSZXBseS1UbzogZXZlQGV4YW1wbGUub3Jn?=",
        "=?utf-8?q?Your_bank?=",
    ],
)
def test_an_encoded_word_in_a_name_stays_what_was_typed(name: str) -> None:
    """R03: it forges no header, and hides nothing."""
    envelope = replace(ENVELOPE, to_name=name)
    whole = letters.compose(envelope, letters.membership(name, LINK))
    message = message_from_bytes(whole, policy=default)

    typed = name.replace("=?", "= ?")
    assert message.keys() == [
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
    ]  # fmt: skip
    assert message["Subject"].split() == f"You can now work for {typed}".split()
    assert [one.display_name for one in message["To"].addresses] == [typed]
    assert [one.addr_spec for one in message["To"].addresses] == ["ann@example.org"]
