from __future__ import annotations

import pytest

from rerank_cli import extras
from rerank_cli.errors import UsageError
from rerank_cli.extras import check_extra


def test_what_is_missing_of_an_extra_is_told_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name != "numpy" else object())
    with pytest.raises(UsageError, match=r"^training needs accelerate and milvus-lite, not installed here$") as caught:
        check_extra("train", ["accelerate", "numpy", "milvus_lite"], user="training")
    assert caught.value.remedy.endswith("pip install 'rerank-cli[train]'")
    check_extra("train", ["numpy"], user="training")
