"""Read subtitles, SubRip and WebVTT: what is said, in paragraphs, with the times at which it is said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape

from rerank_cli.corpus.read.encoded import without_encoded
from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.records import Document, Reading

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMES = re.compile(rf"[ \t]*+{_TIME}[ \t]*+-->[ \t]*+{_TIME}(?>(?:[ \t].*)?)")

# Who speaks: as WebVTT marks it, as a name before a colon, or only that it is somebody else.
_VOICE = re.compile(r"<v(?:\.[^\s>]*+)?[ \t]++([^>]{1,100}+)>")
_TURN = re.compile(
    "(?>(?:[-\u2013\u2014][ \t]*+|>>[ \t]*+)?)"
    "(?>(?P<name>[A-Z\u00c0-\u00de][\\w.'\u2019]*+(?>(?:[ \t][A-Z\u00c0-\u00de0-9][\\w.'\u2019]*+){0,2}):[ \t])?)"
)

# Tags of both formats, times of words among them, and what other players put in braces.
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,200}+>|<[\d:.]{1,20}+>|\{\\[^{}\n]{0,200}+\}|\{[yYcCfFsSPp]:[^{}\n]{0,100}+\}")

_TITLE = re.compile(r"WEBVTT[ \t]+-[ \t]+(\S.*)")

# A paragraph ends where somebody is silent for so long, or with the first sentence after so many words. Recognized
# speech has no sentences: then it ends after more words, wherever that is.
_SILENCE_MS = 4000
_WORDS = 60
_MOST_WORDS = 120
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]]*$")  # noqa: RUF001

# Captions of recognized speech follow one another at once, and each shows again what still stands.
_AT_ONCE_MS = 200
_STANDING_LINES = 4


@dataclass(frozen=True, slots=True)
class _Line:
    words: str
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class _Cue:
    """Lines that are shown from `first` to `last`, in milliseconds."""

    first: int
    last: int
    lines: tuple[_Line, ...]


@dataclass(slots=True)
class _Paragraph:
    """What one speaker says. It grows, cue by cue."""

    first: int
    last: int
    words: list[str]
    speaker: str = ""

    @property
    def text(self) -> str:
        said = " ".join(self.words)
        return f"{self.speaker}: {said}" if self.speaker else said


def read(text: str, path: str) -> Reading:
    """A single document; its places are times. Raises Unreadable."""
    cues = list(_cues(text.removeprefix("\ufeff").split("\n")))
    title = _TITLE.match(text.removeprefix("\ufeff"))
    if not cues and text.strip() and not text.removeprefix("\ufeff").startswith("WEBVTT"):
        raise Unreadable("no subtitles: no line in it gives two times")
    outline = Outline("time")
    for paragraph in _paragraphs(_without_repeats(cues)):
        outline.block(without_encoded(paragraph.text), paragraph.first, paragraph.last)
    return Reading((Document(path, title[1].strip() if title else "", outline.blocks()),))


def _cues(lines: Sequence[str]) -> Iterator[_Cue]:
    """What stands below each line of times, to the next blank one. Numbers, notes and styles have none above them."""
    at = 0
    while at < len(lines):
        times = _TIMES.fullmatch(lines[at])
        at += 1
        if not times:
            continue
        begin = at
        while at < len(lines) and not _ends_cue(lines, at):
            at += 1
        first, last = _milliseconds(times.groups()[:4]), _milliseconds(times.groups()[4:])
        if shown := tuple(_spoken(lines[begin:at])):
            yield _Cue(first, max(first, last), shown)


def _ends_cue(lines: Sequence[str], at: int) -> bool:
    """A blank line does, and where it was forgotten, the times of the next cue and the number above them."""
    line, below = lines[at], lines[at + 1] if at + 1 < len(lines) else ""
    if line == " " and below.strip():  # as captions of recognized speech keep their first line free
        return _is_times(below) or below.strip().isdecimal()
    return not line.strip() or _is_times(line) or (line.strip().isdecimal() and _is_times(below))


def _is_times(line: str) -> bool:
    return _TIMES.fullmatch(line) is not None


def _milliseconds(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds, fraction = parts
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    return whole * 1000 + int((fraction or "").ljust(3, "0"))


def _spoken(lines: Sequence[str]) -> Iterator[_Line]:
    """The words of a cue, with who speaks them where it is marked; that holds to the next mark."""
    speaker = ""
    for line in lines:
        before, *voices = _VOICE.split(line)
        for name, said in ((speaker, before), *zip(voices[::2], voices[1::2], strict=True)):
            speaker = " ".join(unescape(name).split())
            if words := " ".join(unescape(_TAG.sub("", said)).split()):
                yield _Line(words, speaker)


def _without_repeats(cues: Sequence[_Cue]) -> Iterator[_Cue]:
    """*cues* without the lines that still stand from the cue before: captions of recognized speech roll upwards."""
    standing: tuple[_Line, ...] = ()
    until = 0
    for cue in cues:
        above = standing if abs(cue.first - until) <= _AT_ONCE_MS else ()
        new = cue.lines[_overlap(above, cue.lines) :]
        if new and above and new[0].words.startswith(f"{above[-1].words} "):  # a line that grows word by word
            new = (_Line(new[0].words.removeprefix(above[-1].words).strip(), new[0].speaker), *new[1:])
        standing, until = cue.lines, cue.last
        if new:
            yield _Cue(cue.first, cue.last, new)


def _overlap(above: tuple[_Line, ...], lines: tuple[_Line, ...]) -> int:
    """How many lines at the end of *above* stand again at the beginning of *lines*."""
    most = min(len(above), len(lines), _STANDING_LINES)
    return next((count for count in range(most, 0, -1) if above[-count:] == lines[:count]), 0)


def _paragraphs(cues: Iterator[_Cue]) -> Iterator[_Paragraph]:
    paragraph: _Paragraph | None = None
    size = 0
    for cue in cues:
        for line in cue.lines:
            if paragraph is None or _ends(paragraph, size, cue, line):
                if paragraph:
                    yield paragraph
                paragraph, size = _Paragraph(cue.first, cue.last, [], line.speaker), 0
            paragraph.words.append(line.words)
            paragraph.first, paragraph.last = min(paragraph.first, cue.first), max(paragraph.last, cue.last)
            size += line.words.count(" ") + 1
    if paragraph:
        yield paragraph


def _ends(paragraph: _Paragraph, size: int, cue: _Cue, line: _Line) -> bool:
    """Whether *paragraph*, of *size* words, ends before *line* of *cue*."""
    if cue.first - paragraph.last > _SILENCE_MS or size >= _MOST_WORDS:
        return True
    if line.speaker != paragraph.speaker or _takes_a_turn(line.words):
        return True
    return size >= _WORDS and _SENTENCE_END.search(paragraph.words[-1]) is not None


def _takes_a_turn(words: str) -> bool:
    found = _TURN.match(words)
    return bool(found and found.end() and found.end() < len(words))
