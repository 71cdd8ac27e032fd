"""An index that Ray's workers made is the one of a local run, whatever happens to them."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from rerank_cli.corpus.reading import PLAIN_BYTES
from rerank_cli.errors import ModelError, UsageError
from rerank_cli.records import Progress
from rerank_cli.workers.at_work import Orders
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder
from tests.workers.encoders import BreaksOnce, Gives, KilledOnce

MANY = {f"notes/{number:03}.md": f"# Note {number}\n\nThe stove number {number} is cold.\n" for number in range(300)}


def content(index: Path) -> tuple[list[str], list[object], dict[str, bytes]]:
    """Each row of the catalog but when it was made and the files' times, which count once they are some seconds old."""
    with sqlite3.connect(index / "catalog.sqlite") as catalog:
        rows = [row for row in catalog.iterdump() if "'updated_at'" not in row and 'INTO "files"' not in row]
        files = catalog.execute("SELECT path, size_bytes, content_hash, reader, failure, notes FROM files").fetchall()
    kept = {path.name: path.read_bytes() for path in index.iterdir() if path.suffix in (".vectors", ".keys")}
    return rows, files, kept


def plant_all_kinds(plant: Plant, docs: Path) -> None:
    """Files that are read in the worker and in a process of its own, that repeat, and that nobody can read."""
    text = "# Radiators\n\nBleed the radiator with the square key.\n\n"
    plant({**MANY, "again.md": MANY["notes/007.md"], "large.md": text * (2 * PLAIN_BYTES // len(text))})
    plant({"page.html": f"<html><body><h1>Oil</h1><p>{'Rust. ' * 2000}</p></body></html>", "broken.pdf": "%PDF-1.4 no"})
    plant({"rows.jsonl": '{"_id": "a", "text": "iron pan"}\n{"_id": "b", "text": "salt water"}\n'})


def test_the_index_is_that_of_a_local_run_byte_for_byte(
    docs: Path, plant: Plant, update: Update, update_by_ray: Update, tmp_path: Path
) -> None:
    plant_all_kinds(plant, docs)
    told: list[Progress] = []
    local = update(index_folder=tmp_path / "local")
    by_ray = update_by_ray(index_folder=tmp_path / "ray", listener=told.append)
    assert content(tmp_path / "ray") == content(tmp_path / "local")
    assert [file.path for file in by_ray.failed] == [file.path for file in local.failed] == ["broken.pdf"]
    assert by_ray.failed == local.failed
    assert (by_ray.encoded, by_ray.reused) == (local.encoded, local.reused)
    read = [(one.done, one.total) for one in told if one.stage == "read"]
    assert read == [(done, by_ray.files) for done in range(by_ray.files)]

    plant({"notes/001.md": "# Note 1\n\nThe stove is warm now.\n"})
    (docs / "notes/002.md").unlink()
    local = update(index_folder=tmp_path / "local")
    by_ray = update_by_ray(index_folder=tmp_path / "ray")
    assert by_ray.encoded == local.encoded == 1
    assert content(tmp_path / "ray") == content(tmp_path / "local")


def test_workers_that_are_killed_in_the_middle_lose_nothing(
    plant: Plant, update: Update, update_by_ray: Update, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant({**MANY, "notes/150.md": "# Killer\n\nThe killer is cold.\n"})
    (tmp_path / "marks").mkdir()
    encoder = KilledOnce(tmp_path / "marks")
    update_by_ray(index_folder=tmp_path / "ray", encoder=encoder)
    assert sorted(mark.name for mark in (tmp_path / "marks").iterdir()) == ["encoder", "reader"], (
        "both kinds were killed"
    )
    assert capsys.readouterr() == ("", "")
    update(index_folder=tmp_path / "local", encoder=encoder)
    assert content(tmp_path / "ray") == content(tmp_path / "local")


def test_a_run_that_ends_with_an_error_keeps_the_vectors_that_it_has(
    plant: Plant, update: Update, update_by_ray: Update, tmp_path: Path
) -> None:
    plant({**MANY, "notes/290.md": "# Breaker\n\nThe breaker is cold.\n"})
    (tmp_path / "marks").mkdir()
    encoder = BreaksOnce(tmp_path / "marks")
    with pytest.raises(ModelError, match="the model broke") as told:
        update_by_ray(index_folder=tmp_path / "ray", encoder=encoder)
    assert told.value.remedy == "mend it"
    assert update_by_ray(index_folder=tmp_path / "ray", encoder=encoder).encoded == len(MANY) - 2 * 128
    update(index_folder=tmp_path / "local", encoder=encoder)
    assert content(tmp_path / "ray")[2] == content(tmp_path / "local")[2]


def test_a_worker_of_another_version_or_with_another_encoder_ends_the_run(encoder: FakeEncoder) -> None:
    orders = Orders(Gives(encoder), encoder.fingerprint, max_tokens=40, max_file_size_bytes=1000, file_timeout_s=9.0)
    assert orders.encoder() is encoder
    with pytest.raises(UsageError, match="and the run 0"):
        replace(orders, version="0").encoder()
    with pytest.raises(ModelError, match="another one"):
        replace(orders, fingerprint="another").encoder()
