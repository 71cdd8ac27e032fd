"""Text and JSON lines are read in one way, and whatever is wrong is told on one line with its file and place."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest

from rerank_cli.errors import InputError
from rerank_cli.files import json_lines, json_object, numbered_lines, read_text, write_text


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path, *, unpack: bool = False) -> InputError:
    with pytest.raises(InputError) as caught:
        list(numbered_lines(path, unpack=unpack))
    assert "\n" not in str(caught.value) and caught.value.remedy
    return caught.value


# Lines


def test_lines_are_numbered_as_an_editor_does_and_blank_ones_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "a", "\ufeffone\r\n\n  \ntwo\u2028still two\x0band\x85this\nthree")
    assert list(numbered_lines(path)) == [(1, "one"), (4, "two\u2028still two\x0band\x85this"), (5, "three")]


def test_a_whole_text_is_read_with_its_blank_lines_and_without_a_byte_order_mark(tmp_path: Path) -> None:
    assert read_text(written(tmp_path / "a", "\ufeffone\r\n\n\ufefftwo")) == "one\r\n\n\ufefftwo"
    assert read_text(written(tmp_path / "empty", "")) == ""


@pytest.mark.parametrize(
    ("content", "byte"),
    [(b"ok\ncaf\xe9\n", 6), (b"\xef\xbb\xbfa\tcaf\xe9\n", 8), (b"\xff\xfe", 0), (b"a\n\xe2\x82", 2)],
)
def test_what_is_not_utf8_is_named_with_its_byte_in_the_file(tmp_path: Path, content: bytes, byte: int) -> None:
    (tmp_path / "a").write_bytes(content)
    assert str(refusal(tmp_path / "a")) == f"{tmp_path / 'a'}: not UTF-8 at byte {byte}"
    with pytest.raises(InputError, match=f"not UTF-8 at byte {byte}$"):
        read_text(tmp_path / "a")


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    assert str(refusal(tmp_path / "none")) == f"{tmp_path / 'none'}: cannot be read (No such file or directory)"
    assert str(refusal(tmp_path)) == f"{tmp_path}: cannot be read (Is a directory)"


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"one\ntwo\n")
    os.close(writer)
    assert [line for _, line in numbered_lines(Path(f"/dev/fd/{reader}"))] == ["one", "two"]
    os.close(reader)


def test_a_packed_file_is_unpacked_where_it_may_be_one_and_else_told(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "without-its-ending"):
        (tmp_path / name).write_bytes(gzip.compress(b"one\n\ntwo\n"))
        assert list(numbered_lines(tmp_path / name, unpack=True)) == [(1, "one"), (3, "two")]
        assert str(refusal(tmp_path / name)) == f"{tmp_path / name}: is compressed"


@pytest.mark.parametrize(
    "content", [b"no archive", gzip.compress(b"one\n")[:-9], b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + b"\xff" * 99]
)
def test_a_damaged_archive_is_an_input_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.gz").write_bytes(content)
    assert str(refusal(tmp_path / "a.gz", unpack=True)).startswith(f"{tmp_path / 'a.gz'}: cannot be read (")


# JSON


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": ', "not valid JSON (Expecting value)"),
        ("", "not valid JSON (Expecting value)"),
        ('{"a": ' + "[" * 200_000, "not valid JSON (nested too deeply)"),
        ('{"a": ' + "1" * 5000 + "}", "not valid JSON (a number has too many digits)"),
        ("[1]", "not a JSON object"),
        ("null", "not a JSON object"),
    ],
)
def test_what_is_no_object_is_told_in_words_and_with_file_and_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)) as caught:
        json_object(text)
    assert str(caught.value) == reason
    path = written(tmp_path / "a.jsonl", f'{{"a": 1}}\n\n{text or "x"}\n')
    with pytest.raises(InputError) as told:
        list(json_lines(path, remedy="write it so"))
    assert (str(told.value), told.value.remedy) == (f"{path}:3: {reason}", "write it so")


def test_each_object_comes_with_its_place(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '\ufeff{"a": 1}\n\n{"b": "\u2028"}\r\n')
    assert list(json_lines(path, remedy="")) == [(f"{path}:1", {"a": 1}), (f"{path}:3", {"b": "\u2028"})]


# Writing


def test_a_file_that_cannot_be_written_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_text(tmp_path / "none" / "a.run", "x")


def test_a_device_or_pipe_is_written_to_and_a_link_followed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_text(tmp_path / "pipe", "x")
    assert os.read(reader, 9) == b"x" and (tmp_path / "pipe").is_fifo()
    os.close(reader)
    (tmp_path / "link").symlink_to(written(tmp_path / "file", "old"))
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_text() == "new"
