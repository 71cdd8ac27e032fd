"""What Obsidian, MkDocs, MDX, Hugo, Jekyll and others add to CommonMark, as rules of its parser: it leaves text."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline

from rerank_cli.corpus.read import myst, rst

# Lines that steer how a page is shown: the fence of an admonition, a tab, attributes, a place for contents or a file.
_FENCE = re.compile(r"[ \t]*:{3,}[ \t]*(?:\{[^{}]*\}|[\w-]*)[ \t]*(?:\[(?P<bracketed>[^\]]*)\]|(?P<title>.*))")
_ADMONITION = re.compile(r"[ \t]*(?:!!!|\?\?\?\+?|===[!+]?)[ \t]+[\w \t-]*(?:\"(?P<title>[^\"]*)\")?[ \t]*")
_ATTRIBUTES = re.compile(
    r"[ \t]*\{(?::|[.#][\w-])[^{}]*\}[ \t]*|\([\w-]+\)=|\[\[?_?toc_?\]?\]|;?-+8<-+(?:[ \t].*)?|<<<[ \t]*[@./].*",
    re.IGNORECASE,
)
_CALLOUT = re.compile(r"\A\[![\w-]+\][+-]?[ \t]*")
_OF_A_HEADING = re.compile(r"[ \t]+\{:?[ \t]*[#.][^{}`]*\}[ \t]*\Z|[ \t]+\{#[^{}`]*\}[ \t]*\Z")

# None of these may reach beyond its line, nor far: each is tried wherever its first sign stands.
_WIKI_LINK = re.compile(r"!?\[\[(?P<target>[^\[\]|\n]{1,300}?)(?:\\?\|(?P<alias>[^\[\]\n]{0,300}))?\]\]")
_FOOTNOTE = re.compile(r"\[\^[^\[\]\s]{1,100}\]:?[ \t]*")
_NOTE = re.compile(r"\[\^[^\[\]\s]{1,100}\]:")
_DEFINITION = re.compile(r"\[[^\[\]\n]{1,300}\]:")
_TEMPLATED_LINK = re.compile(
    r"\[(?P<text>[^\[\]\n]{1,300})\]\((?P<target>[^()\n{}]{0,200}\{[{%][^{}\n]{0,300}[}%]\}\}?[^()\n{}]{0,200})\)"
)
_SHORTCODE = re.compile(
    r"\{\{[<%](?P<inside>[^{}\n]{0,500}?)[%>]\}\}|\{%(?P<tag>[^{}\n]{0,500}?)%\}|\{/\*[^\n]{0,500}?\*/\}"
    r"|\{\{#[^{}\n]{0,500}\}\}"
)
_COLON_FENCE = re.compile(r"(?P<fence>:{3,})(?P<info>\{[A-Za-z][\w:.+-]{0,60}\}.*)")
_ROLE = re.compile(r"\{[A-Za-z][\w:.+-]{0,60}\}(?P<ticks>`{1,3})(?!`)(?P<text>[^`]{1,500})(?P=ticks)(?!`)")
_SHORTCODE_OPENING = re.compile(r"\{\{[<%](?!/\*)")
_SHORTCODE_END = re.compile(r"[%>]\}\}")
_MOST_SHORTCODE_LINES = 100
_QUOTED = re.compile(r"\"([^\"]*)\"")
_COMMENT = re.compile(r"%%[^\n]{0,500}?%%")
_BLOCK_ID = re.compile(r"\^(?=[\w-]*[A-Za-z])[\w-]{2,64}[ \t]*(?=\n|\Z)")
_BLOCK_TARGET = re.compile(r"#\^[\w-]*\Z")
_MEDIA = re.compile(r"(?P<name>.*\.(?:png|jpe?g|gif|svg|webp|avif|bmp|mp[34]|webm|ogg|wav|pdf))(?:#.*)?", re.IGNORECASE)
_SIZE = re.compile(r"\d+(?:x\d+)?")
_HIGHLIGHT = re.compile(r"==(?=[^\s=])(?=[^\n]{0,500}?[^\s=]==)")
_HIGHLIGHTED = re.compile(r"==[^\s=][^\n]{0,500}\Z")


def extended(parser: MarkdownIt) -> MarkdownIt:
    """*parser* with rules for what other dialects write."""
    parser.block.ruler.before("reference", "footnote", _footnote, {"alt": []})
    parser.block.ruler.before("blockquote", "shortcode", _shortcode, {"alt": ["paragraph", "blockquote", "list"]})
    parser.block.ruler.before("blockquote", "colon_fence", _colon_fence, {"alt": ["paragraph", "blockquote", "list"]})
    parser.block.ruler.before("paragraph", "comment_block", _comment_block, {"alt": ["paragraph"]})
    parser.core.ruler.before("inline", "steering_lines", _steering_lines)
    parser.inline.ruler.before("link", "dialects", _inline)
    return parser


def _footnote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A footnote is a paragraph, and no definition of a link, whatever it looks like."""
    if state.is_code_block(start) or not _NOTE.match(_line(state, start)):
        return False
    if silent:
        return True
    after = start + 1
    while after < end and not state.isEmpty(after) and state.sCount[after] >= state.blkIndent:
        if _DEFINITION.match(_line(state, after)):
            break
        after += 1
    _push_paragraph(state, start, after, state.getLines(start, after, state.blkIndent, False).strip())
    return True


