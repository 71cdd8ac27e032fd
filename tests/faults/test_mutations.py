"""Whatever happens to one file of an index, it answers as before or says what to do, and doing that mends it."""

from __future__ import annotations

import random
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rerank_cli import stamps
from rerank_cli.errors import UnusableIndex
from rerank_cli.ports import EVERYTHING, FieldRule, Filter
from rerank_cli.store import open_reader
from rerank_cli.store.health import check_health
from rerank_cli.store.vectors import KEY, VectorFiles
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder
from tests.faults.conftest import LONG

FLIPS = 40 if LONG else 1
"""Places of each file at which a bit is flipped, beside some in its first bytes, where formats say most."""

CUTS = 6 if LONG else 1

HEAD_BYTES = 100

PARTS = ("catalog.sqlite", "catalog.seal", "*.keys", "*.vectors", "*.hnsw", "staging", "write.lock")

QUERY = "brake of the old bicycle"

WITHIN = Filter(("1*.md", "notes.jsonl"), since=1_000_000_000, fields=(FieldRule("tag", "o*"),))


@dataclass(frozen=True)
class Mutation:
    """What happens to the file that `part` is the name or the pattern of."""

    part: str
    way: str
    seed: int


@dataclass(frozen=True)
class Made:
    """An index of one `kind` that is `sound`, as it was a generation before, and what it answers."""

    kind: str
    sound: Path
    older: Path
    answers: object

    @property
    def parts(self) -> list[str]:
        return [part for part in PARTS if any(self.sound.glob(part))]


@pytest.fixture(params=["exact", "hnsw"])
def made(
    request: pytest.FixtureRequest,
    plant: Plant,
    update: Update,
    index_folder: Path,
    docs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Made:
    """Of a graph, the vectors are written anew with the second generation, else they grow.

    A run that broke down left what it had read.
    """
    monkeypatch.setattr(stamps, "SETTLED_NS", 0)  # what a file looked like is believed at once, and stays as it is
    kind = request.param
    texts = {f"{n}.md": f"# Part {n}\n\nThe brake number {n}.\n\n## Old\n\nA bicycle, {n}.\n" for n in range(24)}
    tagged = {path: f"---\ntags: [old, bicycle]\n---\n\n{text}" for path, text in texts.items() if len(path) > 4}
    notes = '{"id": "a", "text": "an oily chain", "tag": "oil"}\n'
    plant({**texts, **tagged, "notes.jsonl": notes, "broken.jsonl": "no record\n"})
    update(search=kind)
    shutil.copytree(index_folder, tmp_path / "older")
    plant({"1.md": "The old brake was sold.\n", "30.md": "A new bicycle has a brake.\n"})
    (docs / "2.md").unlink()
    update(search=kind, prune=kind == "hnsw")
    (docs / "more.md").write_text("A saddle that is still to come.\n")
    with pytest.raises(RuntimeError, match="broke down"):
        update(search=kind, encoder=FakeEncoder(fails_after=0))
    (docs / "more.md").unlink()
    shutil.copytree(index_folder, tmp_path / "sound")
    shutil.copyfile(index_folder / "staging", tmp_path / "older" / "staging")
    return Made(kind, tmp_path / "sound", tmp_path / "older", answers(index_folder))


def answers(index_folder: Path) -> object:
    """All that a reader is asked for, without what a rebuild may give another number."""
    vector = FakeEncoder().encode_queries([QUERY])[0]
    told = []
    with open_reader(index_folder) as index:
        for within in (EVERYTHING, WITHIN):
            for ranking in (
                index.search_dense(vector, 10, within=within),
                index.search_dense(vector, 10, within=within, exact=True),
                index.search_dense(vector, 1000, within=within),
                index.search_lexical(QUERY.split(), 1000, within=within),
            ):
                passages = [passage for passage, _ in ranking]
                origins, cosines, stored = (
                    index.origins(passages),
                    index.opening_cosines(vector, passages),
                    index.read(passages),
                )
                told.append(
                    [
                        (origins[passage], score, cosines[passage], stored[passage].passage, stored[passage].title)
                        for passage, score in ranking
                    ]
                )
        scanned = [stored._replace(id=0) for stored in index.scan()]
        counts = index.counts()._replace(size_bytes=0)
        told.append([index.files(), index.file_states(["1.md"]), index.field_counts()])
        return told, scanned, counts, index.has_documents(["1.md", "2.md"])


def mutations(made: Made) -> Iterator[Mutation]:
    for part in made.parts:
        for way, count in {**dict.fromkeys(WAYS, 1), "a bit flipped": FLIPS, "truncated": CUTS}.items():
            yield from (Mutation(part, way, seed) for seed in range(count))


def mutate(made: Made, index_folder: Path, mutation: Mutation) -> None:
    """Put the sound index in its place, and let the mutation happen to it."""
    shutil.rmtree(index_folder, ignore_errors=True)
    shutil.copytree(made.sound, index_folder)
    (path,) = index_folder.glob(mutation.part)
    (older,) = made.older.glob(mutation.part)
    WAYS[mutation.way](path, older, random.Random(f"{made.kind} {mutation}"))


def truncate(path: Path, older: Path, draw: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: draw.randrange(len(content))])


