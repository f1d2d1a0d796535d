"""Settings from the environment."""

from pathlib import Path

import pytest

from kit.config import Mode, ServiceSettings, SettingsError, load

GOOD = {
    "MODE": "development",
    "HTTP_PORT": "4101",
    "GRPC_PORT": "4201",
    "AUDIT_KEY": "cd" * 32,
    "NATS_URL": "nats://identity:secret@127.0.0.1:4222",
    "VIEWER_KEY": "ab" * 32,
    "DATABASE_URL_IDENTITY": "postgresql://identity:secret@127.0.0.1/identity",
}


def test_settings_come_from_the_environment_with_defaults_for_the_rest() -> None:
    settings = load(ServiceSettings, "identity", GOOD)

    assert settings.mode is Mode.DEVELOPMENT
    assert settings.database_url == GOOD["DATABASE_URL_IDENTITY"]
    assert settings.viewer_key == bytes.fromhex("ab" * 32)
    assert (settings.http_host, settings.log_level) == ("127.0.0.1", "info")


def test_production_is_what_nobody_has_to_ask_for() -> None:
    settings = load(ServiceSettings, "identity", GOOD | {"MODE": "production"})
    without = {name: value for name, value in GOOD.items() if name != "MODE"}
    assert settings.mode is load(ServiceSettings, "identity", without).mode is Mode.PRODUCTION


def test_all_wrong_settings_are_reported_together_by_name() -> None:
    wrong = {"MODE": "test", "HTTP_PORT": "seventy", "VIEWER_KEY": "abc", "GRPC_PORT": "70000"}

    with pytest.raises(SettingsError) as error:
        load(ServiceSettings, "identity", wrong)

    for name in (*wrong, "NATS_URL", "DATABASE_URL_IDENTITY"):
        assert name in str(error.value)


def test_a_wrong_secret_is_never_repeated_in_the_complaint() -> None:
    with pytest.raises(SettingsError) as error:
        load(
            ServiceSettings,
            "identity",
            GOOD | {"VIEWER_KEY": "hunter2", "DATABASE_URL_IDENTITY": "mysql://u:hunter2@h"},
        )
    assert "hunter2" not in str(error.value)


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "viewer_key"
    file.write_text("cd" * 32 + "\n")
    given = {name: value for name, value in GOOD.items() if name != "VIEWER_KEY"}

    settings = load(ServiceSettings, "identity", given | {"VIEWER_KEY_FILE": str(file)})
    assert settings.viewer_key == bytes.fromhex("cd" * 32)

    with pytest.raises(SettingsError, match="VIEWER_KEY cannot be read"):
        load(ServiceSettings, "identity", given | {"VIEWER_KEY_FILE": str(tmp_path / "none")})
