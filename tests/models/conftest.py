from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from rerank_cli.models.catalogue import find_model
from rerank_cli.models.loading import prepare
from rerank_cli.places import cache_folder
from tests.cli.conftest import cli  # noqa: F401 - a fixture


@pytest.fixture(scope="session")
def compiled_once(
    tmp_path_factory: pytest.TempPathFactory,
    tiny_encoder: Path,
    tiny_reranker: Path,
    tiny_modular_reranker: Path,
    tiny_interaction_reranker: Path,
) -> Path:
    """A cache folder with the compiled forms of all tiny models, which no test changes."""
    cache = tmp_path_factory.mktemp("compiled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("XDG_CACHE_HOME", str(cache))
        prepare(find_model(str(tiny_encoder), "encoder"))
        for folder in (tiny_reranker, tiny_modular_reranker, tiny_interaction_reranker):
            prepare(find_model(str(folder), "reranker"))
    return cache


@pytest.fixture
def compiled(isolated: None, compiled_once: Path) -> None:
    """Give the test's own cache a copy of what was compiled, for tests of anything but compiling."""
    shutil.copytree(compiled_once, os.environ["XDG_CACHE_HOME"], dirs_exist_ok=True)
    assert cache_folder().is_dir()
