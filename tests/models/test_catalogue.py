"""From a model's name to its folder, its kind and its fingerprint."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from rerank_cli.errors import ModelError
from rerank_cli.models import catalogue
from rerank_cli.models.catalogue import BUILTIN_ENCODER, BUILTIN_RERANKER, find_model
from tests.tiny_models import rewrite_json


@pytest.fixture
def encoder_folder(tmp_path: Path) -> Path:
    """What find_model looks at, with weights that are none."""
    folder = tmp_path / "model"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "config.json").write_text('{"architectures": ["BertModel"]}')
    (folder / "modules.json").write_text("[]")
    (folder / "1_Pooling" / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights" * 1000)
    return folder


def test_the_built_in_names_are_found_with_their_kind() -> None:
    assert find_model(BUILTIN_ENCODER, "encoder").origin == "built in"
    assert find_model(BUILTIN_RERANKER, "reranker").origin == "built in"


def test_a_folder_is_found_by_its_path(encoder_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = find_model(str(encoder_folder), "encoder")
    assert (source.origin, source.folder) == ("folder", encoder_folder)
    monkeypatch.chdir(encoder_folder.parent)
    assert find_model("./model", "encoder").fingerprint == source.fingerprint


def test_the_fingerprint_changes_with_any_weight_or_setting_and_with_nothing_else(encoder_folder: Path) -> None:
    def fingerprint() -> str:
        return find_model(str(encoder_folder), "encoder").fingerprint

    seen = [fingerprint()]
    (encoder_folder / "README.md").write_text("about")
    assert fingerprint() == seen[0]
    for name in ("model.safetensors", "1_Pooling/config.json", "modules.json"):
        path = encoder_folder / name
        path.write_bytes(path.read_bytes() + b" ")
        seen.append(fingerprint())
    (encoder_folder / "2_Dense").mkdir()
    (encoder_folder / "2_Dense" / "model.safetensors").write_bytes(b"more")
    seen.append(fingerprint())
    assert len(set(seen)) == len(seen)


def test_the_fingerprint_belongs_to_the_weights_and_not_to_where_they_lie(encoder_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(encoder_folder, tmp_path / "copy")
    copy = find_model(str(tmp_path / "copy"), "encoder")
    assert copy.fingerprint == find_model(str(encoder_folder), "encoder").fingerprint


def test_a_cache_that_cannot_be_written_costs_no_answer(
    encoder_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(find_model(str(encoder_folder), "encoder").fingerprint) == 32


def test_a_reranker_is_no_encoder_and_the_reverse(encoder_folder: Path) -> None:
    with pytest.raises(ModelError, match="is no cross-encoder"):
        find_model(str(encoder_folder), "reranker")
    rewrite_json(encoder_folder / "config.json", architectures=["BertForSequenceClassification"])
    with pytest.raises(ModelError, match="is no encoder but a cross-encoder"):
        find_model(str(encoder_folder), "encoder")
    rewrite_json(encoder_folder / "config.json", architectures=["BertModel"])
    (encoder_folder / "config_sentence_transformers.json").write_text('{"model_type": "CrossEncoder"}')
    assert find_model(str(encoder_folder), "reranker").kind == "reranker"


def test_an_encoder_with_its_configuration_in_a_module_is_found(encoder_folder: Path) -> None:
    (encoder_folder / "config.json").unlink()
    assert find_model(str(encoder_folder), "encoder").kind == "encoder"
    (encoder_folder / "modules.json").unlink()
    with pytest.raises(ModelError, match=r"config\.json cannot be read"):
        find_model(str(encoder_folder), "encoder")


def test_a_folder_without_weights_is_no_model(encoder_folder: Path) -> None:
    (encoder_folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="no weights in"):
        find_model(str(encoder_folder), "encoder")


@pytest.mark.parametrize("name", ["nowhere", "./nowhere", "/no/where", "a/b/c", "~/nowhere", "bad id/with blanks"])
def test_a_name_that_is_neither_folder_nor_hub_id_is_refused_with_the_choices(name: str) -> None:
    with pytest.raises(ModelError, match="no such encoder") as refused:
        find_model(name, "encoder")
    assert BUILTIN_ENCODER in refused.value.remedy


def test_the_hub_is_not_asked_offline() -> None:
    with pytest.raises(ModelError, match="owner/none: no such reranker here, and HF_HUB_OFFLINE"):
        find_model("owner/none", "reranker")


@pytest.fixture
def refusing_hub() -> Iterator[tuple[str, list[str]]]:
    """The address of a hub that hangs up on everyone, and who called."""
    callers: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as hub:

        def hang_up() -> None:
            with suppress(OSError):  # the test is over
                while True:
                    call, caller = hub.accept()
                    callers.append(str(caller))
                    call.close()

        answering = threading.Thread(target=hang_up)
        answering.start()
        yield f"http://127.0.0.1:{hub.getsockname()[1]}", callers
        hub.shutdown(socket.SHUT_RDWR)
        answering.join()


def test_a_hub_that_refuses_is_an_error_of_one_line_and_not_asked_over_and_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusing_hub: tuple[str, list[str]]
) -> None:
    address, callers = refusing_hub
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_ENDPOINT", address)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    done = subprocess.run(
        [sys.executable, "-m", "rerank_cli", "models", "prepare", "encoder:owner/none"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert 1 <= len(callers) <= 3
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.count("\n") == 1
    assert "owner/none" in done.stderr and "cannot be fetched" in done.stderr


# What comes with the program


BUILTIN = {BUILTIN_ENCODER: "encoder", BUILTIN_RERANKER: "reranker"}


def flip(path: Path) -> None:
    """Change one bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("name", "part", "damage"),
    [
        *((BUILTIN_ENCODER, part, flip) for part in ("model.safetensors", "tokenizer.json", "config.json")),
        *(
            (BUILTIN_RERANKER, part, flip)
            for part in (
                "model.safetensors",
                "calibration.json",
                "tokenizer.json",
                "config.json",
                "modules.json",
                "2_Dense/model.safetensors",
                "1_LateInteraction/config.json",
            )
        ),
        *((name, "config.json", damage) for name in BUILTIN for damage in (cut, Path.unlink)),
    ],
)
def test_a_damaged_file_of_a_built_in_model_is_an_error_that_says_to_install_again(
    name: str, part: str, damage: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = BUILTIN[name]
    sound = find_model(name, kind).folder
    folder = shutil.copytree(sound, tmp_path / "model", copy_function=os.symlink)
    (folder / part).unlink()
    shutil.copyfile(sound / part, folder / part)
    monkeypatch.setattr(catalogue, "_locate", lambda *_, **__: (folder, "built in"))
    assert find_model(name, kind).folder == folder
    damage(folder / part)
    with pytest.raises(ModelError) as refused:
        find_model(name, kind)
    assert name in str(refused.value) and "--force-reinstall" in refused.value.remedy
    assert "\n" not in f"{refused.value}{refused.value.remedy}"


def fail_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk fail beneath every file that is hashed, as the system tells it: without a name."""

    def digest(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(hashlib, "file_digest", digest)


def test_a_file_of_a_model_that_cannot_be_read_is_named_in_words(
    encoder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_to_read(monkeypatch)
    with pytest.raises(ModelError) as raised:
        find_model(str(encoder_folder), "encoder")
    read = encoder_folder / "1_Pooling" / "config.json"
    assert str(raised.value) == f"{encoder_folder}: {read} cannot be read (Input/output error)"
    assert "disk" in raised.value.remedy


def test_nor_is_a_built_in_one_to_be_installed_again_for_a_disk_that_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fail_to_read(monkeypatch)
    for name, kind in catalogue.builtin_names():
        with pytest.raises(ModelError, match=r"cannot be read \(Input/output error\)$") as raised:
            find_model(name, kind)
        assert "install" not in raised.value.remedy
        assert "disk" in raised.value.remedy
