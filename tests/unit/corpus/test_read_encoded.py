from __future__ import annotations

import base64
import hashlib
import random
from functools import partial
from types import ModuleType

import pytest

from rerank_cli.corpus.read import code, text
from rerank_cli.corpus.read.encoded import without_encoded
from tests.growth import grows_evenly


def encoded(size: int, seed: int = 1) -> str:
    return base64.b64encode(random.Random(seed).randbytes(size)).decode()


def wrapped(size: int, width: int = 76) -> str:
    run = encoded(size)
    return "\n".join(run[at : at + width] for at in range(0, len(run), width))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"before {encoded(300)} after", "before  after"),
        (f'{{"image": "{encoded(300)}"}}', '{"image": ""}'),
        (f"![The gauge](data:image/png;base64,{encoded(90)})", "![The gauge]()"),
        (f"url(data:font/woff2;charset=utf-8;base64,{encoded(90)})", "url()"),
        (f"key {base64.urlsafe_b64encode(random.Random(3).randbytes(400)).decode()}", "key "),
        ("zeros " + base64.b64encode(b"PNG\1" + bytes(900) + random.Random(3).randbytes(90)).decode(), "zeros "),
    ],
)
def test_a_long_run_of_base64_is_taken_out(text: str, kept: str) -> None:
    assert without_encoded(text) == kept


@pytest.mark.parametrize("text", ["A boiler holds water under pressure. " * 20, "<p>Überdruck &amp; Ventil</p>" * 30])
def test_text_in_base64_is_taken_out_as_well(text: str) -> None:
    assert without_encoded(base64.b64encode(text.encode()).decode()) == ""


@pytest.mark.parametrize(
    ("before", "after"),
    [("", ""), ("> ", ""), ("# ", ""), ('    "', '"'), ("b'", "',"), ('"', '\\n"')],
)
@pytest.mark.parametrize("width", [60, 64, 76])
def test_a_block_of_base64_is_blanked_and_lines_keep_their_numbers(before: str, after: str, width: int) -> None:
    block = "\n".join(before + line + after for line in wrapped(301, width).split("\n"))
    text = f"-----BEGIN-----\n{block}\n-----END-----\nBoiler"
    assert without_encoded(text).split("\n") == [
        "-----BEGIN-----",
        *[""] * (block.count("\n") + 1),
        "-----END-----",
        "Boiler",
    ]


def test_the_word_below_a_block_stays() -> None:
    full = wrapped(57 * 4)
    assert without_encoded(f"{full}\nBoiler").split("\n")[-1] == "Boiler"


@pytest.mark.parametrize("reader", [code, text])
def test_texts_and_programs_are_read_without_it(reader: ModuleType) -> None:
    (document,) = reader.read(f"boiler\n\nicon = '{encoded(300)}'\n\n{wrapped(300)}\n\npump\n", "a").documents
    assert [(block.text, block.place.first) for block in document.blocks] == [
        ("boiler", 1),
        ("icon = ''", 3),
        ("pump", 12),
    ]


KEPT = {
    "a hash": "sha256 " + hashlib.sha256(b"a").hexdigest(),
    "a longer hash": hashlib.sha512(b"a").hexdigest() + hashlib.sha512(b"b").hexdigest(),
    "DNA": "ACGTTGCA" * 50,
    "a protein": "MKVLAAGIVGLLLAQPSFAWDRTYEHC" * 10,
    "a German word": "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" * 4,
    "a word of small letters": "donaudampfschifffahrtsgesellschaftskapitaen" * 6,
    "a path": "/home/ann/Documents/2026/Invoices/Boiler/Inspection/Certificate/OldCopies/Archive2019/" * 3,
    "names in CamelCase": "AbstractSingletonProxyFactoryBean2WithConfigurationPropertiesV3Holder" * 4,
    "a link": "https://example.com/s?token=" + encoded(300) + "&page=2",
    "a link in brackets": "[doc](https://example.com/d/" + encoded(300) + ")",
    "a rule": "-" * 300 + "\n" + "=" * 300 + "\n" + "_" * 300,
    "a number": "31415926535897932384626433832795" * 10,
    "an example": "data:text/plain;base64,SGVsbG8sIFdvcmxkIQ==",
    "hashes in base64": "\n".join(encoded(32, seed) for seed in range(8)),
    "hashes in hexadecimal": "\n".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(8)),
    "long names": "\n".join(f"com/example/Project/Module{n}/VeryLongFactoryName/Impl" for n in range(8)),
    "a token": "eyJhbGciOiJIUzI1NiJ9." + encoded(60),
    "a table": "|-----|-----|\n| A1 | b2 |\n" * 30,
    "a name that a compiler made": "_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE4nposE" * 6,
    "Japanese": "圧力計が一を超えたらバルブを閉じてください" * 20,
    "a slug": "how-to-bleed-a-radiator-in-10-Easy-steps-for-the-winter-of-2026-" * 4,
}  # fmt: skip


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_what_somebody_may_look_for_stays(text: str) -> None:
    assert without_encoded(text) == text


@pytest.mark.parametrize(
    "piece",
    [
        "data:", "data:a;", "a://", "A1b", "abcdefgh", "a", f"{'Ab1' * 20}\n", "a\n",
        f"{'Ab1' * 20}\n{'Ab1' * 30}\n",
    ],
)  # fmt: skip
def test_no_text_takes_a_square_of_its_length(piece: str) -> None:
    assert without_encoded(piece * 9).count("\n") == piece.count("\n") * 9
    assert grows_evenly(lambda size: partial(without_encoded, piece * (size // len(piece))), 200_000)
