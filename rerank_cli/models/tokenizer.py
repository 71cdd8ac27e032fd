"""Tokenizers by name, for counting what a reader's window holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rerank_cli.errors import ModelError, in_words
from rerank_cli.places import expanded
from rerank_cli.records import FOUR_CHARACTERS

Counting = Callable[[Sequence[str]], list[int]]
"""Gives the tokens in each text, special tokens left out."""

FILE_NAME = "tokenizer.json"

CHOICES = f"name {FOUR_CHARACTERS}, a {FILE_NAME}, a folder with one, or a hub id such as owner/model"


def open_tokenizer(name: str) -> Counting:
    """What counts with the tokenizer called *name*: `chars/4`, a tokenizer.json or a folder with one, or a hub id.

    The hub is asked for that one file, only if it is not in its local cache, and never when HF_HUB_OFFLINE is set.

    Raises:
        ModelError: there is no such tokenizer, or it cannot be read.
    """
    return _quarters if name == FOUR_CHARACTERS else _counter(_locate(name), name)


def _quarters(texts: Sequence[str]) -> list[int]:
    """A token for each four characters begun: about what English takes, where the reader's tokenizer is not known."""
    return [-(-len(text) // 4) for text in texts]


def _counter(file: Path, name: str) -> Counting:
    from tokenizers import Tokenizer

    from rerank_cli.models.tokens import tokens_of

    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises nothing more precise
        raise ModelError(f"{name}: {file} is no tokenizer ({in_words(error)})", remedy=CHOICES) from error
    tokenizer.no_truncation()  # a file may say to cut or to fill up what it is given
    tokenizer.no_padding()

    def count_tokens(texts: Sequence[str]) -> list[int]:
        return [len(encoding.ids) for encoding in tokens_of(tokenizer, texts, special=False)]

    return count_tokens


def _locate(name: str) -> Path:
    path = expanded(name)
    if path.is_dir():
        path = path / FILE_NAME
    if path.exists():
        return path
    if path.is_absolute() or name.startswith((".", "~")) or name.count("/") != 1 or path.suffix == ".json":
        raise ModelError(f"{name}: no such tokenizer", remedy=CHOICES)
    return _from_hub(name)


def _from_hub(name: str) -> Path:
    from huggingface_hub import hf_hub_download, is_offline_mode
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    try:
        return Path(hf_hub_download(name, FILE_NAME, local_files_only=True))
    except HFValidationError as error:
        raise ModelError(f"{name}: no such tokenizer", remedy=CHOICES) from error
    except LocalEntryNotFoundError as error:
        if is_offline_mode():
            raise ModelError(
                f"{name}: no such tokenizer here, and HF_HUB_OFFLINE keeps it from being fetched", remedy=CHOICES
            ) from error
    try:
        return Path(hf_hub_download(name, FILE_NAME))
    except Exception as error:  # the hub's client raises errors of several libraries
        raise ModelError(
            f"{name}: no such tokenizer here, and it cannot be fetched ({in_words(error)})", remedy=CHOICES
        ) from error
