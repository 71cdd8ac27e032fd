from __future__ import annotations

from functools import partial

import pytest

from rerank_cli.corpus.read import Unreadable
from rerank_cli.corpus.read.subtitles import read
from rerank_cli.records import Block, Document, Place
from tests.growth import grows_evenly

SRT = """\
1
00:00:01,000 --> 00:00:03,500
<i>The boiler holds water</i>
{\\an8}under pressure.

2
00:00:03,600 --> 00:00:06,000 X1:100 X2:200 Y1:10 Y2:20
When it falls, the <font color="#ff0000">pump</font>

3
00:00:06,000 --> 00:00:08,000
stops &amp; the gauge is red.

4
00:00:20,000 --> 01:00:00,000
Call the plumber.
"""

# As a site makes them of speech that it recognizes: each line stands for two cues, and rolls up.
ROLLING = """\
WEBVTT
Kind: captions
Language: en

00:00:00.160 --> 00:00:02.389 align:start position:0%
_
hello<00:00:00.480><c> and</c><00:00:00.640><c> welcome</c>

00:00:02.389 --> 00:00:02.399 align:start position:0%
hello and welcome
_

00:00:02.399 --> 00:00:04.950 align:start position:0%
hello and welcome
today<00:00:02.800><c> we</c><c.colorE5E5E5> bleed</c>

00:00:04.950 --> 00:00:04.960 align:start position:0%
today we bleed
_

00:00:04.960 --> 00:00:07.000 align:start position:0%
today we bleed
the<00:00:05.200><c> radiators</c>
""".replace("_", " ")


def document(text: str) -> Document:
    (only,) = read(text, "a.vtt").documents
    return only


def said(text: str) -> list[str]:
    return [block.text for block in document(text).blocks]


def cue(first: float, last: float, *lines: str) -> str:
    shown = "\n".join(lines)
    return f"{at(first)} --> {at(last)}\n{shown}\n\n"


def at(seconds: float) -> str:
    return f"{int(seconds) // 60:02}:{seconds % 60:06.3f}"


def test_cues_become_paragraphs_with_their_times() -> None:
    assert document(SRT).blocks == (
        Block(
            "The boiler holds water under pressure. When it falls, the pump stops & the gauge is red.",
            Place("time", 1000, 8000),
        ),
        Block("Call the plumber.", Place("time", 20_000, 3_600_000)),
    )


def test_lines_that_roll_up_are_read_once() -> None:
    assert document(ROLLING).blocks == (
        Block("hello and welcome today we bleed the radiators", Place("time", 160, 7000)),
    )


def test_a_line_that_grows_word_by_word_is_read_once() -> None:
    assert said(cue(1, 2, "the") + cue(2, 3, "the pump") + cue(3, 4, "the pump runs")) == ["the pump runs"]


def test_what_is_said_again_later_is_read_again() -> None:
    assert said(cue(1, 2, "No.") + cue(3, 4, "No.")) == ["No. No."]


def test_notes_styles_regions_and_numbers_are_left_out_and_a_title_is_read() -> None:
    text = "WEBVTT - Boilers\n\nSTYLE\n::cue { color: red }\n\nNOTE\nchecked by Bob\n\nREGION\nid:a\n\nintro-1\n" + cue(
        1, 2, "Welcome."
    )
    assert (document(text).title, said(text)) == ("Boilers", ["Welcome."])


def test_a_speaker_is_named_once_and_parts_paragraphs() -> None:
    text = (
        cue(1, 2, "<v Ann>Is the valve", "shut?</v>")
        + cue(2, 3, "<v Ann>I ask.")
        + cue(3, 4, "<v.loud Bob Smith>Yes &amp; no.")
        + cue(4, 5, "<v Ann>One <v Bob Smith>Two")
    )
    assert said(text) == ["Ann: Is the valve shut? I ask.", "Bob Smith: Yes & no.", "Ann: One", "Bob Smith: Two"]


def test_speakers_that_are_written_out_part_paragraphs_too() -> None:
    text = (
        cue(1, 2, "ANN: Is it", "shut?")
        + cue(2, 3, "- Yes.", "- No.")
        + cue(3, 4, ">> Who knows?")
        + cue(4, 5, "Dr. Bob Smith: I do.")
    )
    assert said(text) == ["ANN: Is it shut?", "- Yes.", "- No.", ">> Who knows?", "Dr. Bob Smith: I do."]


def test_a_long_paragraph_ends_with_a_sentence() -> None:
    text = "".join(cue(n, n + 1, f"word {n} of the story" + ("." if n % 5 == 4 else "")) for n in range(40))
    first, *_ = document(text).blocks
    assert first.text.endswith("word 14 of the story.")
    assert first.place == Place("time", 0, 15_000)


def test_speech_without_sentences_is_parted_too() -> None:
    assert [len(text.split()) for text in said("".join(cue(n, n + 1, f"{n} a b c") for n in range(40)))] == [120, 40]


@pytest.mark.parametrize(
    "text",
    [
        "1\n00:00:01,000 --> 00:00:02,000\nOne.\n2\n00:00:02,000 --> 00:00:03,000\nTwo.\n",
        "\ufeff1\n0:0:1.0-->0:0:2.0\nOne.\n\n\n\n2\n0:0:2,0 --> 0:0:3,0\nTwo.",
        "1\n00:00:01,000 --> 00:00:02,000\nOne.\n \n2\n00:00:02,000 --> 00:00:03,000\nTwo.\n",
    ],
)  # fmt: skip
def test_carelessly_written_cues_are_read(text: str) -> None:
    assert document(text).blocks == (Block("One. Two.", Place("time", 1000, 3000)),)


def test_a_number_that_is_said_is_text() -> None:
    assert said(cue(1, 2, "42", "is the answer")) == ["42 is the answer"]


def test_an_end_before_the_beginning_is_none() -> None:
    assert document(cue(5, 2, "One.")).blocks[0].place == Place("time", 5000, 5000)


@pytest.mark.parametrize("text", ["a < b and c > d", "1 <3 you", "{not a tag}", "<- back"])
def test_what_is_no_tag_stays(text: str) -> None:
    assert said(cue(1, 2, text)) == [text]


def test_what_is_no_subtitles_is_told_and_an_empty_file_is_empty() -> None:
    with pytest.raises(Unreadable, match="no subtitles"):
        read("Just words.\n", "a.srt")
    assert said("WEBVTT\n") == said("") == []


@pytest.mark.parametrize(
    "piece",
    [
        "00:01.000 --> 00:02.000\na\n", "00:01.000 --> 00:02.000\n", " \n", "1\n", "<v a", "<v a>", "{\\a", "<c>",
        "A. ", "00:01.000 --> ", "00:", "1" * 5000, "-", "A b: ", "00:01.000 --> 00:02.000\n \n",
    ],
)  # fmt: skip
def test_no_file_takes_a_square_of_its_length(piece: str) -> None:
    before = "WEBVTT\n\n00:01.000 --> 00:02.000\n"
    assert grows_evenly(lambda size: partial(read, before + piece * (size // len(piece)), "a.vtt"), 200_000)
