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
    assert decode(page.encode(encoding)) == page


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
