"""Where objects are kept is said in settings, and nothing else in the environment has a word in it."""

from __future__ import annotations

import pytest

from kit.config import SettingsError, load
from kit.objects import Objects, ObjectSettings
from services.referrals.app import Settings
from tests.support.object_store import SmallStore, small_store
from tests.unit.kit.test_config import GOOD

HERE = GOOD | {
    "DATABASE_URL_REFERRALS": GOOD["DATABASE_URL_IDENTITY"],
    "DIRECTORY_RPC": "127.0.0.1:1",
    "INSURANCE_RPC": "127.0.0.1:1",
    "IDENTITY_RPC": "127.0.0.1:1",
    "PATIENT_KEY": "7e" * 32,
}


def complaints(**given: str) -> list[str]:
    """What is said of settings of referrals."""
    with pytest.raises(SettingsError) as error:
        load(Settings, "referrals", HERE | given)
    assert "canary" not in str(error.value)
    return error.value.problems


def test_files_lie_in_the_database_unless_somebody_says_otherwise() -> None:
    settings = load(Settings, "referrals", HERE)
    assert (settings.attachment_store, settings.s3_bucket) == ("postgres", "")


def test_a_store_needs_a_bucket_and_who_asks_and_all_that_lacks_is_told_together() -> None:
    assert complaints(ATTACHMENT_STORE="s3") == ["S3_BUCKET is not set, and ATTACHMENT_STORE is s3"]
    told = complaints(S3_BUCKET="files", S3_PREFIX="../", S3_PATH_STYLE="perhaps", LOG_LEVEL="loud")
    assert [line.partition(" ")[0] for line in told] == [
        "LOG_LEVEL",
        "S3_PREFIX",
        "S3_PATH_STYLE",
        "S3_ACCESS_KEY_ID",
        "S3_SECRET_ACCESS_KEY",
    ]


@pytest.mark.parametrize(
    ("endpoint", "sound"),
    [
        ("https://objects.example.org", True),
        ("http://127.0.0.1:9000", True),
        ("http://localhost:9000", True),
        ("http://[::1]:9000", True),
        ("http://objects.example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("http://10.0.0.1:9000", False),
        ("https://canary@objects.example.org", False),
        ("https://objects.example.org/canary", False),
        ("ftp://objects.example.org", False),
    ],
)
def test_production_speaks_to_a_store_elsewhere_under_tls_only(endpoint: str, sound: bool) -> None:  # noqa: FBT001 - a case
    given = SmallStore(url=endpoint).settings(MODE="production")
    if sound:
        assert load(Settings, "referrals", HERE | given).s3_endpoint == endpoint
    else:
        (told,) = complaints(**given)
        assert told.startswith("S3_ENDPOINT must be")


async def test_what_the_environment_says_to_other_programs_says_nothing_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = {
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_ENDPOINT": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SESSION_TOKEN": "token",
        "AWS_SKIP_SIGNATURE": "true",
        "AWS_UNSIGNED_PAYLOAD": "true",
        "AWS_REGION": "elsewhere",
        "AWS_BUCKET": "elsewhere",
    }
    for name, value in elsewhere.items():
        monkeypatch.setenv(name, value)
    async with small_store() as store:
        objects = Objects(load(ObjectSettings, "identity", GOOD | store.settings()))
        await objects.put("a", b"contents")
        got = await objects.get("a", 8), await objects.get("b", 8)

        assert got == (b"contents", None)
        assert store.disbelieved == []
        assert store.names == {"a"}
        assert await objects.answers()


async def test_who_has_another_key_or_another_region_is_not_let_in() -> None:
    async with small_store() as store:
        for given in ({"S3_SECRET_ACCESS_KEY": "another"}, {"S3_REGION": "elsewhere"}):
            settings = load(ObjectSettings, "identity", GOOD | store.settings(**given))
            assert not await Objects(settings).answers()
        assert store.disbelieved == ["SignatureDoesNotMatch"] * 2
