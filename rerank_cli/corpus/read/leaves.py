"""The texts and numbers in a JSON value, each on a line behind the names that lead to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

# Names are of use to a reader, not of any length: a leaf may lie as deep as the line is long.
_MOST_NAMES = 3
_MOST_NAME_CHARS = 60

# Short texts in a list are words or names; others are paragraphs or lines.
_MOST_LIST_CHARS = 200

# A longer run of numbers is a vector or a measurement, which no one looks for by its digits.
_MOST_NUMBERS = 16

# Who speaks and what is said, as records of chats have it.
_SPEAKER = ("role", "from", "speaker")
_SPEECH = ("content", "value", "text")

_IDS = frozenset(("_id", "id", "uuid", "guid"))

_Names = tuple[str, ...]


def leaves(value: object, *names: str) -> Iterator[str]:
    """A line for each text, number and truth value in *value*, to which *names* lead; ids are none."""
    waiting: list[tuple[_Names, object]] = [(names, value)]
    while waiting:
        names, value = waiting.pop()
        if isinstance(value, Mapping):
            said, others = _said(value)
            if said:
                yield said
            waiting += reversed([((*names, key)[-_MOST_NAMES:], each) for key, each in others.items()])
        elif isinstance(value, list):
            scalars = [text for each in value if (text := scalar(each))]
            if len(scalars) < len(value):
                waiting += [(names, each) for each in reversed(value)]
            elif scalars and not _is_vector(value):
                yield _named(names, (", " if sum(map(len, scalars)) <= _MOST_LIST_CHARS else "\n").join(scalars))
        elif text := scalar(value):
            yield _named(names, text)


def scalar(value: object) -> str:
    """*value* as a text; empty if it is none, or says nothing."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).strip() if isinstance(value, (str, int, float)) else ""


def is_id(name: str) -> bool:
    """Whether what is called so tells records apart and nothing else."""
    return name.strip().casefold() in _IDS


def _is_vector(value: Sequence[object]) -> bool:
    return len(value) > _MOST_NUMBERS and all(isinstance(each, (int, float)) for each in value)


def _said(value: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """What a message of a chat says, behind its speaker, empty where *value* is none; and what else it holds."""
    others = {key: each for key, each in value.items() if not is_id(key)}
    speaker = next((key for key in _SPEAKER if isinstance(value.get(key), str)), "")
    speech = next((key for key in _SPEECH if key in value), "")
    said = value.get(speech)
    parts = said if isinstance(said, list) else [said]
    texts = [text for part in parts if (text := _part(part))]
    if not speaker or not texts:
        return "", others
    return f"{value[speaker]}: " + "\n".join(texts), {k: v for k, v in others.items() if k not in (speaker, speech)}


def _part(part: object) -> str:
    """The text of a message, or of one part of it."""
    if isinstance(part, Mapping):
        part = part.get("text")
    return part.strip() if isinstance(part, str) else ""


def _named(names: _Names, text: str) -> str:
    shown = [name.strip()[:_MOST_NAME_CHARS] for name in names[-_MOST_NAMES:]]
    path = ".".join(name for name in shown if name)
    return f"{path}: {text}" if path else text
