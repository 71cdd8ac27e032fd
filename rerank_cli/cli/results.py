"""The results of a query, and what every format shows of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rerank_cli.cli.filtering import AskedFilter
from rerank_cli.config import Settings
from rerank_cli.freshness import Staleness, location_of
from rerank_cli.ports import Index, Reranker
from rerank_cli.records import Hit, Passage, Place
from rerank_cli.search import SearchResult

LEAST_SHOWN = 0.005
"""What two decimals show of the support of a document's further passages."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """What is told about a search beside its hits. `here` is where the user stands.

    With `ends_with_nul` paths are written as they are, for a program that reads them to the next NUL.
    """

    settings: Settings
    index: Index
    reranker: Reranker | None
    many: bool
    explain: bool
    filters: AskedFilter
    here: Path
    ends_with_nul: bool = False

    def location_of(self, hit: Hit) -> Path:
        """Where the file of *hit* lies."""
        return location_of(Path(self.index.manifest.recipe.root), hit.path)


@dataclass(frozen=True, slots=True)
class Around:
    """What stands before and after a hit in its document, in reading order: passages, or some lines of them."""

    before: tuple[Passage, ...]
    after: tuple[Passage, ...]

    def whole(self, hit: Hit) -> str:
        """The hit with what is around it."""
        return "\n\n".join([*(each.text for each in self.before), hit.text, *(each.text for each in self.after)])


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query brought, and by path those of its files that are gone or changed since.

    `around` has by a hit's rank what is around it, where that is to be shown.
    """

    query_id: str
    result: SearchResult
    stale: Mapping[str, Staleness]
    around: Mapping[int, Around] = field(default_factory=dict)


class ResultWriter(Protocol):
    """Writes each query's answer as it comes."""

    def write(self, answer: Answer) -> None: ...

    def close(self) -> None: ...


def explanation(hit: Hit, *, pieces: int = 1) -> str:
    """Where a hit stood in each list, in one line, and in how many pieces the reranker asked if in more than one."""
    candidate = hit.candidate
    parts = [f"{name} #{listed.rank} {listed.score:.3f}" for name, listed in candidate.lists.items()]
    if candidate.opening_score is not None:
        parts.append(f"opening {candidate.opening_score:.3f}")
    parts.append(f"first stage #{candidate.rank} {candidate.score:.2f}")
    if hit.reranker_rank is not None:
        parts.append(f"reranker #{hit.reranker_rank} {hit.logit:+.2f} scores {hit.score:.3f}")
    if hit.support >= LEAST_SHOWN:
        parts.append(f"further passages {hit.support:+.2f}")
    if pieces > 1:
        parts.append(f"asked in {pieces} pieces")
    return " · ".join(parts)


def shown_place(location: Path, place: Place, *, here: Path) -> str:
    """A file and a place in it, as people and, where it is in lines, editors read them."""
    path = shown_path(location, here=here)
    if place.unit != "line":
        return f"{path} {place}"
    return f"{path}:{place.first}" if place.first == place.last else f"{path}:{place.first}-{place.last}"


def shown_path(location: Path, *, here: Path) -> str:
    """*location* as one who stands *here* writes it: relative where it lies below, else absolute.

    A name that begins with a dash would be an option to whatever a shell hands it to.
    """
    if not location.is_relative_to(here):
        return str(location)
    path = str(location.relative_to(here))
    return f"./{path}" if path.startswith("-") else path


def heading(hit: Hit) -> str:
    """The trail of headings above a hit, on one line."""
    return " > ".join(hit.headings)
