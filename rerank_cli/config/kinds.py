"""Kinds of values: what a setting may hold, and what a text for it means."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, get_args

DAY_S = 24 * 60 * 60

Form = Literal["value", "choice", "list", "switch"]
"""How an option takes it: one value, one of a few words, several values, or --option and --no-option."""


class Kind(NamedTuple):
    """What a setting may hold.

    `read` takes what a source gave: a text, a list of texts, None for nothing, or the value itself as
    a flag has it. It raises ValueError where that is not allowed. `show` gives what reads back.
    `stands_for` is what an option's help has in the place of the value. `words` are those that mean something by
    themselves: all that a choice may be.
    """

    allowed: str
    read: Callable[[Any], object]
    show: Callable[[Any], object] = lambda value: value
    form: Form = "value"
    stands_for: str = "<str>"
    words: tuple[str, ...] = ()


def _text(given: Any) -> str:
    if not isinstance(given, str) or not given.strip() or "\0" in given:
        raise ValueError
    return given


def _texts(given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        return tuple(part.strip() for part in re.split(r"[,\n]", given) if part.strip())
    if not isinstance(given, tuple | list):
        raise ValueError
    return tuple(_text(part) for part in given)


def _switch(given: Any) -> bool:
    word = str(given).lower()
    if word not in ("1", "true", "yes", "on", "0", "false", "no", "off"):
        raise ValueError
    return word in ("1", "true", "yes", "on")


def _link(given: Any) -> str:
    text = _text(given)
    if text not in ("file", "none") and "{path}" not in text:
        raise ValueError
    return text


def _converters(given: Any) -> tuple[str, ...]:
    converters = _texts(given)
    for converter in converters:
        ending, separated, command = converter.partition("=")
        if not (ending.startswith(".") and separated and "{}" in shlex.split(command)):
            raise ValueError
    return converters


def one_of(choices: object) -> Kind:
    """One of the words of a Literal."""
    names = get_args(choices)

    def read(given: Any) -> str:
        if given not in names:
            raise ValueError
        return str(given)

    return Kind(f"one of {', '.join(names)}", read, form="choice", stands_for="|".join(names), words=names)


def whole(minimum: int, maximum: int | None = None) -> Kind:
    """A whole number in this reach."""

    def read(given: Any) -> int:
        number = int(given) if isinstance(given, str) else given
        if type(number) is not int or number < minimum or (maximum is not None and number > maximum):
            raise ValueError
        return number

    reach = f"of {minimum} or more" if maximum is None else f"from {minimum} to {maximum}"
    return Kind(f"a whole number {reach}", read, stands_for="<int>")


def or_word(kind: Kind, word: str) -> Kind:
    """What *kind* allows, or this word."""

    def read(given: Any) -> object:
        return word if given == word else kind.read(given)

    return kind._replace(
        allowed=f"{kind.allowed}, or {word}", read=read, stands_for=f"{kind.stands_for}|{word}", words=(word,)
    )


def _number(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, str | int | float) or not math.isfinite(float(given)):
        raise ValueError
    return float(given)


def _share(given: Any) -> float:
    number = _number(given)
    if not 0 <= number <= 1:
        raise ValueError
    return number


def _seconds(given: Any) -> float:
    number = _number(given)
    if number < 0:
        raise ValueError
    return number


def _time_limit(given: Any) -> float:
    number = _number(given)
    if not 0 < number <= DAY_S:
        raise ValueError
    return number


_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|)\s*")


def _duration_or_none(given: Any) -> float | None:
    """Seconds; of a text also with a unit."""
    if given in (None, "null"):
        return None
    if isinstance(given, str):
        match = _DURATION.fullmatch(given)
        if match is None:
            raise ValueError
        given = float(match[1]) / (1000 if match[2] == "ms" else 1)
    if not (number := _number(given)) > 0:
        raise ValueError
    return number


def _number_or_none(given: Any) -> float | None:
    return None if given in (None, "null") else _number(given)


_UNITS = {
    "GiB": 2**30,
    "GB": 10**9,
    "MiB": 2**20,
    "MB": 10**6,
    "KiB": 2**10,
    "kB": 10**3,
    "B": 1,
}
"""Largest first. As the standards have it, kB counts in thousands and KiB in 1024s."""


def _size(given: Any) -> int:
    size = _parsed_size(given) if isinstance(given, str) else given
    if type(size) is not int or size < 1:
        raise ValueError
    return size


def _parsed_size(text: str) -> int:
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)\s*", text, re.IGNORECASE)
    factors = {unit.lower(): factor for unit, factor in _UNITS.items()} | {"": 1}
    if match is None or match[2].lower() not in factors:
        raise ValueError
    from fractions import Fraction  # which takes 2 ms to load, also where no size is written

    return int(Fraction(match[1]) * factors[match[2].lower()])


def _shown_size(size: int) -> str:
    unit, factor = next((unit, factor) for unit, factor in _UNITS.items() if size % factor == 0)
    return f"{size // factor}{unit}"


def _store(given: Any) -> str:
    if given in (None, "", "null"):
        return ""
    text = _text(given)
    if not text.startswith(("milvus+http://", "milvus+https://", "milvus+file:")):
        raise ValueError
    return text


MODEL = Kind("a built-in name, a folder, a hub id or the address of an endpoint", _text)
TOKENIZER = Kind("encoder, chars/4, a tokenizer.json, or a hub id", _text, words=("encoder", "chars/4"))
STORE = Kind(
    "milvus+http://host:19530/collection, milvus+https://host/collection or milvus+file:./name.db/collection", _store
)
LINK = Kind("file, none, or an address with {path} in it, and perhaps {line} or {page}", _link, words=("file", "none"))
PAGER = Kind("auto, none, or a command", _text, words=("auto", "none"))
CONVERTERS = Kind("a list of .ext=command {}, where {} stands for the file", _converters, form="list")
PATTERNS = Kind("a list of patterns, or text with commas between them", _texts, form="list")
NAMES = Kind("a list of names, or text with commas between them", _texts, form="list")
SWITCH = Kind("true or false", _switch, form="switch")
LIMIT = Kind("a number, or null for no limit", _number_or_none, stands_for="<float>")
BUDGET = Kind("seconds, or a number with a unit such as 800ms or 2s, or null", _duration_or_none, stands_for="<time>")
SHARE = Kind("a number from 0 to 1", _share, stands_for="<float>")
SECONDS = Kind("a number, 0 or more", _seconds, stands_for="<float>")
TIME_LIMIT = Kind(f"a number of seconds above 0, up to {DAY_S}", _time_limit, stands_for="<float>")
SIZE = Kind("bytes, or a number with a unit such as 500kB, 10MB or 1.5GiB", _size, _shown_size, stands_for="<size>")
