from __future__ import annotations

import functools
import itertools
import os
import pwd
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest
import typer.main

os.environ["HF_HUB_OFFLINE"] = "1"  # the hub's client reads it once, whichever test imports it first
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # or torch's threads spend more on waiting than on a tiny model

from rerank_cli.indexing import IndexSettings, IndexSummary, update_index
from rerank_cli.ports import Encoder
from rerank_cli.records import Rules, VectorSearch
from rerank_cli.store import open_writer
from tests.clocks import IdleClock, WatchedClock
from tests.fakes import FakeEncoder, FakeReranker

pytest_plugins = ["tests.tiny_models", "tests.stores.embedded"]

# An example may take as long as it does: a slow machine is no fault of the program's.
hypothesis.settings.register_profile("suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("suite")

Plant = Callable[[Mapping[str, str]], None]
Update = Callable[..., IndexSummary]


@pytest.fixture(scope="session", autouse=True)
def each_signature_read_once() -> Iterator[None]:
    """Typer reads those of all commands whenever one is run, which takes longer than most of what is run here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_params_from_function", functools.cache(typer.main.get_params_from_function))
        yield


@pytest.fixture(autouse=True)
def isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, no home, no settings and no terminal of the developer's."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for variable, folder in (("CONFIG", ".config"), ("DATA", ".local/share"), ("CACHE", ".cache")):
        monkeypatch.setenv(f"XDG_{variable}_HOME", str(home / folder))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("PAGER", "cat")
    for variable in (
        "FORCE_COLOR",
        "LINES",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "VISUAL",
        "EDITOR",
        "LESS",
        "XDG_RUNTIME_DIR",
    ):
        monkeypatch.delenv(variable, raising=False)
    for variable in [name for name in os.environ if name.startswith("RERANK_CLI_")]:
        monkeypatch.delenv(variable)


def leave_without_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a container's user whom the machine knows nothing of: no variable names a folder, and no account has one."""

    def nobody(number: int) -> NoReturn:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache folder for the whole session."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def builtin_compiled(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Path:
    """The cache folder of the session with both built-in models compiled, in this process: torch is loaded but once."""
    from rerank_cli.models.catalogue import builtin_names, find_model
    from rerank_cli.models.loading import prepare

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("XDG_CACHE_HOME", str(session_cache))
        for name, kind in builtin_names():
            prepare(find_model(name, kind))
    return session_cache


@pytest.fixture
def model_cache(session_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """For tests of real models: a model is compiled once a session, not once a test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(session_cache))
    return session_cache


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def reranker() -> FakeReranker:
    return FakeReranker()


@pytest.fixture
def idle_clock(monkeypatch: pytest.MonkeyPatch) -> IdleClock:
    """What who waits for a lock takes for the time."""
    clock = IdleClock()
    monkeypatch.setattr("rerank_cli.locks.time", clock)
    return clock


@pytest.fixture
def watched_clock(monkeypatch: pytest.MonkeyPatch) -> WatchedClock:
    """The same, where a test has threads that wait."""
    clock = WatchedClock()
    monkeypatch.setattr("rerank_cli.locks.time", clock)
    return clock


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """The folder that `update` indexes, empty at first."""
    folder = tmp_path / "docs"
    folder.mkdir()
    return folder


@pytest.fixture
def index_folder(tmp_path: Path) -> Path:
    """Where `update` keeps its index; made by the first call."""
    return tmp_path / "index"


@pytest.fixture
def plant(docs: Path) -> Plant:
    """Write files into `docs`: plant({"path": "text"}). Each has a time of its own, long enough ago to be trusted."""
    seconds = itertools.count(1_600_000_000)

    def write(files: Mapping[str, str]) -> None:
        for path, text in files.items():
            place = docs / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
            second = next(seconds)
            os.utime(place, (second, second))

    return write


@pytest.fixture
def update(docs: Path, index_folder: Path, encoder: FakeEncoder) -> Update:
    """`update_index` with this test's folders and encoder; keyword arguments as there or in its settings."""

    def run(
        root: Path = docs,
        *,
        index_folder: Path = index_folder,
        encoder: Encoder = encoder,
        passage_tokens: int = 40,
        rules: Rules | None = None,
        file_timeout_s: float = 60.0,
        wait_s: float = 0.0,
        rebuild: bool = False,
        search: VectorSearch = "auto",
        **options: object,
    ) -> IndexSummary:
        settings = IndexSettings(
            encoder="fake", passage_tokens=passage_tokens, rules=rules or Rules(), file_timeout_s=file_timeout_s
        )
        with open_writer(index_folder, wait_s=wait_s, rebuild=rebuild, search=search) as writer:
            return update_index(root, writer=writer, encoder=encoder, settings=settings, rebuild=rebuild, **options)

    return run
