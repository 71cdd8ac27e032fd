"""Tokenizers by name: a file, a folder, a hub id, or none at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from rerank_cli.errors import ModelError
from rerank_cli.models.tokenizer import open_tokenizer


@pytest.fixture
def tokenizer_file(tmp_path: Path) -> Path:
    """One that cuts at three tokens, fills up to eight and adds one: what a model wants, and a count does not."""
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "[CLS]": 1, "[PAD]": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 1)])
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=8)
    path = tmp_path / "models" / "tokenizer.json"
    path.parent.mkdir()
    tokenizer.save(str(path))
    return path


def test_a_file_counts_every_token_of_a_text_and_no_other(tokenizer_file: Path) -> None:
    count_tokens = open_tokenizer(str(tokenizer_file))
    assert count_tokens(["one", "one two three four five", "", "a b c d e f g h i j"]) == [1, 5, 0, 10]


def test_a_folder_has_its_tokenizer_in_it(tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tokenizer_file.parent.parent)
    assert open_tokenizer("models")(["one two"]) == [2]
    assert open_tokenizer("models/tokenizer.json")(["one two"]) == [2]


def test_without_a_tokenizer_four_characters_begun_are_a_token() -> None:
    assert open_tokenizer("chars/4")(["", "a", "abcd", "abcde"]) == [0, 1, 1, 2]


@pytest.mark.parametrize("name", ["nowhere", "./nowhere", "/no/where", "a/b/c", "lost/tokenizer.json", "bad id/blanks"])
def test_a_name_that_is_neither_file_nor_hub_id_is_refused_with_the_choices(name: str) -> None:
    with pytest.raises(ModelError, match="no such tokenizer") as refused:
        open_tokenizer(name)
    assert "chars/4" in refused.value.remedy


def test_a_folder_without_one_is_no_hub_id(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no such tokenizer$"):
        open_tokenizer(str(tmp_path))


def test_the_hub_is_not_asked_offline() -> None:
    with pytest.raises(ModelError, match="owner/none: no such tokenizer here, and HF_HUB_OFFLINE"):
        open_tokenizer("owner/none")


def test_what_the_hub_gave_once_is_not_fetched_again(
    tokenizer_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    cache = tmp_path / "hub"
    snapshot = cache / "models--owner--fetched" / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "tokenizer.json").write_bytes(tokenizer_file.read_bytes())
    (cache / "models--owner--fetched" / "refs").mkdir()
    (cache / "models--owner--fetched" / "refs" / "main").write_text("0" * 40)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    assert open_tokenizer("owner/fetched")(["one two three four"]) == [4]


@pytest.mark.parametrize("content", ["", "{}", "no json", '{"model": 1}'])
def test_a_file_that_is_no_tokenizer_is_named_on_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(ModelError, match="is no tokenizer") as refused:
        open_tokenizer(str(path))
    assert "\n" not in str(refused.value)
