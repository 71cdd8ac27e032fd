"""A small collection over fake models, and one pass over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rerank_cli.evaluation.evaluate import Request, Workplace
from rerank_cli.evaluation.inputs.collection import Collection, JudgedQuery
from rerank_cli.search import SearchSettings
from rerank_cli.store import open_reader
from rerank_cli.store.reader import IndexReader
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder, FakeReranker

WORDS = "brake chain pedal saddle tyre wheel spoke pump lever cable grip".split()

BASE = SearchSettings(retriever="hybrid", top_k=20, fusion="rrf", fusion_weight=0.5, reranks=True, per_document=1)


def text_of(number: int) -> str:
    """A document of two passages; which words it has goes by its number."""
    first, second = WORDS[number % 11], WORDS[(number * number + 3) % 11]
    begin = f"# {first}\n\nThe {first} of number {number} and its {second}.\n"
    return f"{begin}\n# {second}\n\nOil for the {second}, {first}.\n"


@pytest.fixture
def collection() -> Collection:
    queries = [JudgedQuery(f"q{number}", f"{WORDS[number]} oil {WORDS[(number + 4) % 11]}") for number in range(9)]
    qrels = {
        query.id: {f"{number:02}.md": 2, f"{(number + 11) % 40:02}.md": 1, f"{(number + 3) % 40:02}.md": 0}
        for number, query in enumerate(queries)
    }
    return Collection(tuple(queries), qrels)


@pytest.fixture
def index(plant: Plant, update: Update, index_folder: Path) -> Iterator[IndexReader]:
    plant({f"{number:02}.md": text_of(number) for number in range(40)})
    update(passage_tokens=16)
    with open_reader(index_folder) as reader:
        yield reader


@pytest.fixture
def workplace(index: IndexReader, encoder: FakeEncoder, reranker: FakeReranker) -> Workplace:
    return Workplace(index=index, encoder=encoder, reranker=reranker, cache=None, device="cpu")


@pytest.fixture
def request_of() -> Callable[..., Request]:
    def build(variant: SearchSettings = BASE, **options: object) -> Request:
        return Request(variant=variant, **options)  # type: ignore[arg-type]

    return build


LIBRARY = {
    "radiators.md": "# Heating\n\n## Cold at the top\n\nA radiator gathers air. Bleed it with the square key until "
    "water\ncomes out of the valve. Then close it. The house is warm again and everybody is glad of the heat.\n",
    "boiler.md": "# Heating\n\nThe boiler is in the cellar. It needs care.\n\n- Its expansion vessel goes flat after "
    "ten winters\n- It needs care\n\nThe house is warm again and everybody is glad of the heat.\n",
    "lone.md": "One sentence alone that is the whole passage of this file.\n",
}


@pytest.fixture
def library(plant: Plant, update: Update, index_folder: Path) -> Iterator[IndexReader]:
    plant(LIBRARY)
    update(passage_tokens=120)
    with open_reader(index_folder) as reader:
        yield reader
