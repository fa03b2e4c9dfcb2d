"""The environment applies where no argument is given, and a wrong value raises a clear error."""

from pathlib import Path

import pytest

from edgewright.tools.errors import InputError
from edgewright.tools.settings import ChatModelSettings, home


def test_home_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path / "own"))
    assert home() == tmp_path / "own"
    monkeypatch.delenv("EDGEWRIGHT_HOME")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert home() == tmp_path / "edgewright"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert home() == Path.home() / ".local" / "state" / "edgewright"


def test_the_chat_model_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEWRIGHT_CHAT_MODEL", raising=False)
    assert not ChatModelSettings.from_environment().configured
    monkeypatch.setenv("EDGEWRIGHT_CHAT_MODEL", "some-model")
    monkeypatch.setenv("EDGEWRIGHT_CHAT_TIMEOUT_S", "7.5")
    settings = ChatModelSettings.from_environment()
    assert settings.configured
    assert settings.timeout_s == 7.5


@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan"])
def test_a_wrong_timeout_raises(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("EDGEWRIGHT_CHAT_TIMEOUT_S", value)
    with pytest.raises(InputError, match="EDGEWRIGHT_CHAT_TIMEOUT_S"):
        ChatModelSettings.from_environment()
