"""What the escapes of roff stand for, and how the words behind one of its macros are told apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

_ESCAPE = re.compile(
    r"\\(?:"
    r"(?P<comment>[\"#].*)"
    r"|\((?P<two>..)|\[(?P<named>[^\[\]]{0,50})\]"
    r"|\*(?:\((?P<string2>..)|\[(?P<strings>[^\[\]]{0,50})\]|(?P<string1>.))"
    r"|[fFmMgkVYO](?:\(..|\[[^\[\]]{0,50}\]|.)|n[-+]?(?:\(..|\[[^\[\]]{0,50}\]|.)"
    r"|s(?:[-+]?(?:\(..|\[[^\[\]]{0,50}\]|'[^']{0,20}'|[1-3]?\d)|[-+]?)"
    r"|(?:[hvwlLDbxXSHRABZ])(?P<quote>['\"])[^'\"\n]{0,200}(?P=quote)|o'(?P<over>[^'\n]{0,20})'|N'(?P<code>\d{1,7})'"
    r"|(?P<one>.)|$)",
)

_SINGLE = dict(zip("~0t-e", "  \t-\\", strict=True)) | {sign: sign for sign in " \\.'`_"}
_NAMES = (
    "aq=' dq=\" lq=“ rq=” oq=‘ cq=’ bq=‚ Bq=„ bu=• em=— en=– hy=- mi=− rs=\\ ha=^ ti=~ ga=` "  # noqa: RUF001
    "aa=´ co=© rg=® tm=™ de=° mu=× di=÷ +-=± <==≤ >==≥ !==≠ ===≡ ~==≅ ->=→ <-=← <>=↔ ua=↑ "  # noqa: RUF001
    "da=↓ Fo=« Fc=» fo=‹ fc=› ss=ß ae=æ AE=Æ oe=œ OE=Œ /o=ø /O=Ø Do=$ Eu=€ Po=£ Ye=¥ ct=¢ "  # noqa: RUF001
    "sc=§ ps=¶ dg=† dd=‡ sl=/ ba=| br=| ul=_ at=@ sh=# lB=[ rB=] lC={ rC=} la=⟨ ra=⟩ 12=½ "
    "14=¼ 34=¾ S1=¹ S2=² S3=³ if=∞ no=¬ tno=¬ pc=· sq=□ ci=○ OK=✓ fm=′ sd=″ r!=¡ r?=¿ or=| "  # noqa: RUF001
    "eu=€ *a=α *b=β *g=γ *d=δ *e=ε *l=λ *m=μ *p=π *r=ρ *s=σ *t=τ *w=ω *D=Δ *S=Σ *W=Ω mc=µ"  # noqa: RUF001
)
_CHARACTERS = {name[:-2]: name[-1] for name in _NAMES.split()}
_ACCENTS = {":": "\u0308", "'": "\u0301", "`": "\u0300", "^": "\u0302", "~": "\u0303", ",": "\u0327", "v": "\u030c"}

_ARGUMENT = re.compile(r'"(?P<quoted>(?>(?:[^"]++|"")*))"?|(?P<bare>(?:\\.|[^\s\\]|\\$)+)')


def unescaped(text: str, strings: Mapping[str, str]) -> str:
    """*text* with the characters that its escapes stand for, without changes of font and size."""
    return _ESCAPE.sub(lambda found: _character(found, strings), text) if "\\" in text else text


def _character(found: re.Match[str], strings: Mapping[str, str]) -> str:
    if name := found["two"] or found["named"]:
        return _named(name)
    if name := found["string2"] or found["strings"] or found["string1"]:
        return strings.get(name, "")
    if found["code"]:
        return _of_code(int(found["code"]))
    return found["over"] or _SINGLE.get(found["one"] or "", "")


def _named(name: str) -> str:
    if name in _CHARACTERS:
        return _CHARACTERS[name]
    if len(name) == 2 and name[0] in _ACCENTS and name[1].isalpha():
        return unicodedata.normalize("NFC", name[1] + _ACCENTS[name[0]])
    if re.fullmatch(r"u[\dA-F]{4,6}", name):
        return _of_code(int(name[1:], 16))
    return ""


def _of_code(code: int) -> str:
    return chr(code) if 32 <= code < 0xD800 or 0xDFFF < code < 0x110000 else ""


def arguments(text: str) -> list[str]:
    """The words behind a macro, those in quotes as one."""
    return [
        (found["quoted"] or "").replace('""', '"') if found["bare"] is None else found["bare"]
        for found in _ARGUMENT.finditer(re.sub(r'(?<!\\)\\".*', "", text))
    ]
