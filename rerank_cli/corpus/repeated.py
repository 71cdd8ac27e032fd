"""Find what most pages of a folder repeat at their top and bottom: headers, side bars, footers, notices on cookies.

Such text is read once, with the first page that has it. What to leave out of a page follows from the folder as it is
and from nothing else, so that an index which was brought up to date holds what a new one does.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from rerank_cli.records import Block, Document

MOST_PAGE_BYTES = 200_000
"""A longer page is a book by itself, and takes long to look at."""

LEAST_PAGES = 5
"""In a folder of fewer pages it is chance that most of them say the same."""

_SAMPLE = 12
_MOST = 0.8

# Pages that are alike for the most part are versions of one text, and all of it is their own.
_LEAST_OWN = 0.2

# Between the parts of a header or a footer stand a trail of links, a date, and the next page's name.
_EDGE_CHARS = 100

Texts = Mapping[bytes, int]
"""The texts and headings of a page by their keys, and how many characters each text has, a heading none."""

LeftOut = frozenset[bytes]
"""The keys of the texts and headings to leave out of a page where they stand at its top or bottom."""

NOTHING: LeftOut = frozenset()


def texts_of(documents: Iterable[Document]) -> dict[bytes, int]:
    """What of *documents* might stand in other pages too."""
    blocks = [block for document in documents for block in document.blocks]
    headings = {_key(heading, is_heading=True): 0 for block in blocks for heading in block.headings}
    return headings | {_key(block.text): len(block.text) for block in blocks}


def left_out(pages: Iterable[str], changed: Collection[str], read: Callable[[str], Texts]) -> dict[str, LeftOut]:
    """By path, what to leave out of each of *pages* for which that may be new, where those *changed* came or went.

    A page goes by the nearest folder above it that holds enough of them, itself and below. *read* gives the texts of
    those pages that are looked at.
    """
    pages = sorted(pages)
    sizes = Counter(folder for page in pages for folder in _folders_of(page))
    stirred = {folder for page in changed for folder in _folders_of(page)}
    found: dict[str, LeftOut] = {}
    members: dict[str, list[str]] = {}
    for page in pages:
        home = next((folder for folder in _folders_of(page) if sizes[folder] >= LEAST_PAGES), None)
        if home is None:
            found[page] = NOTHING
        else:
            members.setdefault(home, []).append(page)
    for home in sorted(members.keys() & stirred):
        keepers = _keepers({page: read(page) for page in _sample(page for page in pages if page.startswith(home))})
        for page in members[home]:
            found[page] = frozenset(key for key, keeper in keepers.items() if keeper != page)
    return found


def without(document: Document, left_out: LeftOut) -> Document:
    """*document* without those of its texts at its top and bottom; as it is where it says nothing else."""
    if not left_out:
        return document
    is_own = [_key(block.text) not in left_out for block in document.blocks]
    if all(is_own) or not any(is_own):
        return document
    inner = _inner(document.blocks, is_own)
    stays = [own or at in inner for at, own in enumerate(is_own)]
    kept = [block for block, each in zip(document.blocks, stays, strict=True) if each]
    above = {block.headings[:depth] for block in kept for depth in range(1, len(block.headings) + 1)}
    blocks = (
        block
        for block, each in zip(document.blocks, stays, strict=True)
        if each or _is_alone_under_own(block, above, left_out)
    )
    return document._replace(blocks=tuple(blocks))


def mark(left_out: LeftOut) -> str:
    """What tells one *left_out* from another, in a word; empty for nothing."""
    return hashlib.sha256(b"".join(sorted(left_out))).hexdigest()[:16] if left_out else ""


def _key(text: str, *, is_heading: bool = False) -> bytes:
    words = " ".join(text.split())
    return hashlib.sha256(f"{'#' * is_heading}\n{words}".encode("utf-8", "surrogatepass")).digest()[:16]


def _folders_of(page: str) -> list[str]:
    """The folders above *page*, the nearest first and the root, which is the empty path, last."""
    ends = [at + 1 for at, char in enumerate(page) if char == "/"]
    return [page[:end] for end in (*reversed(ends), 0)]


def _sample(pages: Iterable[str]) -> list[str]:
    """Some of *pages*, by chance that is the same in each run and seldom changes when a page comes or goes."""
    chosen = sorted(pages, key=lambda page: (zlib.crc32(page.encode("utf-8", "surrogateescape")), page))
    return sorted(chosen[:_SAMPLE])


def _keepers(texts: Mapping[str, Texts]) -> dict[bytes, str]:
    """By its key, each text that most of the pages repeat, and the first of them that has it; *texts* go by page."""
    from statistics import median  # slow to load, and needed for new pages alone

    counts = Counter(key for page in texts.values() for key in page)
    alike = {key for key, count in counts.items() if count >= _MOST * len(texts)}
    own_shares = [_own_share(page, alike) for page in texts.values() if page]
    if not alike or median(own_shares) < _LEAST_OWN:
        return {}
    return {key: next(path for path, page in texts.items() if key in page) for key in alike}


def _own_share(page: Texts, alike: Collection[bytes]) -> float:
    own = sum(chars for key, chars in page.items() if key not in alike)
    return own / max(1, sum(page.values()))


def _inner(blocks: Sequence[Block], is_own: Sequence[bool]) -> range:
    """The blocks that are neither at the top nor at the bottom."""
    edges = []
    for order in (range(len(blocks)), range(len(blocks) - 1, -1, -1)):
        own_chars = 0
        for at in order:
            if is_own[at] and not blocks[at].leads:
                own_chars += len(blocks[at].text)
            if own_chars > _EDGE_CHARS:
                break
        edges.append(at)
    return range(edges[0], edges[1] + 1)


def _is_alone_under_own(block: Block, above: Collection[tuple[str, ...]], left_out: LeftOut) -> bool:
    """Whether a heading of the page's own would go with *block*; *above* are those that stay."""
    trails = (block.headings[:depth] for depth in range(1, len(block.headings) + 1))
    return any(trail not in above and _key(trail[-1], is_heading=True) not in left_out for trail in trails)
