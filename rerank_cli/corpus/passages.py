"""From the bytes of a file to the passages of its documents; whatever goes wrong on the way is that file's failure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rerank_cli.corpus.read import Format, Unreadable, read_file
from rerank_cli.corpus.repeated import NOTHING, LeftOut, without
from rerank_cli.corpus.split import CountTokens, split_each
from rerank_cli.errors import RerankError
from rerank_cli.records import Document, FoundFile, Reading, SplitDocument

_MAX_REASON_CHARS = 200

# So many characters of documents are cut at once: to count tokens for each by itself costs a message each. A document
# counts for some, though it may have no text.
_RUN_CHARS = 50_000
_DOCUMENT_CHARS = 100


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
        for some in _by_size(documents):
            for document, passages in zip(
                some, split_each(some, max_tokens=max_tokens, count_tokens=count_tokens), strict=True
            ):
                yield SplitDocument(document.id, document.title, passages, document.fields)


def _by_size(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """*documents* in runs of about `_RUN_CHARS`."""
    run: list[Document] = []
    chars = 0
    for document in documents:
        run.append(document)
        chars += _DOCUMENT_CHARS + sum(len(block.text) for block in document.blocks)
        if chars > _RUN_CHARS:
            yield run
            run, chars = [], 0
    if run:
        yield run


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
