from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.errors import InputError
from rerank_cli.places import cache_folder, config_folder, data_folder, expanded, home_folder
from tests.conftest import leave_without_home


def test_each_folder_lies_where_its_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/config")
    assert data_folder() == Path("/data/rerank-cli")
    assert cache_folder() == Path("/cache/rerank-cli")
    assert config_folder() == Path("/config/rerank-cli")


@pytest.mark.parametrize("value", [None, "", "here/below", "~/below"])
def test_without_an_absolute_folder_in_the_variable_they_lie_in_the_home_folder(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    for variable in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        if value is None:
            monkeypatch.delenv(variable)
        else:
            monkeypatch.setenv(variable, value)
    assert data_folder() == Path("/home/ann/.local/share/rerank-cli")
    assert cache_folder() == Path("/home/ann/.cache/rerank-cli")
    assert config_folder() == Path("/home/ann/.config/rerank-cli")


def test_a_user_without_a_home_folder_is_told_which_variable_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_without_home(monkeypatch)
    assert home_folder() is None
    for folder, variable in ((data_folder, "DATA"), (cache_folder, "CACHE"), (config_folder, "CONFIG")):
        with pytest.raises(InputError, match="no home folder") as caught:
            folder()
        assert caught.value.remedy == f"set HOME or XDG_{variable}_HOME"


def test_a_relative_home_is_none_so_that_nothing_is_kept_wherever_one_happens_to_stand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leave_without_home(monkeypatch)
    monkeypatch.setenv("HOME", "here")
    with pytest.raises(InputError, match="no home folder"):
        data_folder()


def test_a_tilde_stands_for_a_home_folder_and_for_nobodys_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert expanded("~/notes") == Path("/home/ann/notes")
    assert expanded("notes") == Path("notes")
    with pytest.raises(InputError, match="~nobody-of-this-name/x"):
        expanded("~nobody-of-this-name/x")
