"""Files of many formats that say one fact each: every question finds its file, and its place.

`tests/data/facts/SOURCES.md` tells how they were made, and where each fact stands.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import NamedTuple

from rerank_cli import open_library
from tests.fakes import FakeEncoder, FakeReranker

FACTS = Path(__file__).parents[1] / "data" / "facts"


class Fact(NamedTuple):
    """What is asked, the words that answer it, and where they stand."""

    question: str
    answer: str
    unit: str
    at: int
    label: str = ""


ASKED = {
    "harbour.pdf": Fact("how much does the harbour crane lift", "at most nineteen tonnes", "page", 3),
    "ferry.docx": Fact("how often does the ferry bell ring in fog", "rings four times in fog", "paragraph", 8),
    "organ.docx": Fact("how many pipes does the organ have", "1,284 pipes of tin", "paragraph", 13),
    "dye.odt": Fact("how warm is the dye bath for indigo", "kept at fifty degrees", "paragraph", 18),
    "sherpa.odp": Fact("who carried the theodolite", "Sherpa Dorje carried the theodolite", "slide", 5),
    "stock.xlsx": Fact(
        "article anvil smith Borrow crypt", "anvil of the smith Borrow | crypt", "row", 37, "Stock 2024"
    ),
    "pitch.ods": Fact("where are the barrels of pitch", "barrels of pitch | boathouse", "row", 37, "Stock 2024"),
    "novel.epub": Fact("where is the ruby hidden", "inside a hollow loaf of rye", "chapter", 5, "Chapter 3"),
    "nurse.epub": Fact("where is the quinine", "quinine behind the piano", "chapter", 3, "Walk 3"),
    "tides.ipynb": Fact("how high is the spring tide", "spring tide at Carrow Point: 7.4 metres", "cell", 3),
    "key.eml": Fact("where is the spare key to the chapel", "under the third beehive", "message", 1, "2024-03-05"),
    "archive.mbox": Fact("when is the oil filter of the tractor changed", "250 hours", "message", 5, "2019-07-05"),
    "film.srt": Fact("what was the baron poisoned with", "poisoned with foxglove tea", "time", 290_000),
    "talk.vtt": Fact("how fast do the glaciers retreat", "retreat ninety metres a year", "time", 410_000),
    "dates.ics": Fact("when does the chimney sweep come", "2025-04-03 14:30", "line", 30),
    "thesis.tex": Fact("how many folios are in the corpus of letters", "comprises 6,072 folios", "line", 98),
    "kilnctl.1": Fact("how to hold the top temperature", "the default is 35", "line", 36),
    "moth.nxml": Fact("what do larvae of the ermine moth prefer", "prefer spindle leaves", "line", 59),
    "ships.mediawiki": Fact("who is master of the Petrel", "Petrel | Juana Sol", "line", 29),
    "toll.txt.gz": Fact("what is the toll at Harrow Gate waived for", "waived for funerals", "line", 13),
}


def test_every_fact_is_found_in_its_file_and_at_its_place(tmp_path: Path) -> None:
    folder = shutil.copytree(FACTS, tmp_path / "facts", ignore=shutil.ignore_patterns("*.md"))
    (folder / "tides.ipynb.json").rename(folder / "tides.ipynb")
    with open_library(folder, encoder=FakeEncoder(), reranker=FakeReranker()) as library:
        assert library.update().failed == ()
        found = {path: library.search(fact.question, top_n=1).hits[0] for path, fact in ASKED.items()}
    assert {path: hit.path for path, hit in found.items()} == {path: path for path in ASKED}
    for path, fact in ASKED.items():
        place, text = found[path].place, re.sub(r"\s+", " ", found[path].text)
        assert fact.answer in text
        assert (place.unit, place.label) == (fact.unit, fact.label), path
        assert place.first <= fact.at <= place.last, f"{path}: {place}"
