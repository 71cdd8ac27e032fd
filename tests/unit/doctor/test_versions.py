from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError, version

import pytest

from rerank_cli import __version__
from rerank_cli.doctor import versions as checked
from rerank_cli.doctor.findings import Finding


def without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> dict[str, Finding]:
    """The findings by their subject where these packages are not installed."""

    def look_up(package: str) -> str:
        if package in missing:
            raise PackageNotFoundError(package)
        return version(package)

    monkeypatch.setattr(checked, "version", look_up)
    return {finding.subject: finding for finding in checked.versions()}


def test_the_versions_of_the_program_python_and_its_libraries_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = without(monkeypatch)
    assert {finding.status for finding in found.values()} == {"ok"}
    assert found["rerank-cli"].message.startswith(f"{__version__}, Python 3.")
    for package in ("onnxruntime", "hnswlib", "sentence-transformers", "torch"):
        assert f"{package} {version(package)}" in found["rerank-cli"].message
    assert found["SQLite"].message.endswith("with FTS5")


@pytest.mark.parametrize("package", ["onnxruntime", "tokenizers", "hnswlib", "numpy"])
def test_without_a_library_that_everything_needs_it_fails(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    finding = without(monkeypatch, package)[package]
    assert (finding.status, finding.exit_code) == ("FAIL", 4)
    assert "pip install" in finding.remedy


def test_without_torch_it_warns_that_nothing_can_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    found = without(monkeypatch, "torch", "sentence-transformers")
    assert [found[name].status for name in ("torch", "sentence-transformers")] == ["warn", "warn"]


def test_a_library_that_is_there_and_does_not_load_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ImportError("libstdc++.so.6: version not found\nand a second line", name="hnswlib")

    monkeypatch.setattr(checked, "import_module", refuse)
    finding = {finding.subject: finding for finding in checked.versions()}["hnswlib"]
    assert (finding.status, finding.message) == ("FAIL", "does not load: libstdc++.so.6: version not found")
    assert importlib.import_module("hnswlib")


def test_an_sqlite_without_word_search_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    from rerank_cli.store import health

    monkeypatch.setattr(health, "sqlite_engine", lambda: health.SqliteEngine("3.7.0", has_fts5=False))
    finding = {finding.subject: finding for finding in checked.versions()}["SQLite"]
    assert (finding.status, finding.exit_code, finding.message) == ("FAIL", 4, "3.7.0, without FTS5")
