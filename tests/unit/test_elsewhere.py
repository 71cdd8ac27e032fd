"""Where an index is kept that is not on this disk: addresses, and what this machine remembers of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rerank_cli.errors import IndexDamaged, InputError, UsageError
from rerank_cli.store import open_reader, open_writer
from rerank_cli.store.elsewhere import Elsewhere, check_kept_at, place_of, read_elsewhere, remember_elsewhere
from rerank_cli.store.layout import indexes_folder
from rerank_cli.store.location import find_index
from rerank_cli.store.milvus.address import parse_address
from rerank_cli.store.milvus.rows import packed, unpacked
from rerank_cli.store.roots import indexed_root
from tests.conftest import Plant, Update

FAR = Elsewhere("milvus+https://host:19530/notes", "/docs/notes")


def test_what_is_remembered_comes_back_and_finds_the_index_of_its_folder(tmp_path: Path) -> None:
    folder = indexes_folder() / "notes"
    assert read_elsewhere(folder) is None
    remember_elsewhere(folder, FAR)
    assert read_elsewhere(folder) == FAR
    assert indexed_root(folder) == Path("/docs/notes")
    assert find_index(None, start=Path("/docs/notes/deep")) == folder
    assert find_index("no", start=tmp_path) == folder
    assert place_of(folder) == folder
    remember_elsewhere(folder, Elsewhere("milvus+file:/data/x.db/notes"))
    assert place_of(folder) == Path("/data/x.db")


def test_what_is_remembered_and_damaged_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text('{"address": ')
    with pytest.raises(IndexDamaged, match="is not what was written") as raised, open_reader(tmp_path):
        pass
    assert raised.value.remedy.endswith(f"rm {tmp_path}/elsewhere.json")


def test_an_index_stays_where_it_is(tmp_path: Path, update: Update, plant: Plant, index_folder: Path) -> None:
    check_kept_at(index_folder, FAR.address)
    plant({"a.md": "brake\n"})
    update()
    with pytest.raises(UsageError, match="this index is kept on this disk"):
        check_kept_at(index_folder, FAR.address)
    check_kept_at(index_folder, "")
    with open_writer(index_folder, wait_s=0, store=FAR.address) as writer:
        assert writer.location == index_folder, "a setting for new indexes is none of its matter"
    far = tmp_path / "far"
    remember_elsewhere(far, FAR)
    check_kept_at(far, "milvus+https://host/notes")
    with pytest.raises(UsageError, match=f"far: this index is kept at {re.escape(FAR.address)}") as raised:
        check_kept_at(far, "milvus+https://another/notes")
    assert raised.value.remedy == "leave --store out, or make another index with --index NAME"


def test_a_missing_extra_is_named_and_nothing_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rerank_cli.extras.find_spec", lambda name: None)
    folder, address = tmp_path / "new", f"milvus+file:{tmp_path}/x.db/notes"
    with (
        pytest.raises(UsageError, match="needs pymilvus and milvus-lite, not installed") as raised,
        open_writer(folder, wait_s=0, store=address),
    ):
        pass
    assert raised.value.remedy == "install what it needs: pip install 'rerank-cli[milvus]'"
    assert not folder.exists()


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("milvus+http://", "is no address"),
        ("milvus+http://me:pw@host/notes", "holds no password"),
        ("milvus+file:notes", "names no file that ends in .db"),
        ("milvus+http://host/a__b", "is no name of a collection"),
        ("milvus+http://host:port/notes", "is no address"),
    ],
)
def test_an_address_that_is_none_is_told(address: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        parse_address(address, collection="docs")


def test_a_collection_that_is_not_named_has_the_name_of_the_index() -> None:
    assert str(parse_address("milvus+https://host", collection="docs-1a2b")) == "milvus+https://host:19530/i_docs_1a2b"
    assert parse_address("milvus+file:/a/b.db", collection="x").collection == "i_x"


def test_what_is_too_long_for_a_row_is_packed_and_comes_back() -> None:
    long = ["brake " * 20_000, "é"]
    content = packed(long, of="a.md")
    assert len(content) < 65_535 and unpacked(content) == long
    assert unpacked(packed(["short"], of="a.md")) == ["short"]
    noise = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(60_000))
    with pytest.raises(InputError, match=r"a\.md: has a passage too long for Milvus"):
        packed(noise, of="a.md")
    with pytest.raises(IndexDamaged, match="is not what was written"):
        unpacked("z:nothing")
