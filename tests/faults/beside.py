"""A process that works on an index beside others, for tests of what they do to each other.

python beside.py INDEX commit exact|graph   commit one generation after another, for ever
python beside.py INDEX search N             open the index and search it both ways, N times
python beside.py INDEX patient N            the same by words, and again where it is being written
python beside.py INDEX status N             what `rerank-cli status` tells, N times
python beside.py INDEX stream               answer each line of stdin, as `rerank-cli query -`
python beside.py INDEX crowded              open the index while fewer and fewer files may be opened
"""

from __future__ import annotations

import itertools
import resource
import sys
from pathlib import Path

from rerank_cli.cli.querying import _queries_typed
from rerank_cli.errors import Busy, RerankError
from rerank_cli.library import open_library
from rerank_cli.ports import Changes, NewFile
from rerank_cli.records import Passage, SplitDocument, VectorSearch, at_lines
from rerank_cli.search import Searcher, SearchSettings
from rerank_cli.store import open_reader, open_writer
from tests.fakes import FakeEncoder, FakeReranker

SETTINGS = SearchSettings(
    retriever="hybrid", top_k=100, fusion="linear", fusion_weight=0.4, reranks=True, per_document=1
)


def commit(index: Path, *, search: VectorSearch) -> None:
    """Each generation has one text in `turn.md`, and what it says is the generation's number."""
    encoder = FakeEncoder()
    for turn in itertools.count(1):
        with open_writer(index, wait_s=60, search=search) as writer:
            passage = Passage(0, at_lines(1, 1), (), f"brake turn {turn}")
            vectors = encoder.encode_passages([passage.model_text])
            writer.keep_vectors(encoder.fingerprint, [passage.text_hash], vectors)
            document = SplitDocument("turn.md", "turn", (passage,))
            writer.stage(NewFile(writer.files()["turn.md"], (document,)), key="turn")
            assert writer.manifest is not None
            writer.commit(Changes(("turn.md",)), writer.manifest.recipe)
        if turn == 1:
            print("begun", flush=True)


def search(index: Path, count: int) -> None:
    encoder = FakeEncoder()
    for _ in range(count):
        with open_reader(index) as reader:
            searcher = Searcher(reader, encoder=encoder, reranker=FakeReranker(), settings=SETTINGS)
            hits = searcher.search("brake turn").hits
        assert len(hits) == 21 and hits[0].candidate.stored.path == "turn.md"
    print(count, "well")


def patient(index: Path, count: int) -> None:
    """Search *count* times, and again where the index was being written."""
    busy = well = 0
    while well < count:
        try:
            with open_reader(index) as reader:
                found = reader.read([passage for passage, _ in reader.search_lexical(["brake"], 100)])
            assert {each.path for each in found.values()} == {"a.md", "turn.md"}
            well += 1
        except Busy:
            busy += 1
    print(f"{well} well, {busy} busy")


def status(index: Path, count: int) -> None:
    for _ in range(count):
        assert open_library(index=index).status().counts.documents == 21
    print(count, "well")


def stream(index: Path) -> None:
    with open_reader(index) as reader:
        searcher = Searcher(reader, encoder=FakeEncoder(), reranker=FakeReranker(), settings=SETTINGS)
        for query in _queries_typed(reader):
            stored = searcher.search(query.text).hits[0].candidate.stored
            print(f"{reader.manifest.generation} {stored.path}: {stored.passage.text}", flush=True)


def crowded(index: Path) -> None:
    search(index, 1)  # whatever is imported late is imported now
    highest = max(int(path.name) for path in Path("/dev/fd").iterdir())
    for allowed in range(highest + 12, 3, -1):
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        try:
            search(index, 1)
        except RerankError as error:
            print(type(error).__name__)


def main() -> None:
    index, work, *more = sys.argv[1:]
    works = {
        "commit": lambda: commit(Path(index), search="exact" if more == ["exact"] else "hnsw"),
        "search": lambda: search(Path(index), int(more[0])),
        "status": lambda: status(Path(index), int(more[0])),
        "patient": lambda: patient(Path(index), int(more[0])),
        "stream": lambda: stream(Path(index)),
        "crowded": lambda: crowded(Path(index)),
    }
    try:
        works[work]()
    except RerankError as error:
        print(f"{type(error).__name__}: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
