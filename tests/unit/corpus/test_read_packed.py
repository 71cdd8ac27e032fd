from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
import time
from pathlib import Path

import pytest

from rerank_cli.corpus.read import Unreadable, format_of, read_file
from rerank_cli.corpus.read.formats import FORMATS, Format
from rerank_cli.records import Block, FoundFile, Reading, at_lines
from rerank_cli.stamps import Stamp
from tests.growth import FAR_TOO_LONG_S

PACK = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
PAGE = b"# Boiler\n\nBleed the radiators.\n"


def read(path: str, content: bytes) -> Reading:
    return read_file(FoundFile(path, Path(path), Stamp(len(content), 0, 0, 0)), content, lone=False)


@pytest.mark.parametrize("ending", PACK)
def test_a_packed_file_is_read_as_what_it_holds_with_the_lines_of_that(ending: str) -> None:
    (document,) = read(f"docs/page.md.{ending}", PACK[ending](PAGE)).documents
    assert (document.id, document.title) == (f"docs/page.md.{ending}", "Boiler")
    assert document.blocks == (Block("Bleed the radiators.", at_lines(3, 3), ("Boiler",)),)


def test_the_older_form_of_xz_is_read_too() -> None:
    assert (
        read("a.txt.lzma", lzma.compress(b"Boiler", format=lzma.FORMAT_ALONE)).documents[0].blocks[0].text == "Boiler"
    )


def test_a_file_without_another_ending_is_text_named_by_its_name() -> None:
    (document,) = read("doc/change-log.gz", gzip.compress(b"Boiler\n")).documents
    assert (document.title, document.blocks[0].text) == ("change log", "Boiler")


def test_packed_records_are_documents_of_the_packed_file() -> None:
    (record,) = read("a.jsonl.gz", gzip.compress(b'{"id": "gas", "text": "Shut the valve."}')).documents
    assert record.id == "a.jsonl.gz#gas"


def test_a_binary_format_is_given_the_unpacked_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, ".outer", Format("outer", 1, "packed_reader_of_tests", binary=True))
    monkeypatch.setattr(Format, "read_bytes", lambda _, content, path: Reading((), (f"{path}: {content!r}",)))
    assert read("a.outer.gz", gzip.compress(b"\0\1")).notes == ("a.outer: b'\\x00\\x01'",)


def test_a_packed_file_is_read_again_when_its_inner_format_is() -> None:
    assert format_of("a.MD.GZ").reading == f"gzip 2, {format_of('a.md').reading}"
    assert format_of("a.md.gz").binary


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tgz", "a.md.gz"])
def test_an_archive_is_told(name: str) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo("page.md")
        member.size = len(PAGE)
        tar.addfile(member, io.BytesIO(PAGE))
    with pytest.raises(Unreadable, match="an archive: unpack it to search it"):
        read(name, archive.getvalue())


@pytest.mark.parametrize("content", [b"\x7fELF\0\0", b"%PDF-1.7\n"])
def test_what_is_binary_inside_is_no_text(content: bytes) -> None:
    with pytest.raises(Unreadable, match="binary once it is unpacked"):
        read("a.txt.gz", gzip.compress(content))


def test_wide_text_is_text() -> None:
    for encoding in ("utf-16", "utf-16-le"):
        assert read("a.txt.gz", gzip.compress("Kessel".encode(encoding))).documents[0].blocks[0].text == "Kessel"


@pytest.mark.parametrize("ending", PACK)
def test_of_a_file_that_is_cut_off_the_beginning_is_read_and_that_is_told(ending: str) -> None:
    words = random.Random(1).choices(["boiler", "valve", "gauge", "pump", "\n\n"], k=200_000)
    packed = PACK[ending](" ".join(words).encode())
    reading = read(f"a.txt.{ending}", packed[: len(packed) * 9 // 10])
    (note,) = reading.notes
    assert note.startswith("damaged or cut off: only its first ")
    assert reading.documents[0].blocks[0].text.split()[0] == words[0]


def test_of_a_file_whose_end_is_damaged_everything_is_read() -> None:
    damaged = bytearray(gzip.compress(b"Boiler\n" * 1000))
    damaged[-8:] = b"01234567"
    assert len(read("a.txt.gz", bytes(damaged)).documents[0].blocks[0].text) == 6999


@pytest.mark.parametrize("ending", PACK)
def test_what_was_never_packed_is_told(ending: str) -> None:
    with pytest.raises(Unreadable, match="file, or damaged from its beginning on"):
        read(f"a.txt.{ending}", b"Boiler\n" * 10)


def test_a_bomb_is_defused() -> None:
    bomb = gzip.compress(bytes(1_000_000)) * 200
    started = time.process_time()
    with pytest.raises(Unreadable, match="binary once it is unpacked"):
        read("a.txt.gz", bomb)
    with pytest.raises(Unreadable, match="unpacks to more than 100 MB"):
        read("a.txt.gz", gzip.compress(b"a" * 1_000_000) * 200)
    assert time.process_time() - started < FAR_TOO_LONG_S


def test_a_file_that_is_packed_twice_is_not_unpacked_twice() -> None:
    with pytest.raises(Unreadable, match="binary once it is unpacked"):
        read("a.txt.gz.gz", gzip.compress(gzip.compress(b"Boiler")))
