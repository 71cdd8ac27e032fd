"""Whatever becomes of a file of an index: the right answers or a remedy, and the remedy brings them back."""

from __future__ import annotations

import argparse
import os
import random
import re
import shlex
import shutil
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from rerank_cli.errors import InputError, UnusableIndex
from rerank_cli.indexing import IndexSettings, update_index
from rerank_cli.ports import EVERYTHING, FileState, Filter, Ranking
from rerank_cli.records import Rules, StoredPassage, VectorSearch
from rerank_cli.stamps import Stamp
from rerank_cli.store import check_health, open_reader, open_writer, search
from rerank_cli.store.reader import IndexReader
from rerank_cli.store.vectors import KEY, TEXT_BYTES, VectorFiles
from tests.fakes import FakeEncoder
from tests.faults.conftest import LONG

PLACES = 25 if LONG else 1
"""Places at which each file is cut, and at which a bit of it is flipped."""

KINDS: tuple[VectorSearch, ...] = ("exact", "hnsw")
DOCUMENTS = 14
PUMP = "Pump. " * 40
ALL = 1000
FILTERS = (EVERYTHING, Filter(("sub/",)), Filter(("sub/3.md", "always.md")))
QUERIES = ("brake number 3", "chain", "spoke of the wheel", "none of these words")

Answers = dict[object, object]


@dataclass(frozen=True, slots=True)
class Kept:
    """A sound index of `docs` in `folder`, that of its last but one generation in `older`, and what it answers.

    In `unfolded` the last generation lies in SQLite's log alone, as it does while somebody reads an older one.
    """

    docs: Path
    folder: Path
    older: Path
    unfolded: Path
    search: VectorSearch
    answers: Answers = field(default_factory=dict)
    passages: tuple[StoredPassage, ...] = ()


# What an index answers


def answers_of(folder: Path) -> Answers:
    """All that can be asked of an index, but for what is its own business: numbers of passages, sizes, stamps."""
    told: Answers = {}
    with open_reader(folder) as index:
        told["root"], told["search"] = index.manifest.recipe.root, index.manifest.search
        told["files"], told["states"] = unstamped(index.files()), unstamped(index.file_states(["always.md", "gone.md"]))
        told["counts"] = replace(index.counts(), size_bytes=0)
        told["documents"] = index.has_documents(["always.md", "sub/3.md", "gone.md"])
        told["texts"] = [replace(stored, id=0) for stored in index.scan()]
        for query in QUERIES:
            vector = FakeEncoder().encode_queries([query])[0]
            for within in FILTERS:
                for exact in (False, True):
                    ranking = index.search_dense(vector, ALL, within=within, exact=exact)
                    told[query, within, exact] = named(index, ranking)
                ranking = index.search_lexical(query.split(), ALL, within=within)
                told[query, within, "words"] = named(index, ranking)
            openings = index.opening_cosines(vector, [passage for passage, _ in ranking])
            told[query, "openings"] = named(index, list(openings.items()))
    return told


def unstamped(files: dict[str, FileState]) -> dict[str, FileState]:
    """A file that was written just now gets its stamp with the next run."""
    return {path: replace(state, stamp=Stamp(0, 0, 0, 0)) for path, state in files.items()}


def named(index: IndexReader, scored: Ranking) -> dict[StoredPassage, float]:
    """Scores by passage, to the digits in which a graph's agree with a scan's."""
    stored = index.read([passage for passage, _ in scored])
    assert index.origins(list(stored)).keys() == stored.keys()
    return {replace(stored[passage], id=0): round(score, 5) for passage, score in scored}


def unlike(told: Answers, expected: Answers) -> list[object]:
    """What is answered otherwise."""
    return [question for question in expected if told[question] != expected[question]]


# The indexes that are harmed


def update(kept: Kept, folder: Path, encoder: FakeEncoder, *, rebuild: bool = False) -> None:
    settings = IndexSettings(encoder="fake", passage_tokens=40, rules=Rules())
    with open_writer(folder, wait_s=0, rebuild=rebuild, search=kept.search) as writer:
        update_index(kept.docs, writer=writer, encoder=encoder, settings=settings, rebuild=rebuild, allow_shrink=True)


def write(docs: Path, name: str, text: str, *, second: int) -> None:
    place = docs / name
    place.parent.mkdir(exist_ok=True)
    place.write_text(text, encoding="utf-8")
    os.utime(place, (second, second))


