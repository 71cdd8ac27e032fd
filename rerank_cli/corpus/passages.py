"""From the bytes of a file to the passages of its documents; whatever goes wrong on the way is that file's failure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rerank_cli.corpus.read import Format, Unreadable, read_file
from rerank_cli.corpus.repeated import NOTHING, LeftOut, without
from rerank_cli.corpus.split import CountTokens, split
from rerank_cli.errors import RerankError
from rerank_cli.records import Document, FoundFile, Reading, SplitDocument

_MAX_REASON_CHARS = 200


def reading_of(
    file: FoundFile, content: bytes, *, format: Format | None = None, lone: bool, left_out: LeftOut = NOTHING
) -> Reading:
    """The documents in *content*, the bytes of *file*, as `read_file` gives them, but for what is *left_out*.

    Raises Unreadable for any failure of a reader.
    """
    with _telling_failures():
        reading = read_file(file, content, format=format, lone=lone)
        return reading._replace(documents=tuple(without(each, left_out) for each in reading.documents))


def passages_of(
    documents: Iterable[Document], *, max_tokens: int, count_tokens: CountTokens
) -> Iterator[SplitDocument]:
    """Each of *documents* cut into passages of at most *max_tokens*.

    Raises Unreadable for any failure of the splitter or of the libraries that it uses. Errors of the tool's own tree
    come through: what *count_tokens* raises of them is no fault of the file.
    """
    with _telling_failures():
        for document in documents:
            passages = split(document, max_tokens=max_tokens, count_tokens=count_tokens)
            yield SplitDocument(document.id, document.title, passages, document.fields)


@contextmanager
def _telling_failures() -> Iterator[None]:
    try:
        yield
    except (RerankError, Unreadable, MemoryError):
        raise
    except Exception as error:  # a file can be made to break any library, and breaks no run
        raise failure_of(error) from error


def failure_of(error: Exception) -> Unreadable:
    """What to tell of an *error* that no reader foresaw, in one line."""
    if isinstance(error, RecursionError):
        return Unreadable("nested too deeply")
    told = " ".join(f"{type(error).__name__}: {error}".split())
    return Unreadable(f"cannot be understood ({told[:_MAX_REASON_CHARS]})")
