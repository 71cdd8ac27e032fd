"""Rules that git keeps beside its .gitignore files; git itself says what is right."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rerank_cli.corpus.discover import discover
from rerank_cli.records import Rules

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

FILES = ("a.md", "private.md", "notes.log", "sub/private.md", "sub/deep/draft.md", "kept.log")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return home


@pytest.fixture
def repository(tmp_path: Path, home: Path) -> Path:
    return made(tmp_path / "repository")


def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q")
    for path in FILES:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("words\n")
    return folder


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def taken_by_git(folder: Path) -> list[str]:
    listed = git(folder, "ls-files", "--others", "--cached", "--exclude-standard", "-z").split("\0")
    return sorted(path for path in listed if path and not path.endswith(".gitignore"))


def taken(folder: Path) -> list[str]:
    return [file.path for file in discover(folder, Rules()).files]


def test_info_exclude_of_the_repository_counts(repository: Path) -> None:
    write(repository / ".git/info/exclude", "# mine\n/private.md\n*.log\n")
    assert taken(repository) == taken_by_git(repository) == ["a.md", "sub/deep/draft.md", "sub/private.md"]
    assert taken(repository / "sub") == ["deep/draft.md", "private.md"]
    (skipped,) = (file for file in discover(repository, Rules()).skipped if file.path == "private.md")
    assert skipped.reason == f"ignored by {repository}/.git/info/exclude: /private.md"


@pytest.mark.parametrize(
    ("place", "config"),
    [
        (".config/git/ignore", ""),
        ("rules", "[core]\n\texcludesFile = ~/rules\n"),
        ("my rules", '[user]\n\tname = excludesfile\n[core]\n\tx = 1\n\tExcludesfile = "~/my rules" ; mine\n'),
        ("rules", '[core "sub"]\n\texcludesFile = ~/other\n[core]\n\texcludesfile = ~/rules # mine\n'),
    ],
)
def test_the_excludes_file_of_the_user_counts(home: Path, repository: Path, place: str, config: str) -> None:
    write(home / place, "private.md\n")
    if config:
        write(home / ".gitconfig", config)
    assert taken(repository) == taken_by_git(repository)
    assert not any("private" in path for path in taken(repository))


def test_the_repository_may_name_another_excludes_file_than_the_user(home: Path, repository: Path) -> None:
    write(home / "rules", "private.md\n")
    write(home / ".gitconfig", "[core]\n\texcludesFile = ~/rules\n")
    write(home / "others", "*.log\n")
    git(repository, "config", "core.excludesFile", str(home / "others"))
    assert taken(repository) == taken_by_git(repository)
    assert "private.md" in taken(repository) and "notes.log" not in taken(repository)


def test_what_is_nearer_goes_first(home: Path, repository: Path) -> None:
    """A .gitignore brings back what info/exclude leaves out, and that what the user's own file leaves out."""
    write(home / ".config/git/ignore", "*.md\nkept.log\n")
    write(repository / ".git/info/exclude", "!private.md\n*.log\n")
    write(repository / ".gitignore", "!kept.log\n")
    write(repository / "sub/.gitignore", "private.md\n")
    assert taken(repository) == taken_by_git(repository) == ["kept.log", "private.md"]


def test_a_repository_within_and_a_second_working_tree_have_their_own(home: Path, repository: Path) -> None:
    inner = made(repository / "inner")
    write(inner / ".git/info/exclude", "private.md\n")
    found = taken(repository)
    assert "private.md" in found and "inner/a.md" in found
    assert not any(path.startswith("inner/") and "private" in path for path in found)
    author = ["-c", "user.name=a", "-c", "user.email=a@b"]
    git(inner, *author, "commit", "-q", "--allow-empty", "-m", "x")
    other = home / "other"
    git(inner, "worktree", "add", "-q", str(other))
    write(other / "private.md", "words\n")
    write(other / "a.md", "words\n")
    assert taken(other) == taken_by_git(other) == ["a.md"]


def test_without_a_repository_or_with_ignore_files_left_aside_they_do_not_count(home: Path, repository: Path) -> None:
    write(home / ".config/git/ignore", "*.md\n")
    assert "private.md" in [file.path for file in discover(repository, Rules(ignore_files=False)).files]
    write(home / "plain/private.md", "words\n")
    assert taken(home / "plain") == ["private.md"]