def _push_paragraph(state: StateBlock, start: int, end: int, text: str) -> None:
    state.line = end
    state.push("paragraph_open", "p", 1).map = [start, end]
    inline = state.push("inline", "", 0)
    inline.map, inline.children, inline.content = [start, end], [], text
    state.push("paragraph_close", "p", -1)


def _shortcode(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A shortcode of Hugo over several lines, of which the last may look like a quotation; one without end is text."""
    opening = _line(state, start)
    if state.is_code_block(start) or not _SHORTCODE_OPENING.match(opening) or _SHORTCODE_END.search(opening):
        return False
    for number in range(start + 1, min(end, start + _MOST_SHORTCODE_LINES)):
        if closing := _SHORTCODE_END.search(_line(state, number)):
            if not silent:
                inside = state.getLines(start, number + 1, state.blkIndent, False)
                rest = _line(state, number)[closing.end() :]
                _push_paragraph(state, start, number + 1, _said_in(inside) + rest)
            return True
    return False


def _colon_fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A directive of MyST between colons; it ends with what it stands in, as a fence of code does."""
    opening = _COLON_FENCE.fullmatch(_line(state, start).rstrip())
    if not opening or state.is_code_block(start) or not myst.is_directive(opening["info"]):
        return False
    if silent:
        return True
    closing = re.compile(rf":{{{len(opening['fence'])},}}[ \t]*")
    after = start + 1
    while after < end and not (state.isEmpty(after) is False and state.sCount[after] < state.blkIndent):
        if closing.fullmatch(_line(state, after)):
            break
        after += 1
    token = state.push("fence", "code", 0)
    token.info, token.map = opening["info"], [start, min(after + 1, end)]
    token.content = state.getLines(start + 1, after, state.blkIndent, True)
    state.line = min(after + 1, end)
    return True


def _comment_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A comment of Obsidian over several lines; one that is never closed is text."""
    if not _line(state, start).startswith("%%") or "%%" in _line(state, start)[2:]:
        return False
    if state.env.get("no comment ends below", end + 1) <= start:
        return False
    for number in range(start + 1, end):
        if _line(state, number).rstrip().endswith("%%"):
            if not silent:
                state.line = number + 1
            return True
    state.env["no comment ends below"] = start
    return False


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _steering_lines(state: StateCore) -> None:
    previous = ""
    for token in state.tokens:
        if token.type == "inline" and previous == "heading_open":
            token.content = _OF_A_HEADING.sub("", token.content)
        elif token.type == "inline" and previous == "td_open":
            token.content = _without_steering(token.content)
        elif token.type == "inline" and previous == "paragraph_open":
            token.content = "\n".join(map(_without_steering, _CALLOUT.sub("", token.content).split("\n")))
        previous = token.type


def _without_steering(line: str) -> str:
    """The title in a line that steers; any other line as it is."""
    for steering in (_FENCE, _ADMONITION):
        found = steering.fullmatch(line)
        if found:
            return next((title.strip() for title in found.groups() if title), "")
    return "" if _ATTRIBUTES.fullmatch(line) else line


def _inline(state: StateInline, silent: bool) -> bool:
    text, end = _read(state)
    if not end:
        return False
    if not silent:
        state.pending += text
    state.pos = end
    return True


def _read(state: StateInline) -> tuple[str, int]:  # noqa: PLR0912 - a case for each sign
    """The text of what stands at the state's place, and where that ends; 0 where there is nothing of ours."""
    source, at, end = state.src, state.pos, state.posMax
    match source[at]:
        case "!" | "[":
            if found := _WIKI_LINK.match(source, at, end):
                return _wiki_text(found), found.end()
            if found := _FOOTNOTE.match(source, at, end):
                defines = ":" in found[0].rstrip()[-1:] and (at == 0 or source[at - 1] == "\n")
                return "", found.end() if defines else source.index("]", at) + 1
            if found := _TEMPLATED_LINK.match(source, at, end):
                return f"{found['text']}{_quoted(found['target'], found['text'])}", found.end()
        case "{":
            if found := _ROLE.match(source, at, end):
                return rst.words_of_role(found["text"].strip()), found.end()
            if found := _SHORTCODE.match(source, at, end):
                return _said_in(found["inside"] or ""), found.end()
        case "%":
            if found := _COMMENT.match(source, at, end):
                return "", found.end()
        case "^":
            if (at == 0 or source[at - 1].isspace()) and (found := _BLOCK_ID.match(source, at, end)):
                return "", found.end()
        case "=":
            if _HIGHLIGHT.match(source, at, end) and not source[max(0, at - 1) : at].isalnum():
                return "", at + 2
            closes = source.startswith("==", at) and not source[at + 2 : at + 3].isalnum()
            if closes and source[at - 1 : at].strip("= \n") and _HIGHLIGHTED.search(source[max(0, at - 500) : at]):
                return "", at + 2
    return "", 0


def _wiki_text(found: re.Match[str]) -> str:
    """The alias with the page that it stands for, or the page alone."""
    target = _BLOCK_TARGET.sub("", found["target"].strip().rstrip("\\"))
    if media := _MEDIA.fullmatch(target):
        target = media["name"]
    target = target.replace("#", " > ").removeprefix(" > ")
    alias = (found["alias"] or "").strip()
    if not alias or _SIZE.fullmatch(alias) or alias.casefold() == target.casefold():
        return target
    return f"{alias} ({target})"


def _said_in(shortcode: str) -> str:
    """What a shortcode is told to show: no names of files, but for those of pictures."""
    texts = [each.strip() for each in _QUOTED.findall(shortcode)]
    shown = [each.rpartition("/")[2] if _MEDIA.fullmatch(each) else each for each in texts]
    return ", ".join(each for each in shown if _is_readable(each) and ("/" not in each or " " in each))


def _quoted(inside: str, text: str) -> str:
    """What a template holds between quotation marks, if it reads as text."""
    texts = [each.strip() for each in _QUOTED.findall(inside) if each.strip() != text]
    readable = [each for each in texts if _is_readable(each)]
    return f" ({', '.join(readable)})" if readable else ""


def _is_readable(text: str) -> bool:
    return re.search(r"[^\W\d_]{3}", text) is not None
