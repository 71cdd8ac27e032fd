"""Git's patterns mean what they mean to git, and take no time to say so however many wildcards they have."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from itertools import accumulate, pairwise, product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rerank_cli.corpus.discover import discover
from rerank_cli.globs import BrokenPattern, git_pattern, selects
from rerank_cli.records import Rules
from tests.growth import Work, cpu_s

AskGit = Callable[[str], set[str]]

NAMES = ("a", "b", "ab", "aab", "ba")
FOLDERS = [f"{name}.d" for name in NAMES]
ODD = ["]", "-", "[a]", "\\", "a b", " a", "#a", "!a", "a\n", "A", "7", "**", "a*b"]
PATHS = sorted(
    [
        *NAMES,
        *ODD,
        *("/".join(parts) for parts in product(FOLDERS, NAMES)),
        *("/".join(parts) for parts in product(FOLDERS, FOLDERS, ("a", "aab"))),
        *("/".join(parts) for parts in product(("a.d",), FOLDERS, ("b.d",), ("a", "ab"))),
    ]
)


@pytest.fixture(scope="module")
def ask_git(tmp_path_factory: pytest.TempPathFactory) -> AskGit:
    """Those of PATHS that git ignores by a line of a .gitignore file at their root."""
    root = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for path in PATHS:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("words\n")
    command = ["git", "-C", str(root), "check-ignore", "--no-index", "--stdin", "-z"]

    def ask(glob: str) -> set[str]:
        (root / ".gitignore").write_text(f"{glob}\n")
        asked = "\0".join(PATHS).encode()
        done = subprocess.run(command, input=asked, capture_output=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        return {path.decode() for path in done.stdout.split(b"\0") if path}

    return ask


def ignored_by_us(glob: str) -> set[str]:
    """As the walk does it: a folder that is named takes everything below it."""
    try:
        pattern = git_pattern(glob)
    except BrokenPattern:
        pattern = None
    if pattern is None:
        return set()

    def is_named(path: str) -> bool:
        *folders, _ = accumulate(path.split("/"), lambda above, name: f"{above}/{name}")
        return any(map(pattern.names, [*(f"{folder}/" for folder in folders), path]))

    named = {path for path in PATHS if is_named(path)}
    assert {path for path in PATHS if pattern.reaches(path)} == named, glob
    assert {path for path in PATHS if selects([pattern], path)} == (named if pattern.include else set())
    return named


# Of two stars beside a letter git's manual says that they are one; git itself reads some of them otherwise.
name = st.one_of(
    st.text("ab*?", min_size=1, max_size=5).filter(lambda name: "**" not in name),
    st.sampled_from(["**", "*", "*.d", "a*.d", "?*b", "[ab]*a*", "[!a]*", "*[a-b].d"]),
)
globs = st.builds(
    lambda before, names, after: before + "/".join(names) + after,
    st.sampled_from(["", "/", "**/"]),
    st.lists(name, min_size=1, max_size=5),
    st.sampled_from(["", "/", "/**", "/*"]),
)


@settings(max_examples=300, derandomize=True)
@given(globs)
def test_a_pattern_means_what_it_means_to_git(ask_git: AskGit, glob: str) -> None:
    assert ignored_by_us(glob) == ask_git(glob)


@pytest.mark.parametrize(
    "glob",
    [
        *("", " ", "/", "//", "!", "!/", "#a", "\\#a", "\\!a", "a b", "a\\ b", " a", "a ", "a\\ ", "\\", "a\\", "\\a"),
        *("*", "**", "*/", "**/", "/*", "/**", "*/**", "**/*", "**/**", "a.d/**/", "a.d/**", "/a.d", "a.d//a", "./a"),
        *("[", "[a", "[]", "[]]", "[!]]", "[]-]", "[a-]", "[-a]", "[b-a]", "[!b-a]", "[^a]", "[!a]", "[\\]]"),
        *("[\\a-b]", "[[]a]", "[[:upper:]]", "[[:digit:]a]", "[^[:alnum:]]", "[[:none:]]", "[[:upper:]", "\\[a]"),
        *("?", "??", "*.d/a", "a.d/*/a", "a.d/**/a", "**/b.d/*", "a.d/*/b.d/**", "\\*\\*", "a\\*b", "a?b", "A", "[A]"),
    ],
)
def test_odd_patterns_mean_what_they_mean_to_git(ask_git: AskGit, glob: str) -> None:
    assert ignored_by_us(glob) == ask_git(glob)


def test_one_letter_is_one_in_any_script() -> None:
    """To git it is as many as it has bytes."""
    for glob in ("?", "[é]", "[!a]", "[à-ï]"):
        pattern = git_pattern(glob)
        assert pattern is not None and pattern.names("é")


def test_of_several_patterns_the_last_decides_and_what_names_the_file_comes_before_its_folder() -> None:
    def taken(*lines: str) -> list[str]:
        patterns = [pattern for line in lines if (pattern := git_pattern(line))]
        return [path for path in ("a.md", "docs/a.md", "docs/b.txt") if selects(patterns, path)]

    assert taken() == []
    assert taken("*.md", "!docs/a.md") == ["a.md"]
    assert taken("!docs/a.md", "*.md") == ["a.md", "docs/a.md"]
    assert taken("docs/", "!docs/a.md") == taken("!docs/a.md", "docs/") == ["docs/b.txt"]


@pytest.mark.parametrize(
    ("before", "wildcards", "most", "after"),
    [
        ("", "*a", 40, "*b"),
        ("", "**/a/", 40, "b"),
        ("", "a*/**/", 20, "b"),
        ("x/", "**/*a*a*/", 10, "b"),
        ("", "*", 500, "b"),
    ],
)
@pytest.mark.parametrize(
    ("top", "part", "parts", "file"), [("", "a", 250, ""), ("", "a/", 1000, "c"), ("x/", "aaaa/", 500, "c")]
)
def test_many_wildcards_take_no_time(
    before: str, wildcards: str, most: int, after: str, top: str, part: str, parts: int, file: str
) -> None:
    """Twice as many of them on a path twice as long take four times as long: to try every way would take years."""

    def ask(share: int) -> Work:
        pattern = git_pattern(before + wildcards * max(1, most // share) + after)
        path = top + part * (parts // share) + file
        assert pattern is not None
        return lambda: pattern.names(path) or pattern.reaches(path)

    for half, whole in pairwise(ask(share) for share in (32, 16, 8, 4, 2, 1)):
        assert any(cpu_s(whole, tries=1) < 16 * cpu_s(half) for _ in range(2))
    assert not whole()


def test_an_ignore_file_made_to_stop_the_walk_does_not(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*a" * 30 + "*b\n")
    for place in (f"{'a' * 200}.md", f"{'a/' * 50}a.md"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("words\n")
    assert len(discover(tmp_path, Rules(include=("**/*.md", "*a" * 30 + "*.md"))).files) == 2
