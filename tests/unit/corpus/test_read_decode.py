from __future__ import annotations

import codecs
import subprocess
import sys
from pathlib import Path

import pytest

from rerank_cli.corpus.read import read_file
from rerank_cli.corpus.read.decode import Decoded, decode
from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.records import FoundFile
from rerank_cli.stamps import Stamp

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
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
    ],
)
def test_every_unicode_encoding_gives_the_same_text_without_its_mark(content: bytes) -> None:
    assert decode(content).text == TEXT


def test_every_kind_of_line_end_becomes_one_newline() -> None:
    assert decode(b"a\r\nb\rc\n\r\nd").text == "a\nb\nc\n\nd"


def test_what_other_line_breaks_unicode_knows_are_left_alone() -> None:
    assert decode("a\x0cb\u2028c\x85".encode()).text == "a\x0cb\u2028c\x85"


def test_an_older_encoding_is_guessed_from_the_text() -> None:
    text = "Die Heizkörper müssen jährlich entlüftet werden, sonst gluckern die Rohre für längere Zeit. " * 3
    assert decode(text.encode("latin-1")).text == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "It’s the pump."),
        ("cp1252", "The “boiler” isn’t hot – it’s the pump’s fault. Bleed the radiators first…"),
        ("cp1252", "The price is 30 € a month."),
        ("latin-1", "Café crème"),
        ("latin-1", "Grüße aus München"),
        ("latin-1", "Les radiateurs doivent être purgés chaque année, sinon l'eau gargouille. Où est la clé ?"),
        ("cp1252", "L’œuvre d’art est très chère, ça coûte 100 €. Où est la clé ? Élève-la, hélas."),
        ("latin-1", "Vattnet är för kallt på övervåningen, så pumpen måste bytas. Det går åt mycket el."),
        ("latin-1", "A pressão da água não está boa; é preciso trocar a bomba. O coração é a caldeira."),
        ("cp1250", "Grzejniki należy odpowietrzać co roku. Ciśnienie powinno być właściwe, a zawór otwarty."),
        ("cp1250", "A fűtőtesteket évente légteleníteni kell, különben a víz bugyog. Ellenőrizze a nyomást."),
        ("cp1250", "Radijatore treba odzračiti svake godine, inače voda šumi. Provjerite tlak i otvorite ventil."),
        ("cp1251", "Радиаторы нужно прочищать каждый год, иначе вода шумит в трубах."),
        ("koi8_r", "Радиаторы нужно прочищать каждый год, иначе вода шумит в трубах."),
        ("cp866", "Радиаторы нужно прочищать каждый год, иначе вода шумит в трубах."),
        ("cp1253", "Τα καλοριφέρ πρέπει να εξαερώνονται κάθε χρόνο, αλλιώς το νερό κάνει θόρυβο."),
        ("cp437", "Die Heizkörper müssen jährlich entlüftet werden, sonst gluckern die Rohre für längere Zeit."),
        ("shift_jis", "ラジエーターは毎年空気抜きをする必要があります。そうしないと水がゴボゴボ鳴ります。"),
        ("euc_jp", "ラジエーターは毎年空気抜きをする必要があります。そうしないと水がゴボゴボ鳴ります。"),
        ("gb18030", "散热器每年都要排气，否则水会咕噜作响。请检查压力，并打开阀门。"),
        ("big5", "散熱器每年都要排氣，否則水會咕嚕作響。請檢查壓力，並打開閥門。"),
        ("euc_kr", "라디에이터는 매년 공기를 빼야 합니다. 그렇지 않으면 물이 꼬르륵거립니다."),
    ],
)
@pytest.mark.parametrize("times", [1, 30])
def test_quotes_accents_and_other_scripts_in_an_older_encoding_are_not_garbled(
    encoding: str, text: str, times: int
) -> None:
    page = f"{text}\n" * times
    assert decode(page.encode(encoding)).text == page


def test_bytes_that_are_no_text_are_unreadable() -> None:
    with pytest.raises(Unreadable, match="encoding not recognized"):
        decode(bytes(range(128, 256)) * 4 + bytes(range(32)))


def test_a_mark_that_promises_wrongly_is_unreadable_and_not_guessed() -> None:
    with pytest.raises(Unreadable, match="not valid utf-16"):
        decode(codecs.BOM_UTF16_LE + b"a")


