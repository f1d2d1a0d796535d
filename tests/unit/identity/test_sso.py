"""Addresses, domains and JSON of sign-in services; and which machines are asked at all."""

import pytest

from kit.errors import Invalid
from services.identity.actions.web import AwayError, Web, public
from services.identity.domain.sso import (
    NotBelievedError,
    domain_of,
    issuer,
    mail_domain,
    read_json,
    sound_url,
)


@pytest.mark.parametrize(
    "text",
    [
        "http://login.example.org",
        "https://",
        "login.example.org",
        "https://user@login.example.org",
        "https://user:secret@login.example.org",
        "https://login.example.org/#x",
        "https://login.example.org/?x=1",
        "https://login.example.org:99999",
        "https://login.example.org:0",
        "https://login example.org",
        "https://login.example.org/\r\nx",
        "https://l\N{CYRILLIC SMALL LETTER O}gin.example.org",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://[::1",
        "https://" + "a" * 3000,
        "",
    ],
)
def test_what_is_no_address_of_a_sign_in_service_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        issuer(text, plain=False)
    assert refused.value.code == "BAD_ISSUER"


def test_http_is_good_in_development_only() -> None:
    assert issuer(" http://127.0.0.1:9000/realm ", plain=True) == "http://127.0.0.1:9000/realm"
    assert issuer("https://login.example.org/realm/", plain=False).endswith("/realm/")
    assert not sound_url("http://login.example.org", plain=False)


@pytest.mark.parametrize(
    "text",
    ["", "org", "a..org", "-a.org", "a b.org", "x@example.org", "a" * 64 + ".org", "*.example.org"],
)
def test_what_is_no_domain_of_mail_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        mail_domain(text)


def test_a_domain_has_one_spelling() -> None:
    assert mail_domain(" Example.ORG. ") == "example.org"
    assert domain_of("a@b@Example.ORG") == "example.org"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"7", b"{", b'{"a":1,"a":2}', b'{"b":{"a":1,"a":1}}', b"\xff{}", b"[" * 100_000],
)
def test_json_that_two_readers_could_read_differently_is_not_read(body: bytes) -> None:
    with pytest.raises(NotBelievedError):
        read_json(body)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104 - not bound to
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "2002:0a00:0001::1",
        "2001:0:53aa:64c:0:0:f5ff:fffe",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
    ],
)
def test_an_address_that_is_not_of_the_public_network_is_not_asked(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1"]
)
def test_an_address_of_the_public_network_is(address: str) -> None:
    assert public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://[::1]/x",
        "https://0/x",
        "https://0x7f000001/x",
        "https://2130706433/x",
    ],
)
async def test_in_production_no_address_of_ours_is_asked_however_it_is_written(url: str) -> None:
    with pytest.raises((NotBelievedError, AwayError)) as refused:
        await Web(plain=False).get(url)
    assert str(refused.value) in {"not a public address", "gaierror"}


@pytest.mark.parametrize("url", ["http://1.1.1.1/x", "ftp://1.1.1.1/x", "https://user@1.1.1.1/x"])
async def test_in_production_nothing_is_asked_without_tls(url: str) -> None:
    with pytest.raises(NotBelievedError):
        await Web(plain=False).get(url)
