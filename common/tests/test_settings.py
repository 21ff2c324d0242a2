"""Wrong settings end the process with one line each."""

import pytest

from trivium_common.settings import CommonSettings, Environment, load_settings


class Settings(CommonSettings):
    port: int = 3000
    users_url: str


def test_the_environment_is_read(monkeypatch):
    monkeypatch.setenv("TRIVIUM_ENV", "production")
    monkeypatch.setenv("TRIVIUM_USERS_URL", "http://127.0.0.1:4001")
    settings = load_settings(Settings)
    assert settings.env is Environment.PRODUCTION
    assert settings.is_production
    assert settings.port == 3000


def test_each_fault_is_one_line_that_names_the_setting(monkeypatch, capsys):
    monkeypatch.setenv("TRIVIUM_PORT", "eighty")
    monkeypatch.setenv("TRIVIUM_ENV", "staging")
    with pytest.raises(SystemExit) as left:
        load_settings(Settings)
    assert left.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["TRIVIUM_ENV", "TRIVIUM_PORT", "TRIVIUM_USERS_URL"]
    assert "'eighty'" in lines[1]
