from __future__ import annotations

import codecs
import subprocess
import sys

import pytest

from rerank_cli.corpus.read.decode import decode
from rerank_cli.corpus.read.errors import Unreadable

TEXT = "Grüße, 日本\nsecond"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"),
        codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"),
    ],
)
def test_every_unicode_encoding_gives_the_same_text_without_its_mark(content: bytes) -> None:
    assert decode(content) == TEXT


def test_every_kind_of_line_end_becomes_one_newline() -> None:
    assert decode(b"a\r\nb\rc\n\r\nd") == "a\nb\nc\n\nd"


def test_what_other_line_breaks_unicode_knows_are_left_alone() -> None:
    assert decode("a\x0cb\u2028c\x85".encode()) == "a\x0cb\u2028c\x85"


def test_an_older_encoding_is_guessed_from_the_text() -> None:
    text = "Die Heizkörper müssen jährlich entlüftet werden, sonst gluckern die Rohre für längere Zeit. " * 3
    assert decode(text.encode("latin-1")) == text


def test_bytes_that_are_no_text_are_unreadable() -> None:
    with pytest.raises(Unreadable, match="encoding not recognized"):
        decode(bytes(range(128, 256)) * 4 + bytes(range(32)))


def test_a_mark_that_promises_wrongly_is_unreadable_and_not_guessed() -> None:
    with pytest.raises(Unreadable, match="not valid utf-16"):
        decode(codecs.BOM_UTF16_LE + b"a")


def test_the_guesser_is_not_loaded_for_utf8() -> None:
    program = (
        "import sys; from rerank_cli.corpus.read.decode import decode; decode('ü'.encode());"
        "assert 'charset_normalizer' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
