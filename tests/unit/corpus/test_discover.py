from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rerank_cli.corpus.discover import Discovery, discover
from rerank_cli.errors import InputError, UsageError
from rerank_cli.ports import FileState
from rerank_cli.records import FoundFile, Rules, SkippedFile
from rerank_cli.stamps import Stamp, stamp_of


def plant(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("words\n")


def ignore(root: Path, path: str, *patterns: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("".join(f"{pattern}\n" for pattern in patterns))


def paths(discovery: Discovery) -> list[str]:
    return [file.path for file in discovery.files]


def reasons(discovery: Discovery) -> dict[str, str]:
    return {skipped.path: skipped.reason for skipped in discovery.skipped}


@pytest.fixture
def guarded() -> Iterator[Path]:
    """A folder outside of root's own, so that another user gets as far as its own permissions."""
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    yield root
    root.chmod(0o755)
    for place in root.iterdir():
        place.chmod(0o755)
    shutil.rmtree(root)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may read everything, so root looks as nobody."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_files_come_sorted_by_path_with_their_size_and_time(tmp_path: Path) -> None:
    plant(tmp_path, "b.md", "a/z.md", "a.md", "a-b.md")
    found = discover(tmp_path, Rules())
    assert paths(found) == ["a-b.md", "a.md", "a/z.md", "b.md"]
    status = (tmp_path / "a/z.md").stat()
    assert found.files[2] == FoundFile("a/z.md", str(tmp_path / "a/z.md"), stamp_of(status))
    assert found.skipped == ()


def test_an_empty_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    assert paths(discover(tmp_path, Rules())) == ["empty.txt"]


@pytest.mark.parametrize(
    ("patterns", "kept"),
    [
        (["*.log"], ["keep.txt", "sub/deep/keep.txt", "sub/keep.txt"]),
        (["/a.log"], ["keep.txt", "sub/a.log", "sub/deep/a.log", "sub/deep/keep.txt", "sub/keep.txt"]),
        (
            ["*.log", "!a.log"],
            ["a.log", "keep.txt", "sub/a.log", "sub/deep/a.log", "sub/deep/keep.txt", "sub/keep.txt"],
        ),
        (["sub/"], ["a.log", "keep.txt"]),
        (["sub/", "!sub/keep.txt"], ["a.log", "keep.txt"]),
        (["sub/*", "!sub/keep.txt"], ["a.log", "keep.txt", "sub/keep.txt"]),
        (["sub/**", "!sub/keep.txt"], ["a.log", "keep.txt", "sub/keep.txt"]),
        (["**/deep"], ["a.log", "keep.txt", "sub/a.log", "sub/keep.txt"]),
        (["*", "!*/", "!keep.txt"], ["keep.txt", "sub/deep/keep.txt", "sub/keep.txt"]),
        (
            ["# a.log", "", "keep.txt/"],
            ["a.log", "keep.txt", "sub/a.log", "sub/deep/a.log", "sub/deep/keep.txt", "sub/keep.txt"],
        ),
        (["[", "!", "\\", "*.log"], ["keep.txt", "sub/deep/keep.txt", "sub/keep.txt"]),
    ],
)
def test_ignore_patterns_mean_what_they_mean_to_git(tmp_path: Path, patterns: list[str], kept: list[str]) -> None:
    plant(tmp_path, "a.log", "keep.txt", "sub/a.log", "sub/keep.txt", "sub/deep/a.log", "sub/deep/keep.txt")
    ignore(tmp_path, ".gitignore", *patterns)
    assert paths(discover(tmp_path, Rules())) == kept


def test_a_deeper_ignore_file_overrides_one_above_and_reaches_no_further_than_its_folder(
    tmp_path: Path,
) -> None:
    plant(tmp_path, "a.log", "sub/a.log", "other/a.log", "sub/b.txt", "b.txt")
    ignore(tmp_path, ".gitignore", "*.log")
    ignore(tmp_path, "sub/.gitignore", "!a.log", "/b.txt")
    assert paths(discover(tmp_path, Rules())) == ["b.txt", "sub/a.log"]


def test_bringing_back_a_folder_does_not_bring_back_what_a_rule_above_leaves_out_in_it(
    tmp_path: Path,
) -> None:
    plant(tmp_path, "sub/foo/a.log", "sub/foo/a.txt")
    ignore(tmp_path, ".gitignore", "*.log")
    ignore(tmp_path, "sub/.gitignore", "!foo/", "!foo")
    assert paths(discover(tmp_path, Rules())) == ["sub/foo/a.txt"]


def test_rerankignore_comes_after_gitignore(tmp_path: Path) -> None:
    plant(tmp_path, "a.log", "b.log", "c.txt")
    ignore(tmp_path, ".gitignore", "*.log")
    ignore(tmp_path, ".rerankignore", "!a.log", "c.txt")
    found = discover(tmp_path, Rules())
    assert paths(found) == ["a.log"]
    assert reasons(found)["c.txt"] == "ignored by .rerankignore: c.txt"


def test_an_ignored_folder_is_one_entry_that_names_the_rule(tmp_path: Path) -> None:
    plant(tmp_path, "sub/build/a.md", "sub/build/deep/b.md", "sub/c.log")
    ignore(tmp_path, "sub/.gitignore", "build/", "*.log")
    skipped = reasons(discover(tmp_path, Rules()))
    assert skipped == {
        "sub/.gitignore": "hidden",
        "sub/build/": "ignored by sub/.gitignore: build/",
        "sub/c.log": "ignored by sub/.gitignore: *.log",
    }


def test_git_rules_of_the_repository_around_the_folder_hold_in_it(tmp_path: Path) -> None:
    root = tmp_path / "repo/docs/guide"
    plant(root, "a.md", "a.log", "kept.log", "out/b.md", "sub/c.md", "sub/d.tmp", "top.md")
    (tmp_path / "repo/.git").mkdir()
    ignore(tmp_path, ".gitignore", "a.md")  # outside of the repository
    ignore(tmp_path, "repo/.gitignore", "*.log", "/docs/guide/out/", "/top.md", "docs/*/sub/*.tmp", "kept.log")
    ignore(tmp_path, "repo/docs/.gitignore", "!kept.log", "guide/sub/d.tmp")
    ignore(tmp_path, "repo/.rerankignore", "c.md")
    found = discover(root, Rules())
    assert paths(found) == ["a.md", "kept.log", "sub/c.md", "top.md"]
    assert reasons(found) == {
        "a.log": "ignored by ../../.gitignore: *.log",
        "out/": "ignored by ../../.gitignore: /docs/guide/out/",
        "sub/d.tmp": "ignored by ../.gitignore: guide/sub/d.tmp",
    }
    assert "a.log" in paths(discover(root, Rules(ignore_files=False)))


@pytest.mark.parametrize("folder", ["", "inner/"])
def test_git_rules_above_the_nearest_repository_or_without_any_do_not_hold(tmp_path: Path, folder: str) -> None:
    plant(tmp_path, "inner/root/a.log")
    ignore(tmp_path, ".gitignore", "*.log")
    if folder:
        (tmp_path / ".git").mkdir()
        (tmp_path / folder / ".git").write_text("gitdir: elsewhere\n")  # as a worktree has it
    assert paths(discover(tmp_path / "inner/root", Rules())) == ["a.log"]


def test_a_folder_asked_for_is_indexed_though_the_repository_ignores_it(tmp_path: Path) -> None:
    plant(tmp_path, "build/docs/a.md")
    (tmp_path / ".git").mkdir()
    ignore(tmp_path, ".gitignore", "build/", "docs")
    assert paths(discover(tmp_path / "build/docs", Rules())) == ["a.md"]


def test_git_rules_above_the_folder_that_cannot_be_read_are_an_error(guarded: Path) -> None:
    plant(guarded, "root/a.md")
    (guarded / ".git").mkdir()
    ignore(guarded, ".gitignore", "a.md")
    (guarded / ".gitignore").chmod(0)
    with unprivileged(), pytest.raises(InputError, match=r"cannot read .*gitignore, .*: permission denied"):
        discover(guarded / "root", Rules())


def test_the_projects_own_configuration_is_no_document_unless_given_by_name(tmp_path: Path) -> None:
    plant(tmp_path, "rerank.yaml", "other.yaml", "sub/rerank.yaml")
    found = discover(tmp_path, Rules())
    assert paths(found) == ["other.yaml"]
    assert reasons(found) == dict.fromkeys(["rerank.yaml", "sub/rerank.yaml"], "rerank-cli's own configuration")
    assert paths(discover(tmp_path / "rerank.yaml", Rules())) == ["rerank.yaml"]


def test_ignore_files_can_be_left_aside(tmp_path: Path) -> None:
    plant(tmp_path, "a.log")
    ignore(tmp_path, ".gitignore", "*.log")
    assert paths(discover(tmp_path, Rules(ignore_files=False))) == ["a.log"]


def test_hidden_files_and_folders_are_left_out_unless_asked_for_and_git_always(tmp_path: Path) -> None:
    plant(tmp_path, ".hidden.md", ".folder/a.md", ".git/HEAD", "a.md")
    found = discover(tmp_path, Rules())
    assert paths(found) == ["a.md"]
    assert reasons(found) == {".folder/": "hidden", ".git/": "git's own folder", ".hidden.md": "hidden"}
    assert paths(discover(tmp_path, Rules(hidden=True))) == [".folder/a.md", ".hidden.md", "a.md"]


def test_include_keeps_only_what_it_matches_in_folders_of_any_name(tmp_path: Path) -> None:
    plant(tmp_path, "a.md", "a.txt", "docs/b.md", "docs/b.txt", "src/c.txt")
    assert paths(discover(tmp_path, Rules(include=("*.md",)))) == ["a.md", "docs/b.md"]
    assert paths(discover(tmp_path, Rules(include=("docs/",)))) == ["docs/b.md", "docs/b.txt"]
    assert reasons(discover(tmp_path, Rules(include=("*.md", "src"))))["a.txt"] == "not matched by --include"


def test_exclude_drops_files_and_whole_folders_and_names_its_pattern(tmp_path: Path) -> None:
    plant(tmp_path, "a.md", "a.bak", "old/b.md", "old/c.md")
    found = discover(tmp_path, Rules(exclude=("*.bak", "old")))
    assert paths(found) == ["a.md"]
    assert reasons(found) == {"a.bak": "matched by --exclude '*.bak'", "old/": "matched by --exclude 'old'"}


def test_exclude_wins_over_include(tmp_path: Path) -> None:
    plant(tmp_path, "a.md", "b.md")
    assert paths(discover(tmp_path, Rules(include=("*.md",), exclude=("b.*",)))) == ["a.md"]


@pytest.mark.parametrize(
    ("rules", "flag"), [(Rules(include=("!",)), "--include"), (Rules(exclude=("!",)), "--exclude")]
)
def test_a_broken_pattern_in_a_flag_is_an_error_of_usage(tmp_path: Path, rules: Rules, flag: str) -> None:
    with pytest.raises(UsageError, match=flag):
        discover(tmp_path, rules)


def test_binary_files_are_left_out_and_wide_text_is_not(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x00\x00")
    (tmp_path / "b.ai").write_bytes(b"%PDF-1.7\nno NUL near")
    (tmp_path / "c.txt").write_bytes("wide".encode("utf-16"))
    (tmp_path / "d.txt").write_bytes("wide".encode("utf-32"))
    (tmp_path / "e.txt").write_bytes("unmarked".encode("utf-16-le"))
    (tmp_path / "f.txt").write_bytes("unmarked, and 長い".encode("utf-16-be") + b"a")
    (tmp_path / "g.pcm").write_bytes(bytes(byte for level in range(256) for byte in (level, 0)))
    (tmp_path / "h.bin").write_bytes(b"\x01\0\0\0a\0b\0c\0d\0" * 9)
    found = discover(tmp_path, Rules())
    assert paths(found) == ["c.txt", "d.txt", "e.txt", "f.txt"]
    assert reasons(found) == dict.fromkeys(["a.png", "b.ai", "g.pcm", "h.bin"], "binary")


def test_a_document_that_no_reader_knows_names_the_option_that_may_help(tmp_path: Path) -> None:
    (tmp_path / "Old.DOC").write_bytes(b"\xd0\xcf\x11\xe0\0\0")
    (tmp_path / "text.doc").write_text("It is text, whatever its name says.")
    found = discover(tmp_path, Rules())
    assert paths(found) == ["text.doc"]
    assert reasons(found) == {"Old.DOC": "a document that no reader knows: see --converter '.doc=COMMAND {}'"}


def test_a_binary_file_without_a_nul_is_known_by_its_controls(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"ID3" + bytes(range(1, 256)) * 3)
    (tmp_path / "b.txt").write_bytes(b"N\bNA\bAM\bME\bE\n\x1b[1mBold\x1b[0m \x0eshift\x0f \x1b$B\n\x0cPage\x04\n" * 9)
    (tmp_path / "c.txt").write_bytes("Мельница стоит у ручья.".encode("koi8-r"))
    found = discover(tmp_path, Rules())
    assert (paths(found), reasons(found)) == (["b.txt", "c.txt"], {"a.mp3": "binary"})


def test_installed_packages_are_left_out_unless_a_rule_or_the_index_has_them(tmp_path: Path) -> None:
    for name in ("node_modules/pad/index.js", "web/node_modules/pad/readme.md", "env/lib/six.py", "lib/env/note.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("words\n")
    (tmp_path / "env/pyvenv.cfg").write_text("home = /usr\n")
    found = discover(tmp_path, Rules())
    assert paths(found) == ["lib/env/note.md"]
    assert reasons(found) == {
        "env/": "a virtual environment of Python",
        "node_modules/": "packages that a program installed",
        "web/node_modules/": "packages that a program installed",
    }
    known = {"env/lib/six.py": FileState("env/lib/six.py", Stamp(0, 0, 0, 0), b"", "code 3", failure=None)}
    assert paths(discover(tmp_path, Rules(), known=known)) == ["env/lib/six.py", "env/pyvenv.cfg", "lib/env/note.md"]
    (tmp_path / ".rerankignore").write_text("!node_modules/\n")
    assert paths(discover(tmp_path, Rules()))[-2:] == ["node_modules/pad/index.js", "web/node_modules/pad/readme.md"]


@pytest.mark.parametrize(
    ("limit", "size", "reason"),
    [
        (100, 101, "larger than 0.1 kB (101 bytes)"),
        (2000, 5000, "larger than 2.0 kB (5.0 kB)"),
        (1_000_000, 1_550_000, "larger than 1.0 MB (1.6 MB)"),
        (10_000_000, 10_000_001, "larger than 10.0 MB (10000001 bytes)"),
    ],
)
def test_a_file_over_the_limit_is_left_out_with_both_sizes(tmp_path: Path, limit: int, size: int, reason: str) -> None:
    (tmp_path / "big.txt").write_bytes(b"x" * size)
    (tmp_path / "fits.txt").write_bytes(b"x" * limit)
    found = discover(tmp_path, Rules(max_file_size_bytes=limit))
    assert paths(found) == ["fits.txt"]
    assert found.skipped == (SkippedFile("big.txt", reason, "too large"),)


def test_links_are_followed_only_to_files_inside(tmp_path: Path) -> None:
    root = tmp_path / "root"
    plant(tmp_path, "outside.md", "root/sub/a.md")
    (root / "file.md").symlink_to("sub/a.md")
    (root / "folder").symlink_to("sub")
    (root / "loop").symlink_to("loop")
    (root / "nothing").symlink_to("gone.md")
    (root / "out").symlink_to(tmp_path)
    (root / "out.md").symlink_to("../outside.md")
    (root / "up").symlink_to(".")
    found = discover(root, Rules())
    assert paths(found) == ["file.md", "sub/a.md"]
    inside = "link to a folder that is indexed where it lies"
    assert reasons(found) == {
        "folder": inside,
        "loop": "link to nothing",
        "nothing": "link to nothing",
        "out": "link leads out of the folder",
        "out.md": "link leads out of the folder",
        "up": inside,
    }


def test_a_link_to_the_root_itself_is_walked(tmp_path: Path) -> None:
    plant(tmp_path, "real/a.md")
    (tmp_path / "link").symlink_to("real")
    assert paths(discover(tmp_path / "link", Rules())) == ["a.md"]


def test_pipes_and_sockets_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / ".gitignore")
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        found = discover(tmp_path, Rules())
    assert reasons(found) == {
        ".gitignore": "hidden",
        "pipe": "not a regular file",
        "socket": "not a regular file",
    }


def test_what_may_not_be_read_is_a_failure_and_the_rest_is_found(guarded: Path) -> None:
    plant(guarded, "a.md", "secret.md", "closed/b.md", "unruled/c.md")
    ignore(guarded, "unruled/.gitignore", "c.md")
    (guarded / "secret.md").chmod(0)
    (guarded / "closed").chmod(0)
    (guarded / "unruled/.gitignore").chmod(0)
    with unprivileged():
        found = discover(guarded, Rules())
    assert paths(found) == ["a.md"]
    assert found.skipped == tuple(
        SkippedFile(path, "permission denied", "failed") for path in ("closed/", "secret.md", "unruled/")
    )


def test_a_root_that_cannot_be_listed_is_an_error(guarded: Path) -> None:
    guarded.chmod(0)
    with unprivileged(), pytest.raises(InputError, match=r"cannot list .*: permission denied"):
        discover(guarded, Rules())


def test_a_missing_root_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such folder or file: .*gone") as caught:
        discover(tmp_path / "gone", Rules())
    assert "check the path" in caught.value.remedy


def test_a_root_that_links_to_itself_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match="cannot open"):
        discover(tmp_path / "loop", Rules())


def test_odd_names_are_found_as_they_are(tmp_path: Path) -> None:
    names = ["[draft].md", "a\nb.md", "back\\slash.md", "ünï.md", "{x} *.md"]
    plant(tmp_path, *names)
    assert paths(discover(tmp_path, Rules())) == sorted(names)


def test_a_name_that_is_not_utf8_is_a_failure_shown_escaped(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.md")).write_text("x")
    found = discover(tmp_path, Rules())
    assert found.skipped == (SkippedFile("caf\\xe9.md", "its name is not valid UTF-8", "failed"),)
    alone = discover(tmp_path / os.fsdecode(b"caf\xe9.md"), Rules())
    assert alone.skipped == found.skipped


def test_a_file_given_by_name_is_found_whatever_rules_say_of_its_name(tmp_path: Path) -> None:
    plant(tmp_path, ".notes.log")
    ignore(tmp_path, ".gitignore", "*.log")
    found = discover(tmp_path / ".notes.log", Rules(include=("*.md",), exclude=("*.log",)))
    assert paths(found) == [".notes.log"]


def test_a_file_given_by_name_is_taken_at_any_size_but_never_with_binary_content(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\0")
    assert discover(tmp_path / "a.bin", Rules()).skipped == (SkippedFile("a.bin", "binary", "binary"),)
    plant(tmp_path, "corpus.jsonl")
    assert paths(discover(tmp_path / "corpus.jsonl", Rules(max_file_size_bytes=0))) == ["corpus.jsonl"]


# Ignore files have a limit


def test_an_ignore_file_of_too_many_patterns_fails_its_folder(tmp_path: Path) -> None:
    plant(tmp_path, "a.md", "deep/b.md")
    ignore(tmp_path, "deep/.gitignore", *(f"name-{number}" for number in range(10_001)))
    found = discover(tmp_path, Rules())
    assert paths(found) == ["a.md"]
    assert reasons(found) == {"deep/": ".gitignore brings the patterns here to more than 10,000"}
    assert paths(discover(tmp_path, Rules(ignore_files=False))) == ["a.md", "deep/b.md"]


def test_patterns_of_the_folders_above_count_as_well(tmp_path: Path) -> None:
    plant(tmp_path, "a.md", "b/b.md", "b/c/c.md", "d/d.md")
    for folder in ("", "b/", "b/c/"):
        ignore(tmp_path, f"{folder}.gitignore", *(f"name-{number}" for number in range(4_000)))
    found = discover(tmp_path, Rules())
    assert paths(found) == ["a.md", "b/b.md", "d/d.md"]
    assert list(reasons(found)) == [".gitignore", "b/.gitignore", "b/c/"]


def test_an_ignore_file_larger_than_a_megabyte_fails_its_folder(tmp_path: Path) -> None:
    plant(tmp_path, "a.md", "deep/b.md")
    ignore(tmp_path, "deep/.rerankignore", "#" * 1_000_000)
    assert reasons(discover(tmp_path, Rules())) == {"deep/": ".rerankignore is larger than 1,000,000 bytes"}


def test_comments_and_blank_lines_are_no_patterns(tmp_path: Path) -> None:
    plant(tmp_path, "a.md", "b.md")
    ignore(tmp_path, ".gitignore", *(["# nothing", ""] * 10_000), "b.md")
    assert paths(discover(tmp_path, Rules())) == ["a.md"]


@pytest.mark.parametrize("place", ["", "above"])
def test_rules_of_the_whole_folder_that_are_too_many_end_the_run_with_a_way_out(tmp_path: Path, place: str) -> None:
    plant(tmp_path, "root/a.md", ".git/HEAD")
    folder = tmp_path if place else tmp_path / "root"
    ignore(folder, ".gitignore", *(f"name-{number}" for number in range(10_001)))
    with pytest.raises(InputError, match="more than 10,000") as raised:
        discover(tmp_path / "root", Rules())
    assert "--no-ignore" in raised.value.remedy
    assert paths(discover(tmp_path / "root", Rules(ignore_files=False))) == ["a.md"]


# What is no text for people


def test_what_is_generated_is_left_out_with_its_reason_unless_a_rule_brings_it_back(tmp_path: Path) -> None:
    plant(tmp_path, "package-lock.json", "a.md", "sub/yarn.lock")
    (tmp_path / "app.min.js").write_text("var a=1;" * 100)
    (tmp_path / "plain.js").write_text("function(a){return b(a,c)};" * 8_000)
    found = discover(tmp_path, Rules())
    assert paths(found) == ["a.md"]
    assert {skipped.path: skipped.cause for skipped in found.skipped} == {
        "app.min.js": "generated",
        "package-lock.json": "generated",
        "plain.js": "generated",
        "sub/yarn.lock": "generated",
    }
    assert all(skipped.reason for skipped in found.skipped)
    ignore(tmp_path, ".rerankignore", "!*.js", "!yarn.lock")
    assert paths(discover(tmp_path, Rules())) == ["a.md", "app.min.js", "plain.js", "sub/yarn.lock"]
    assert paths(discover(tmp_path / "package-lock.json", Rules())) == ["package-lock.json"]