def flip_a_bit(path: Path, older: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    place = draw.randrange(min(len(content), draw.choice((HEAD_BYTES, len(content)))))
    content[place] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def become_a_folder(path: Path, older: Path, draw: random.Random) -> None:
    path.unlink()
    path.mkdir()
    (path / "mine.txt").write_text("somebody's")


WAYS: dict[str, Callable[[Path, Path, random.Random], object]] = {
    "truncated": truncate,
    "emptied": lambda path, older, draw: path.write_bytes(b""),
    "a bit flipped": flip_a_bit,
    "of an older generation": lambda path, older, draw: shutil.copyfile(older, path),
    "removed": lambda path, older, draw: path.unlink(),
    "a folder": become_a_folder,
}


def lost_texts(made: Made, index_folder: Path) -> int:
    """How many texts of the index have no row any more that is as it was."""
    used = {stored.passage.text_hash for stored in passages_of(made.sound)}
    (keys,) = made.sound.glob("*.keys")
    before, now = VectorFiles(made.sound, keys.stem), VectorFiles(index_folder, keys.stem)
    rows, rows_now = [content_of(files.matrix, files.row_bytes) for files in (before, now)]
    keys_before, keys_now = [content_of(files.keys, KEY.itemsize) for files in (before, now)]
    whole = zip(zip(keys_before, rows, strict=True), zip(keys_now, rows_now, strict=False), strict=False)
    return len(used - {key[:16] for (key, row), pair in whole if (key, row) == pair})


def passages_of(folder: Path) -> list[object]:
    with open_reader(folder) as index:
        return list(index.scan())


def content_of(path: Path, size: int) -> list[bytes]:
    content = path.read_bytes() if path.is_file() else b""
    return [content[start : start + size] for start in range(0, len(content) - size + 1, size)]


def follow(remedy: str, made: Made, update: Update, encoder: FakeEncoder, index_folder: Path, docs: Path) -> None:
    """Do what *remedy* says, as a shell would."""
    told = re.search(r": (?:(mv .*) && )?(rerank-cli index .*)$", remedy)
    assert told, remedy
    if told[1]:
        subprocess.run(told[1], shell=True, check=True)
    words = shlex.split(told[2])[2:]
    rebuild = "--rebuild" in words
    assert [word for word in words if word != "--rebuild"] == [str(docs), "--index", str(index_folder)], remedy
    update(search=made.kind, encoder=encoder, rebuild=rebuild)


def check_mended(made: Made, mutation: Mutation, update: Update, index_folder: Path) -> None:
    assert check_health(index_folder, pages=True).failure is None, mutation
    assert answers(index_folder) == made.answers, mutation
    idle = FakeEncoder(fails_after=0)
    assert update(search=made.kind, encoder=idle).up_to_date, mutation
    assert answers(index_folder) == made.answers, mutation
    if mutation.way == "a folder":
        assert len([*index_folder.rglob("mine.txt")]) == 1, "what was somebody's is still there"


def test_a_query_gives_the_unharmed_answers_or_a_remedy_that_works(
    made: Made, update: Update, docs: Path, index_folder: Path, survived
) -> None:
    told = 0
    for mutation in mutations(made):
        mutate(made, index_folder, mutation)
        lost = lost_texts(made, index_folder)
        encoder = FakeEncoder()
        try:
            assert answers(index_folder) == made.answers, mutation
        except UnusableIndex as error:
            told += 1
            follow(error.remedy, made, update, encoder, index_folder, docs)
            assert len(encoder.encoded) == lost, mutation
            check_mended(made, mutation, update, index_folder)
        survived("mutations of a file that a query met", 1)
    survived("of them told with a remedy that mended the index", told)


def test_a_run_mends_what_happened_or_gives_a_remedy_that_works(
    made: Made, update: Update, docs: Path, index_folder: Path, survived
) -> None:
    told = 0
    for mutation in mutations(made):
        mutate(made, index_folder, mutation)
        lost = lost_texts(made, index_folder)
        encoder = FakeEncoder()
        try:
            update(search=made.kind, encoder=encoder)
        except UnusableIndex as error:
            told += 1
            assert not encoder.encoded, mutation
            follow(error.remedy, made, update, encoder, index_folder, docs)
        assert len(encoder.encoded) == lost, mutation
        check_mended(made, mutation, update, index_folder)
        survived("mutations of a file that a run met", 1)
    survived("of them told by the run with a remedy that mended the index", told)
