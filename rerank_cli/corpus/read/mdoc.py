"""What a line of mdoc says: its macros are words among the words, and each shows what follows in its way."""

from __future__ import annotations

from rerank_cli.corpus.read.markup import linked

_CLOSING = frozenset((".", ",", ":", ";", ")", "]", "?", "!"))
_OPENING = frozenset(("(", "["))

# They enclose the rest of the line.
_AROUND = {"Op": "[]", "Dq": '""', "Qq": '""', "Sq": "''", "Ql": "''", "Pq": "()", "Bq": "[]", "Brq": "{}", "Aq": "<>"}
_OPEN = {"Oo": "[", "Do": '"', "Qo": '"', "So": "'", "Po": "(", "Bo": "[", "Bro": "{", "Ao": "<", "Xo": "", "Fo": ""}
_CLOSE = {"Oc": "]", "Dc": '"', "Qc": '"', "Sc": "'", "Pc": ")", "Bc": "]", "Brc": "}", "Ac": ">", "Xc": "", "Fc": ")"}
_SYSTEMS = {"Bx": "BSD", "Fx": "FreeBSD", "Nx": "NetBSD", "Ox": "OpenBSD", "Dx": "DragonFly", "At": "AT&T UNIX"}
_SYSTEMS |= {"Ux": "UNIX", "Bsx": "BSD/OS"}

# What stands behind these is shown as it is.
_PLAIN = frozenset("Ad An Ap Ar Cd Cm D1 Dl Dv Em Er Ev Fa Fd Fl Fn Ft Ic In Lb Li Lk Ms Mt Nd Nm No Ns Pa Pf".split())
_PLAIN |= frozenset("St Sx Sy Ta Tn Va Vt Xr".split())
WORDS = _PLAIN | _AROUND.keys() | _OPEN.keys() | _CLOSE.keys() | _SYSTEMS.keys()

# Beside it, these begin a line and nothing else, and are shown like the text that follows them.
LINES = WORDS | frozenset("%A %B %C %D %I %J %N %O %P %Q %R %T %U %V".split())


class Words:
    """Puts together what a line says."""

    def __init__(self, name: str) -> None:
        self._name = name  # what `Nm` alone stands for
        self._said = ""
        self._glued = True  # whether the next word follows without a blank

    def say(self, words: list[str]) -> str:
        """What *words* say, the first of which is a macro."""
        rest = list(words)
        after: list[str] = []
        while len(rest) > 1 and rest[-1] in _CLOSING:
            after.insert(0, rest.pop())
        closing: list[str] = []
        at = 0
        while at < len(rest):
            word = rest[at]
            at += 1
            if word not in WORDS and not word.startswith("%"):
                self._word(word)
                continue
            if word in _AROUND:
                self._open(_AROUND[word][0])
                closing.insert(0, _AROUND[word][1])
                continue
            end = at
            while end < len(rest) and rest[end] not in WORDS:
                end += 1
            self._macro(word, rest[at:end])
            at = end
        self._close("".join(closing))
        for sign in after:
            self._word(sign)
        return self._said

    def _macro(self, macro: str, words: list[str]) -> None:
        if macro in _OPEN:
            opens = f"{words.pop(0)}(" if macro == "Fo" and words else _OPEN[macro]
            self._open(opens)
        elif macro in _CLOSE:
            self._close(_CLOSE[macro])
        elif macro in ("Ns", "Ap", "Pf"):
            self._glued = macro != "Pf" or self._glued
            if macro == "Ap":
                self._word("'")
            elif macro == "Pf" and words:
                self._word(words.pop(0))
            self._glued = True
        elif macro == "Fl" and not words:  # the first dash of two
            self._word("-")
            self._glued = True
        elif macro in _SYSTEMS:
            self._word(_SYSTEMS[macro])
        else:
            words = self._shown(macro, words)
        for word in words:
            self._word(word)

    def _shown(self, macro: str, words: list[str]) -> list[str]:
        count = next((at for at, word in enumerate(words) if word in _CLOSING), len(words))
        own, rest = words[:count], words[count:]
        match macro:
            case "Fl":
                return [*(f"-{word}" for word in own), *rest]
            case "Nm":
                return [*(own or [self._name]), *rest]
            case "Nd":
                return ["-", *words]
            case "Ar":
                return [*(own or ["file", "..."]), *rest]
            case "Xr" if len(own) > 1:
                return [f"{own[0]}({own[1]})", *own[2:], *rest]
            case "Lk" if own:
                return [linked(" ".join(own[1:]), own[0]), *rest]
            case "Fn" if own:
                return [f"{own[0]}({', '.join(own[1:])})", *rest]
            case "In" if own:
                return [f"<{own[0]}>", *own[1:], *rest]
            case "Ta":
                return ["|", *words]
            case "St":
                return [word.lstrip("-") for word in words]
        return words

    def _word(self, word: str) -> None:
        if not word:
            return
        blank = "" if self._glued or word in _CLOSING else " "
        self._said += blank + word
        self._glued = word in _OPENING

    def _open(self, sign: str) -> None:
        if sign:
            self._word(sign)
            self._glued = True

    def _close(self, sign: str) -> None:
        self._said += sign
        self._glued = False