def made(home: Path, kind: VectorSearch) -> Kept:
    """An index of three generations: the last two change a file each, and take another away."""
    kept = Kept(home / "my docs", home / "index", home / "older", home / "unfolded", kind)
    kept.docs.mkdir()
    for number in range(DOCUMENTS):
        text = f"# Brake\n\nThe brake number {number}.\n\n# Chain\n\nOil the chain of number {number}.\n{PUMP}\n"
        write(kept.docs, f"sub/{number}.md", text, second=1_600_000_000)
    write(kept.docs, "always.md", "The spoke of the wheel.\n", second=1_600_000_000)
    write(kept.docs, "gone.md", "What goes.\n", second=1_600_000_000)
    update(kept, kept.folder, FakeEncoder())
    write(kept.docs, "sub/3.md", "The brake number 3 was new.\n", second=1_600_000_001)
    update(kept, kept.folder, FakeEncoder())
    shutil.copytree(kept.folder, kept.older)
    write(kept.docs, "sub/3.md", "The brake number 3 is new again.\n", second=1_600_000_002)
    (kept.docs / "gone.md").unlink()
    with open_reader(kept.folder) as reader:
        reader.counts()
        update(kept, kept.folder, FakeEncoder())
        shutil.copytree(kept.folder, kept.unfolded)
    assert (kept.unfolded / LOG).stat().st_size
    update(kept, kept.folder, FakeEncoder())  # which folds it
    assert not (kept.folder / LOG).exists()
    with open_reader(kept.folder) as reader:
        passages = tuple(reader.scan())
    kept = replace(kept, answers=answers_of(kept.folder), passages=passages)
    assert unlike(answers_of(kept.older), kept.answers)
    return kept


