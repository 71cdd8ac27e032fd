from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.errors import InputError
from rerank_cli.places import cache_folder, data_folder, expanded
from tests.conftest import leave_without_home


def test_each_folder_lies_where_its_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert (data_folder(), cache_folder()) == (Path("/data/rerank-cli"), Path("/cache/rerank-cli"))


@pytest.mark.parametrize("value", [None, "", "here/below"])
def test_without_an_absolute_folder_in_the_variable_they_lie_in_the_home_folder(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    for variable in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        if value is None:
            monkeypatch.delenv(variable)
        else:
            monkeypatch.setenv(variable, value)
    assert data_folder() == Path("/home/ann/.local/share/rerank-cli")
    assert cache_folder() == Path("/home/ann/.cache/rerank-cli")


def test_a_user_without_a_home_folder_is_told_which_variable_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_without_home(monkeypatch)
    with pytest.raises(InputError, match="no home folder") as caught:
        data_folder()
    assert caught.value.remedy == "set HOME or XDG_DATA_HOME"


def test_a_tilde_stands_for_a_home_folder_and_for_nobodys_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert expanded("~/notes") == Path("/home/ann/notes")
    assert expanded("notes") == Path("notes")
    with pytest.raises(InputError, match="~nobody-of-this-name/x"):
        expanded("~nobody-of-this-name/x")