POLISH = "Źródło światła zostało wyłączone."
JAPANESE = "ボイラーが動きません。"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("iso8859_2", f'<html><head><meta charset="iso-8859-2"></head><p>{POLISH}'),
        ("iso8859_2", f'<meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-2"><p>{POLISH}'),
        ("iso8859_2", f"<?xml version='1.0' encoding='ISO-8859-2'?><p>{POLISH}</p>"),
        ("iso8859_2", f"# -*- coding: iso-8859-2 -*-\n# {POLISH}"),
        ("iso8859_2", f"#!/usr/bin/env ruby\n# encoding: ISO-8859-2\n# {POLISH}"),
        ("iso8859_2", f"; -*- mode: text; coding: latin-2-unix -*-\n{POLISH}"),
        ("cp1250", f"{POLISH}\n# vim: set fileencoding=cp1250 :"),
        ("iso8859_2", f"\\usepackage[latin2]{{inputenc}}\n{POLISH}"),
        ("iso8859_2", f'"Content-Type: text/plain; charset=ISO-8859-2\\n"\nmsgstr "{POLISH}"'),
        ("cp932", f"<meta charset=Shift_JIS><p>{JAPANESE}"),
        ("gb18030", "<meta charset=gb2312><p>锅炉"),
        ("cp1251", "# coding: windows-1251\nПривет"),
        ("iso2022_jp", f'<meta charset="iso-2022-jp"><p>{JAPANESE}'),
        ("iso2022_jp", f"{JAPANESE} 123\n"),
        ("iso2022_kr", "보일러"),
        ("hz", "<meta charset=hz-gb-2312><p>锅炉"),
        ("utf-8", '<meta charset="windows-1252"><p>Überdruck'),
        ("cp1251", '<meta charset="iso-8859-1"><p>Радиаторы нужно прочищать каждый год, иначе вода шумит в трубах.'),
        ("latin-1", '<meta charset="utf-8"><p>Heizkörper müssen jährlich entlüftet werden.'),
        ("latin-1", '<meta charset="utf-16"><p>Heizkörper müssen jährlich entlüftet werden.'),
        ("latin-1", '<meta charset="punycode"><p>Heizkörper müssen jährlich entlüftet werden.'),
    ],
)
def test_what_a_text_declares_is_followed_unless_it_cannot_be(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)) == Decoded(text)


@pytest.mark.parametrize("before", [0, 3000])
def test_latin_letters_are_those_of_one_language_wherever_they_stand(before: int) -> None:
    text = "nothing but plain letters\n" * before + POLISH * 3 + "\nplain again" * before
    assert decode(text.encode("iso8859_2")).text == text


def test_colours_of_a_terminal_are_no_other_encoding() -> None:
    assert decode(b"\x1b[31mred\x1b[0m").text == "\x1b[31mred\x1b[0m"


@pytest.mark.parametrize(
    ("content", "text", "note"),
    [
        (
            "日本語\n\n".encode() * 9 + b"one \x80 byte",
            "日本語\n\n" * 9 + "one \ufffd byte",
            "1 byte is not UTF-8, on line 19",
        ),
        ("Zähler\n".encode() * 9 + "Größe".encode("latin-1"), "Zähler\n" * 9 + "Größe", "2 bytes are not UTF-8"),
        ("Привет\r\n".encode() * 9 + "мир".encode("cp1251"), "Привет\n" * 9 + "\ufffd", "3 bytes are not UTF-8"),
        ("5 € für\nEnde €".encode()[:-1], "5 € für\nEnde \ufffd", "2 bytes are not UTF-8, the first on line 2"),
        ("Zähler\nEnde ü".encode()[:-1], "Zähler\nEnde \ufffd", "1 byte is not UTF-8, on line 2"),
        ("Zähler\n".encode() * 5 + "Größe süß\n".encode("latin-1") * 5, "Zähler\n" * 5 + "Größe süß\n" * 5, "20 bytes"),
        (codecs.BOM_UTF8 + b"caf\xe9 \xc3\xbc", "café ü", "1 byte is not UTF-8"),
        ("\ufeffGrüße aus Bern".encode("utf-16-le") + b"a", "Grüße aus Bern\ufffd", "1 byte is not UTF-16"),
        (
            b"<meta charset=gbk>" + "锅炉不工作".encode("gbk") + b"\x81",
            "<meta charset=gbk>锅炉不工作\ufffd",
            "1 byte is not GB18030",
        ),
    ],
)
def test_a_few_wrong_bytes_spoil_no_more_than_themselves(content: bytes, text: str, note: str) -> None:
    found = decode(content)
    assert found.text == text
    assert [told[: len(note)] for told in found.notes] == [note]


def test_what_the_decoder_notes_is_told_with_the_reading() -> None:
    content = "Zähler\n".encode() + b"caf\xe9"
    file = FoundFile("a.txt", Path("a.txt"), Stamp(len(content), 0, 0, 0))
    assert read_file(file, content).notes == ("1 byte is not UTF-8, on line 2",)


def test_the_guesser_is_not_loaded_for_utf8() -> None:
    program = (
        "import sys; from rerank_cli.corpus.read.decode import decode; decode('ü'.encode());"
        "assert 'charset_normalizer' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
