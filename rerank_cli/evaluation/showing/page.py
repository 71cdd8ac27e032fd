"""The page's templates: whatever they quote is text there, never markup."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from rerank_cli.evaluation.conclusions.verdict import shown_p


def template(name: str) -> Template:
    """The template *name* of this package."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=without_controls,
    )
    environment.filters |= {"fixed": _fixed, "signed": _signed, "shown_p": shown_p}
    return environment


def without_controls(value: object) -> object:
    """*value*; of a text no control characters but blanks and line breaks. What is markup already stays as it is."""
    if type(value) is not str:
        return value
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in value
    )


def _fixed(number: float, digits: int) -> str:
    return f"{number:.{digits}f}"


def _signed(number: float, digits: int) -> str:
    return f"{number:+.{digits}f}"
