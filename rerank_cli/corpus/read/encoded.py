"""Take out what is written for machines alone: keys and pictures within text, which nobody searches for."""

from __future__ import annotations

import re

_LONG = 200
"""Characters of a run that is taken out. Hashes, tokens and the longest words of any language are shorter."""

_LONG_IN_URI = 64
"""A shorter one behind `data:…;base64,` may be an example that somebody wrote out."""

# A link is left as it is: what stands in it may be long, and is no picture. The run may be of base64 or its form for
# links. Nothing that was taken is given back, so each character is looked at a few times at most.
_RUN = re.compile(
    r"(?P<link>\b(?!data:)[A-Za-z][A-Za-z0-9+.-]{1,15}+://[^\s\"'<>()\\]*+)"
    r"|data:[\w.+-]{0,40}+(?>(?:/[\w.+-]{1,80}+)?)(?>(?:;[\w.+-]{1,40}+=[\w.+-]{0,80}+)*);base64,(?P<data>[\w+/=%-]*+)"
    r"|(?P<quote>(?P<double>\")|')data:(?:image|font)/[\w.+-]{1,40}+(?>(?:;[\w.+=-]{1,40}+)*),"
    rf"(?P<drawing>(?(double)[^\"\n]{{{_LONG_IN_URI},}}+|[^'\n]{{{_LONG_IN_URI},}}+))"
    rf"|\(data:(?:image|font)/[\w.+-]{{1,40}}+(?>(?:;[\w.+=-]{{1,40}}+)*),(?P<bare>[^\s\"'()]{{{_LONG_IN_URI},}}+)"
    rf"|(?P<run>[\w+/=-]{{{_LONG},}}+)",
    re.ASCII,
)

# A line of a block that is wrapped, perhaps quoted in a mail, commented out, or one of several strings in a program.
_LINE = re.compile(
    r"[ \t]*+(?>(?:[>#*|]++[ \t]*+|//[ \t]*+|b?[\"'])?)(?P<run>[A-Za-z0-9+/]{2,}+(?P<end>={0,2}))"
    r"(?>(?:\\n)?)[\"']?+[ \t]*+[,;)\\+]?+[ \t]*+"
)
_WRAPPED_AT = 40
"""Characters that each line of such a block but its last has, at the least."""
_FULL_LINES = 3

# A text without any such run has nothing to be taken out, and most texts have none.
_SUSPECT = re.compile(rf"[\w+/=%-]{{{_WRAPPED_AT}}}|data:(?:image|font)/", re.ASCII)

_REPEATED = re.compile(r"(.)\1+")
_CLASSES = str.maketrans(
    {
        **dict.fromkeys("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "A"),
        **dict.fromkeys("abcdefghijklmnopqrstuvwxyz", "a"),
        **dict.fromkeys("0123456789", "0"),
        **dict.fromkeys("+/=-_", "+"),
    }
)

# Capitals, small letters and digits take turns: in base64 every 1.5 characters. In words, paths and names in CamelCase
# they do so far less often.
_MOST_CHARS_A_TURN = 2.3

# One of 32 characters is a sign in base64. A path, or a title written for a link, has far more.
_LEAST_CHARS_A_SIGN = 12


# How a compiler names the functions of C++: long, of words and numbers, and looked for.
_MANGLED = ("_Z", "__Z")


def without_encoded(text: str) -> str:
    """*text* less its long runs of base64 and its drawings in addresses, and with as many lines."""
    if not _SUSPECT.search(text):
        return text
    return "\n".join(_without_blocks(_RUN.sub(_kept, text).split("\n")))


def _kept(found: re.Match[str]) -> str:
    if found["link"] is not None:
        return found[0]
    if found["drawing"] is not None:
        return found["quote"]
    if found["bare"] is not None:
        return "("
    if found["data"] is not None:
        return found[0] if len(found["data"]) < _LONG_IN_URI else ""
    return "" if is_encoded(found["run"]) else found[0]


def is_encoded(run: str) -> bool:
    """Whether *run*, of letters, digits and the signs of base64, is base64 rather than words, a number or a path."""
    if run.startswith(_MANGLED):
        return False
    once = _REPEATED.sub(r"\1", run)  # bytes that are zero give long runs of A
    classes = once.translate(_CLASSES)
    turns = 1 + sum(classes.count(a + b) for a in "Aa0+" for b in "Aa0+" if a != b)
    return (
        {"A", "a", "0"} <= set(classes)
        and len(classes) <= turns * _MOST_CHARS_A_TURN
        and classes.count("+") * _LEAST_CHARS_A_SIGN <= len(classes)
    )


def _without_blocks(lines: list[str]) -> list[str]:
    """*lines*, those blank that are a block of base64: all full ones of the same length, the last perhaps shorter."""
    kept = list(lines)
    at = 0
    while at < len(lines):
        end, run = _block(lines, at)
        if end - at >= _FULL_LINES and len(run) >= _LONG and is_encoded(run):
            kept[at:end] = [""] * (end - at)
        at = max(end, at + 1)
    return kept


def _block(lines: list[str], at: int) -> tuple[int, str]:
    """Where the block that begins at *at* ends, and what stands in it; at *at* itself if none begins there."""
    runs: list[str] = []
    length = 0
    for number in range(at, len(lines)):
        found = _LINE.fullmatch(lines[number])
        if not found:
            break
        run = found["run"]
        length = length or len(run)
        shorter = len(run) < length
        if length < _WRAPPED_AT or len(run) > length or (shorter and not (found["end"] or _is_mixed(run))):
            break
        runs.append(run)
        if shorter or found["end"]:
            break
    return at + len(runs), "".join(runs)


def _is_mixed(run: str) -> bool:
    """Whether the rest of a block, or no more than a word that stands below it."""
    return {"A", "a"} <= set(run.translate(_CLASSES)) and (len(run) >= _WRAPPED_AT or not run.istitle())
