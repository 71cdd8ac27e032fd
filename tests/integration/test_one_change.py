"""One changed file costs what it holds, however much the index does."""

from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.store import open_reader
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder

LITTLE_BYTES = 1_000_000
"""An update writes the pages that it changes, the words' among them, first to a log and then to the catalog."""


def written_bytes() -> int:
    """What this process has handed to the system to write."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar"))


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="without /proc nobody can tell")
@pytest.mark.parametrize("passages", [200, 2_000])
def test_one_changed_file_is_written_and_not_the_index(
    plant: Plant, update: Update, encoder: FakeEncoder, index_folder: Path, passages: int
) -> None:
    records = passages // 100
    for number in range(100):
        texts = (f'{{"text": "{"brake chain wheel " * 5} {number} {n}"}}' for n in range(records))
        plant({f"{number}.jsonl": "\n".join(texts) + "\n"})
    update()
    with open_reader(index_folder) as index:
        assert index.counts().passages == passages
    encoder.encoded.clear()
    plant({"0.jsonl": '{"text": "spoke"}\n'})
    before = written_bytes()
    summary = update()
    after = written_bytes()
    assert (summary.changed, encoder.encoded) == (1, ["spoke"])
    assert after - before < LITTLE_BYTES
    before = written_bytes()
    assert update().up_to_date
    assert written_bytes() - before < 10_000
