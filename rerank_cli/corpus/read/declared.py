"""The encoding that a text declares itself, in the way of HTML, XML, CSS, Python, Emacs, Vim, TeX or gettext."""

from __future__ import annotations

import codecs
import re

# A declaration stands near the beginning; only Vim also looks for one at the end.
_HEAD_BYTES = 4096
_TAIL_BYTES = 1024

_NAME = rb"[ \t]*[\"']?[ \t]*(?P<name>[\w.:-]{2,40})"
_DECLARATIONS = (
    re.compile(rb"\A\s*<\?xml\b[^<>]{0,200}?\bencoding[ \t]*=" + _NAME),
    re.compile(rb"<meta\b[^<>]{0,300}?\bcharset[ \t]*=" + _NAME, re.IGNORECASE),
    re.compile(rb"\A@charset" + _NAME),
    re.compile(rb"\A(?:[^\n]*\n)?[^\n]{0,200}?coding[:=]" + _NAME),
    re.compile(rb"^:encoding:" + _NAME, re.MULTILINE),
    re.compile(rb"^\"?Content-Type:[^\n]{0,100}?charset=" + _NAME, re.MULTILINE | re.IGNORECASE),
    re.compile(rb"\\usepackage[ \t]*\[(?P<name>\w{2,20})\][ \t]*\{inputenc\}"),
    re.compile(rb"\b(?:vim?|ex):[^\n]{0,200}?\b(?:fileencoding|fenc)=" + _NAME),
)
_VIM = _DECLARATIONS[-1]

_LINE_ENDS_OF_EMACS = re.compile(r"-(?:unix|dos|mac)$")

# What a name means in practice, as browsers have it: the code page of Windows that has more characters.
_IN_PRACTICE = {
    **dict.fromkeys(("ascii", "iso8859-1"), "cp1252"),
    "iso8859-9": "cp1254",
    **dict.fromkeys(("iso8859-11", "tis-620"), "cp874"),
    **dict.fromkeys(("gb2312", "gbk"), "gb18030"),
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
_OTHER_NAMES = {
    **dict.fromkeys(("x-sjis", "windows-31j", "ms_kanji"), "cp932"),
    **dict.fromkeys(("x-gbk", "gb_2312-80", "euc-cn", "x-euc-cn"), "gb18030"),
    **dict.fromkeys(("x-euc-jp", "euc-japan"), "euc_jp"),
    **dict.fromkeys(("ks_c_5601-1987", "ksc5601", "ksc_5601", "windows-949", "x-windows-949"), "cp949"),
    **dict.fromkeys(("x-x-big5", "cn-big5", "big5-hkscs"), "big5hkscs"),
    **dict.fromkeys(("windows-874", "dos-874"), "cp874"),
    "ansinew": "cp1252",
    "applemac": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
    "x-mac-roman": "mac-roman",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "koi8-ru": "koi8-u",
}

# Among the codecs that Python has, those of real texts in which the letters of ASCII are themselves.
_OF_TEXTS = re.compile(
    r"utf-8(?:-sig)?|cp\d+|iso8859-\d+|iso2022_\w+|koi8-\w|mac-\w+|gb\w*|hz|big5\w*|euc_\w+|shift_jis\w*|johab|kz1048"
    r"|ptcp154"
)
_LETTERS = b"<az AZ 09>"


def declared_encoding(content: bytes) -> str | None:
    """Python's name for the encoding that *content* says to have; None where it names none that it could have."""
    head = content[:_HEAD_BYTES]
    found = [declaration.search(head) for declaration in _DECLARATIONS]
    found.append(_VIM.search(content[-_TAIL_BYTES:]))
    names = (_known(match["name"].decode("ascii", "ignore")) for match in found if match)
    return next((name for name in names if name), None)


def _known(name: str) -> str | None:
    name = _LINE_ENDS_OF_EMACS.sub("", name.lower())
    try:
        codec = codecs.lookup(_OTHER_NAMES.get(name, name)).name
        codec = _IN_PRACTICE.get(codec, codec)
        return codec if _OF_TEXTS.fullmatch(codec) and _LETTERS.decode(codec) == _LETTERS.decode("ascii") else None
    except (LookupError, ValueError):
        return None
