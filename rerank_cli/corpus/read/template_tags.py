"""Take the tags of templates (Go, Jinja, Liquid, Handlebars) out of pages that a program fills in."""

from __future__ import annotations

import re

# What opens or ends a part of a page, or includes one. A page that only names values may tell people of templates.
_CONTROL = re.compile(
    r"\{\{[-~]?\s*(?:[#/>!]|(?:if|else|range|with|define|block|partial|template|end|return)\b)|\{%[-+]?\s*\w|\{#"
)
_MARK = re.compile(r"<(?P<end>/?)(?:pre|code|script|style|textarea)\b|\{\{|\{%|\{#", re.IGNORECASE)
_REMARK = re.compile(r"\{\{-?\s*/\*")  # which may have braces in it
_CLOSING = {"{{": "}}", "{%": "%}", "{#": "#}"}


def without_template_tags(page: str) -> str:
    """*page* as it is but for the tags of templates outside of its code, and with as many lines."""
    tags: list[tuple[int, int]] = []
    unclosed: set[str] = set()
    codes = at = 0
    while found := _MARK.search(page, at):
        at, mark = found.end(), found[0]
        if mark not in _CLOSING:
            codes = max(0, codes - 1) if found["end"] else codes + 1
        elif not codes and mark not in unclosed:
            remark = _REMARK.match(page, found.start())
            end = page.find(_CLOSING[mark], page.find("*/", at) if remark else at)
            if end < 0:
                unclosed.add(mark)
            else:
                at = end + 2
                tags.append((found.start(), at))
    if not any(_CONTROL.match(page, start) for start, _ in tags):
        return page
    kept, at = [], 0
    for start, end in tags:
        kept += [page[at:start], "\n" * page.count("\n", start, end)]
        at = end
    return "".join((*kept, page[at:]))
