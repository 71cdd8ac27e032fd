from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

import pytest

from rerank_cli.corpus.read.html import read
from rerank_cli.corpus.repeated import LEAST_PAGES, NOTHING, left_out, texts_of, without
from rerank_cli.records import Document
from tests.growth import Work, grows_evenly

WORDS = "kiln glaze wheel clay slip bisque cone flux engobe sgraffito raku ash".split()
TOP = "<div>Acme Pottery</div><div>We use cookies.</div>"
BOTTOM = "<div>Imprint and contact</div>"


def body(word: str) -> str:
    return f"<p>{f'All that is to be said of the {word}, at length. ' * 4}</p>"


def page(middle: str, *, top: str = TOP, bottom: str = BOTTOM) -> str:
    return f"{top}<h1>Page</h1>{middle}{bottom}"


SITE = {f"{word}.html": page(body(word)) for word in WORDS}


def document(text: str) -> Document:
    (only,) = read(text, "page.html").documents
    return only


def read_without(pages: Mapping[str, str], changed: Iterable[str] | None = None) -> dict[str, list[str]]:
    """By path, the texts that are left of each page."""
    found = left_out(pages, [*(pages if changed is None else changed)], lambda path: texts_of([document(pages[path])]))
    return {
        path: [block.text for block in without(document(text), found[path]).blocks]
        for path, text in pages.items()
        if path in found
    }


def own(*texts: str) -> list[list[str]]:
    return [[document(body(text)).blocks[0].text] for text in texts]


def test_what_most_pages_repeat_is_read_with_the_first_of_them_alone() -> None:
    first, *others = sorted(SITE)
    left = read_without(SITE)
    assert left[first] == ["Acme Pottery", "We use cookies.", *own("ash")[0], "Imprint and contact"]
    assert [left[path] for path in others] == own(*(path[:-5] for path in others))


def test_a_few_pages_may_say_the_same_by_chance() -> None:
    few = dict(list(SITE.items())[: LEAST_PAGES - 1])
    assert all(len(texts) == 4 for texts in read_without(few).values())


def test_what_half_of_the_pages_say_is_their_own() -> None:
    some = {path: page(body(path), bottom="<p>Fired twice.</p>" if n % 2 else "") for n, path in enumerate(SITE)}
    assert sum("Fired twice." in texts for texts in read_without(some).values()) == 6


def test_a_page_that_lacks_what_is_repeated_loses_nothing() -> None:
    left = read_without(SITE | {"zoo.html": body("zoo")})
    assert left["zoo.html"] == own("zoo")[0]


def test_what_stands_amid_a_pages_own_text_stays() -> None:
    amid = {path: page(body(path) + "<p>Needs a mask.</p>" + body(f"rest of {path}")) for path in SITE}
    assert all("Needs a mask." in texts for texts in read_without(amid).values())


def test_a_trail_of_links_and_a_date_do_not_hide_a_header_or_a_footer() -> None:
    parted = {
        path: page(body(path), top=f"<div>{path}</div>{TOP}", bottom=f"<div>Next to {path}</div>{BOTTOM}")
        for path in SITE
    }
    left = read_without(parted)["wheel.html"]
    assert left == ["wheel.html", *own("wheel.html")[0], "Next to wheel.html"]


def test_a_page_that_says_nothing_else_stays_whole() -> None:
    assert len(read_without(SITE | {"zoo.html": page("")})["zoo.html"]) == 3


def test_versions_of_one_text_stay_whole() -> None:
    text = "".join(body(word) for word in WORDS)
    versions = {f"terms-{year}.html": f"<p>As of {year}.</p>{text}" for year in range(2010, 2020)}
    assert all(len(texts) == 13 for texts in read_without(versions).values())


def test_a_heading_of_the_pages_own_does_not_go_with_what_stands_under_it() -> None:
    pages = {path: page(f"{body(path)}<h2>{path}</h2><p>Returns nothing.</p>", bottom="") for path in SITE}
    assert all(texts[-1] == "Returns nothing." for texts in read_without(pages).values())


def test_a_heading_that_is_repeated_goes_with_what_stands_under_it() -> None:
    pages = {path: page(body(path), bottom="<h2>Contact</h2><p>Call us.</p>") for path in SITE}
    assert read_without(pages)["wheel.html"] == own("wheel.html")[0]


def test_a_page_goes_by_the_nearest_folder_that_holds_enough() -> None:
    def named(site: str, *, each: str = "{}.html") -> dict[str, str]:
        return {f"{site}/{each.format(word)}": page(body(word), top=f"<div>{site}</div>", bottom="") for word in WORDS}

    pages = named("one") | named("two", each="{}/index.html")
    left = read_without(pages)
    assert [path for path, texts in left.items() if len(texts) > 1] == ["one/ash.html", "two/ash/index.html"]
    assert left["two/wheel/index.html"] == own("wheel")[0]


def test_only_folders_of_what_changed_are_looked_at() -> None:
    pages = {f"{folder}/{path}": text for folder in ("one", "two") for path, text in SITE.items()}
    assert {path[:4] for path in read_without(pages, ["one/kiln.html"])} == {"one/"}
    assert read_without(pages, ["two/gone.html"]).keys() == {path for path in pages if path.startswith("two/")}


def test_the_last_page_too_many_that_goes_gives_the_others_all_their_text() -> None:
    few = dict(list(SITE.items())[: LEAST_PAGES - 1])
    assert read_without(few, ["gone.html"]).keys() == few.keys()


def test_a_large_folder_is_judged_by_a_few_of_its_pages() -> None:
    asked: list[str] = []

    def texts(path: str) -> dict[bytes, int]:
        asked.append(path)
        return texts_of([document(SITE["wheel.html"])])

    paths = [f"{number}.html" for number in range(1000)]
    left_out(paths, ["7.html"], texts)
    assert len(asked) == 12
    before = {*asked}
    asked.clear()
    left_out([*paths, "new.html"], ["new.html"], texts)
    assert len(before & {*asked}) >= 11


@pytest.mark.parametrize("text", ["<p>x", "", "<p>" + "a" * 300])
def test_nothing_to_leave_out_leaves_a_document_as_it_is(text: str) -> None:
    assert without(document(text), NOTHING) == document(text)


def test_the_time_grows_with_the_page() -> None:
    found = left_out(SITE, SITE, lambda path: texts_of([document(SITE[path])]))["wheel.html"]

    def work_on(size: int) -> Work:
        return partial(without, document(page(f"<h2>x</h2>{BOTTOM}" * size + body("wheel"))), found)

    assert grows_evenly(work_on, 3200)