@pytest.fixture(scope="module")
def kept_indexes(tmp_path_factory: pytest.TempPathFactory) -> dict[VectorSearch, Kept]:
    """An index by each way to search vectors, which no test changes."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(search, "LEAST_BESIDE", 0)  # each generation has a graph of its own
        patched.setattr(search, "BESIDE_SHARE", 0)
        return {kind: made(tmp_path_factory.mktemp(kind), kind) for kind in KINDS}


FILES = {
    "catalog": "catalog.sqlite",
    "seal": "catalog.seal",
    "vectors": "*.vectors",
    "keys": "*.keys",
    "graph": "graph-*.hnsw",
    "lock": "write.lock",
}
LOG = "catalog.sqlite-wal"
ABSENT = (LOG, "catalog.sqlite-shm", "catalog.sqlite-journal", "staging", "replaced.partial")


def file_of(folder: Path, what: str) -> Path:
    (path,) = folder.glob(FILES[what])
    return path


# What becomes of them


def cut(path: Path, kept: Kept, drawn: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: drawn.randrange(len(content))])


def empty(path: Path, kept: Kept, drawn: random.Random) -> None:
    path.write_bytes(b"")


def flip(path: Path, kept: Kept, drawn: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[drawn.randrange(len(content))] ^= 1 << drawn.randrange(8)
    path.write_bytes(content)


def take_the_older(path: Path, kept: Kept, drawn: random.Random) -> None:
    what = next(what for what, pattern in FILES.items() if path.match(pattern))
    shutil.copyfile(file_of(kept.older, what), path)


def remove(path: Path, kept: Kept, drawn: random.Random) -> None:
    path.unlink()


def make_a_folder(path: Path, kept: Kept, drawn: random.Random) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()
    (path / "somebodys.txt").write_text("not ours\n")


def put_noise(path: Path, kept: Kept, drawn: random.Random) -> None:
    path.write_bytes(drawn.randbytes(drawn.randrange(1, 9000)))


def put_a_log_that_was_folded(path: Path, kept: Kept, drawn: random.Random) -> None:
    shutil.copyfile(kept.unfolded / LOG, path)


WAYS = (cut, empty, flip, take_the_older, remove, make_a_folder)
HARMS = [
    *((kind, what, way) for kind in KINDS for what in FILES for way in WAYS if (kind, what) != ("exact", "graph")),
    *((kind, name, way) for kind in KINDS for name in ABSENT for way in (empty, put_noise, make_a_folder)),
    *((kind, LOG, put_a_log_that_was_folded) for kind in KINDS),
]


# And what is done about it


def run_remedy(remedy: str, kept: Kept, folder: Path, encoder: FakeEncoder) -> None:
    """Do what *remedy* says, as it would be pasted into a shell; `rerank-cli` runs in this process."""
    command = re.search(r"\b(?:mv|rm|rerank-cli) .*", remedy)
    assert command is not None, f"no command in: {remedy}"
    before, name, after = command[0].rpartition("rerank-cli index ")
    assert name, f"no index in: {remedy}"
    if before:
        assert before.endswith(" && "), before
        subprocess.run(["sh", "-c", before.removesuffix(" && ")], check=True)
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("root")
    parser.add_argument("--index")
    parser.add_argument("--rebuild", action="store_true")
    asked = parser.parse_args(shlex.split(after))
    assert asked.root in (str(kept.docs), "FOLDER"), remedy
    assert asked.index == str(folder), remedy
    update(kept, folder, encoder, rebuild=asked.rebuild)


def texts_hit(kept: Kept, folder: Path) -> set[str]:
    """The texts whose row in *folder*, in either file of the vectors, is not what was written."""
    sound: set[bytes] = set()
    written = VectorFiles(kept.folder, file_of(kept.folder, "keys").stem)
    matrix, keys = folder / written.matrix.name, folder / written.keys.name
    if matrix.is_file() and keys.is_file():
        row_bytes, key_bytes = written.row_bytes, KEY.itemsize
        for row in range(len(written.read_keys())):
            is_whole = all(
                there.read_bytes()[row * size : (row + 1) * size] == was.read_bytes()[row * size : (row + 1) * size]
                for there, was, size in ((matrix, written.matrix, row_bytes), (keys, written.keys, key_bytes))
            )
            if is_whole:
                start = row * key_bytes
                sound.add(written.keys.read_bytes()[start : start + TEXT_BYTES])
    passages = (stored.passage for stored in kept.passages)
    return {passage.model_text for passage in passages if passage.text_hash not in sound}


def live_through(kept: Kept, folder: Path, harm: Callable[[], None], *, told_first: bool) -> str:
    """Harm the index in *folder*, and bring it back as told; how it went.

    *told_first*, somebody asks it first; else a run of `index` meets it first, as by cron.
    """
    harm()
    hit = texts_hit(kept, folder)
    encoder = FakeEncoder()
    how = "answers"
    try:
        if told_first:
            assert unlike(answers_of(folder), kept.answers) == [], "and not a word of it"
        update(kept, folder, encoder)
    except (UnusableIndex, InputError) as error:
        assert len(error.remedy.splitlines()) == len(str(error).splitlines()) == 1
        run_remedy(error.remedy, kept, folder, encoder)
        how = "remedies"
    assert unlike(answers_of(folder), kept.answers) == []
    assert set(encoder.encoded) == hit
    assert check_health(folder, pages=True).failure is None
    idle = FakeEncoder()
    update(kept, folder, idle)
    assert idle.encoded == []
    return how


@pytest.mark.parametrize("told_first", [True, False], ids=["asked first", "indexed first"])
@pytest.mark.parametrize(("kind", "what", "way"), HARMS, ids=lambda value: getattr(value, "__name__", value))
def test_no_harm_to_a_file_gives_another_answer_and_what_is_told_mends_it(
    kept_indexes: dict[VectorSearch, Kept],
    tmp_path: Path,
    survived: Callable[[str, int], None],
    kind: VectorSearch,
    what: str,
    way: Callable[..., None],
    told_first: bool,
) -> None:
    kept = kept_indexes[kind]
    for number in range(PLACES if way in (cut, flip, put_noise) else 1):
        drawn = random.Random(zlib.crc32(f"{what} {way.__name__} {number}".encode()))
        folder = shutil.copytree(kept.folder, tmp_path / f"{number} index")
        path = folder / (file_of(kept.folder, what).name if what in FILES else what)
        how = live_through(kept, folder, lambda path=path, drawn=drawn: way(path, kept, drawn), told_first=told_first)
        survived(f"mutations ({how})", 1)
        shutil.rmtree(folder)


@pytest.mark.parametrize("told_first", [True, False], ids=["asked first", "indexed first"])
@pytest.mark.parametrize("way", [cut, empty, flip, remove, make_a_folder, put_noise])
@pytest.mark.parametrize("kind", KINDS)
def test_no_harm_to_the_log_of_the_last_run_brings_the_generation_before_back(
    kept_indexes: dict[VectorSearch, Kept],
    tmp_path: Path,
    survived: Callable[[str, int], None],
    kind: VectorSearch,
    way: Callable[..., None],
    told_first: bool,
) -> None:
    kept = kept_indexes[kind]
    for number in range(PLACES if way in (cut, flip, put_noise) else 1):
        drawn = random.Random(number)
        folder = shutil.copytree(kept.unfolded, tmp_path / f"{number} index")
        how = live_through(
            kept, folder, lambda folder=folder, drawn=drawn: way(folder / LOG, kept, drawn), told_first=told_first
        )
        survived(f"mutations ({how})", 1)
        shutil.rmtree(folder)
