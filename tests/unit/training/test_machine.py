from __future__ import annotations

import pytest

from rerank_cli.errors import UsageError
from rerank_cli.training.machine import check_installed


def test_a_missing_extra_is_told_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="accelerate and datasets") as caught:
        check_installed()
    assert caught.value.remedy.endswith("pip install 'rerank-cli[train]'")
