"""Git's patterns with many wildcards: they mean what they mean to pathspec, and take no time to say so."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pathspec.patterns.gitignore.base import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from rerank_cli.corpus.discover import Rules, discover
from rerank_cli.globs import git_pattern

name = st.one_of(st.text("ab*?", min_size=1, max_size=7), st.just("**"), st.just("[ab]*a*"))
glob = st.builds(
    lambda before, names, after: before + "/".join(names) + after,
    st.sampled_from(["", "/", "!"]),
    st.lists(name, min_size=1, max_size=6),
    st.sampled_from(["", "/"]),
)
path = st.builds(
    lambda names, after: "/".join(names) + after,
    st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=6),
    st.sampled_from(["", "/"]),
)


@settings(max_examples=2000, deadline=None, derandomize=True)
@given(glob, path)
def test_a_pattern_matches_what_it_matched_before(glob: str, path: str) -> None:
    try:
        before = GitIgnoreSpecPattern(glob)
    except GitIgnorePatternError:
        return
    if before.regex is None:
        return
    found, wanted = git_pattern(glob).regex.search(path), before.regex.search(path)
    assert (found is None) == (wanted is None)
    if wanted is not None and before.regex.pattern[-1] != "/":
        assert (found.end() == len(path)) == (wanted.end() == len(path))


@pytest.mark.parametrize(
    "glob", ["*a" * 40 + "*b", "**/a/" * 40 + "b", "a*/**/" * 20 + "b", "x/" + "**/*a*a*/" * 10 + "b"]
)
@pytest.mark.parametrize("path", ["a" * 250, "a/" * 1000 + "c", "x/" + "aaaa/" * 500 + "c"])
def test_many_wildcards_take_no_time(glob: str, path: str) -> None:
    pattern = git_pattern(glob)
    started = time.process_time()
    assert pattern.regex.search(path) is None
    assert time.process_time() - started < 5, "it would take years"


def test_an_ignore_file_made_to_stop_the_walk_does_not(tmp_path) -> None:
    (tmp_path / ".gitignore").write_text("*a" * 30 + "*b\n")
    for place in (f"{'a' * 200}.md", f"{'a/' * 50}a.md"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("words\n")
    assert len(discover(tmp_path, Rules(include=("**/*.md", "*a" * 30 + "*.md"))).files) == 2
