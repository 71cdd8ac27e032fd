"""Find the files of a folder that are worth indexing, and say why the others are not.

The rules for ignoring are git's own: the last pattern that matches decides, patterns in a deeper
folder come after those above it, and nothing below an ignored folder can be brought back. Git's files
count from the root of the repository that the folder lies in; the folder itself was asked for.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from rerank_cli.config import PROJECT_FILE
from rerank_cli.corpus.mounts import mount_test
from rerank_cli.corpus.read.wide_text import wide_encoding
from rerank_cli.corpus.worth import not_worth_by_content, not_worth_by_name, not_worth_folder, reason_of_binary
from rerank_cli.errors import InputError, UsageError, in_words
from rerank_cli.globs import BrokenPattern, GitPattern, git_pattern, selects
from rerank_cli.ports import FileState
from rerank_cli.records import Cause, FoundFile, Rules, SkippedFile
from rerank_cli.regular import open_regular
from rerank_cli.stamps import stamp_of

# Ours comes second, so that it can bring back what git leaves out.
IGNORE_FILES = (".gitignore", ".rerankignore")

# Each file is held against all patterns of the folders above it: with so many that takes some 10 ms.
MOST_PATTERNS = 10_000
MOST_RULE_BYTES = 1_000_000

BINARY_SHARE = 10
"""So many times as large as text may a file be whose format is binary: pictures and fonts take most of its room."""

PROBE_BYTES = 64 * 1024
"""So much of a file is looked at to see whether it is text, and text for people."""

# As much as git reads before it calls a file binary.
_BINARY_BYTES = 8 * 1024

# No text of any encoding has many of these; a small or packed file may be binary without a NUL. Backspaces, escapes and
# the shifts of Asian encodings are not among them.
_CONTROLS = bytes((*range(1, 7), *range(16, 26), *range(28, 32), 127))
_MOST_CONTROLS = 0.03

# The one common binary format that may show no NUL for a long while.
_PDF_MARK = b"%PDF-"

NOTHING_KNOWN: Mapping[str, FileState] = {}


class Discovery(NamedTuple):
    """Every file of the root exactly once, sorted by path; a folder left out is one entry.

    `mounts` are the mount points among the folders walked, where the root is the empty path, and the absolute paths
    of those that the root lies on; sorted.
    """

    files: tuple[FoundFile, ...]
    skipped: tuple[SkippedFile, ...]
    mounts: tuple[str, ...] = ()


class _Patterns(NamedTuple):
    """The patterns of one ignore file, or of --exclude.

    They hold in `folder`; where this lies above the root, `down` leads from there to the root.
    """

    origin: str
    folder: str
    patterns: tuple[GitPattern, ...]
    down: str = ""

    def last_match(self, entry: str) -> GitPattern | None:
        """The last pattern that names *entry* itself.

        The walk has judged the folders above already, and asking them again here would let a deeper
        `!keep/` bring back every file in it.
        """
        if not self.patterns:
            return None
        below = self.down + entry.removeprefix(self.folder)
        return next((pattern for pattern in reversed(self.patterns) if pattern.names(below)), None)


class _Folder(NamedTuple):
    """A folder to walk. `path` is empty for the root and ends in a slash for every other."""

    path: str
    location: str
    ignores: tuple[_Patterns, ...]


def discover(
    root: Path, rules: Rules, *, index_folder: Path | None = None, known: Mapping[str, FileState] = NOTHING_KNOWN
) -> Discovery:
    """Find the files under *root*, a folder or a single file; an *index_folder* inside it is left out.

    A file given by name is taken whatever the rules say of its name and size; only its content counts. Files with
    the stamp of the state that is *known* by their path were judged before and are not opened.
    Raises InputError where *root* is missing or cannot be listed, UsageError for a broken pattern.
    """
    place = _existing(root)
    mounts: list[str] = []
    is_mount = mount_test()
    files: list[FoundFile] = []
    skipped: list[SkippedFile] = []
    if place.is_dir():
        walk = _Walk(place, rules, index_folder, is_mount, known)
        walk.run()
        files, skipped, mounts = walk.files, walk.skipped, walk.mounts
    elif isinstance(outcome := _judged_alone(root, rules, known), FoundFile):
        files = [outcome]
    else:
        skipped = [outcome]
    mounts += [str(above) for above in place.parents if is_mount(above)]
    by_path = attrgetter("path")
    return Discovery(
        files=tuple(sorted(files, key=by_path)),
        skipped=tuple(sorted(skipped, key=by_path)),
        mounts=tuple(sorted(mounts)),
    )


def left_out_by_name(paths: Iterable[str], rules: Rules) -> set[str]:
    """Those of *paths*, of files that need not be there, that *rules* leave out whatever ignore files say."""
    include = _flag_patterns(rules.include, "--include")
    exclude = _Patterns("--exclude", "", _flag_patterns(rules.exclude, "--exclude"))

    def is_left_out(path: str) -> bool:
        entries = [*(f"{folder}/" for folder in PurePosixPath(path).parents if folder.name), path]
        hidden = not rules.hidden and any(PurePosixPath(entry).name.startswith(".") for entry in entries)
        excluded = any((match := exclude.last_match(entry)) and match.include for entry in entries)
        return hidden or excluded or bool(rules.include and not selects(include, path))

    return {path for path in paths if is_left_out(path)}


def _rule_for(entry: str, ignores: tuple[_Patterns, ...]) -> tuple[str, GitPattern] | None:
    """The last pattern of *ignores* that names *entry*, behind the file that says so."""
    for ignore in reversed(ignores):
        if match := ignore.last_match(entry):
            return ignore.origin, match
    return None


def _existing(root: Path) -> Path:
    try:
        return root.resolve(strict=True)
    except FileNotFoundError as error:
        raise InputError(
            f"no such folder or file: {root}", remedy="check the path, and that its disk is mounted"
        ) from error
    except OSError as error:
        raise InputError(f"cannot open {root}: {_reason(error)}", remedy="check its permissions") from error
    except RuntimeError as error:  # how Python before 3.13 says that a link leads to itself
        raise InputError(f"cannot open {root}: link to itself", remedy="give the folder it stands for") from error


def _judged_alone(root: Path, rules: Rules, known: Mapping[str, FileState]) -> FoundFile | SkippedFile:
    if not _is_utf8(root.name):
        return SkippedFile(_shown(root.name), "its name is not valid UTF-8", "failed")
    return judged_by_content(root, rules._replace(max_file_size_bytes=sys.maxsize), known)


def judged_by_content(
    place: Path, rules: Rules, known: Mapping[str, FileState] = NOTHING_KNOWN
) -> FoundFile | SkippedFile:
    """The file at *place* by its size and its content; what *rules* say of names does not count."""
    name = _shown(place.name)
    try:
        status = place.stat()
    except OSError as error:
        return SkippedFile(name, _reason(error), "failed")
    return _judged_by_content(name, str(place), status, rules, known.get(name))


class _Walk:
    """One walk through the root, from the top down.

    It leaves what it found in `files` and `skipped`, and in `mounts` the mount points that it has come through.
    """

    def __init__(
        self,
        root: Path,
        rules: Rules,
        index_folder: Path | None,
        is_mount: Callable[[str | Path], bool],
        known: Mapping[str, FileState],
    ) -> None:
        self._root = root
        self._known = known
        self._index_folder = str(index_folder.resolve()) if index_folder else None
        self._rules = rules
        self.files: list[FoundFile] = []
        self.skipped: list[SkippedFile] = []
        self.mounts: list[str] = []
        self._is_mount = is_mount
        self._include = _flag_patterns(rules.include, "--include")
        self._exclude = _Patterns("--exclude", "", _flag_patterns(rules.exclude, "--exclude"))
        self._has_flags = bool(self._include or self._exclude.patterns)

    def run(self) -> None:
        # A list in place of recursion: folders may be nested deeper than Python's stack.
        pending = [_Folder("", str(self._root), self._ignores_above())]
        while pending:
            folder = pending.pop()
            try:
                descriptor = os.open(folder.location, os.O_RDONLY | os.O_DIRECTORY)
            except OSError as error:
                self.skipped.append(self._unlistable(folder, error))
                continue
            try:
                self._look_into(folder, descriptor, pending)
            finally:
                os.close(descriptor)

    def _look_into(self, folder: _Folder, descriptor: int, pending: list[_Folder]) -> None:
        """Judge what lies in *folder*, which the *descriptor* has open; the folders in it are left *pending*."""
        try:
            names = sorted(os.listdir(descriptor))
            ignores = folder.ignores + self._ignores_in(folder, names)
        except OSError as error:
            self.skipped.append(self._unlistable(folder, error))
            return
        if self._is_mount(folder.location):
            self.mounts.append(folder.path)
        within, folders = folder._replace(ignores=ignores), []
        beginning = os.path.join(folder.location, "")  # noqa: PTH118 - of the many files that lie in it
        for name in names:
            outcome = self._judged(within, name, beginning + name, descriptor)
            if isinstance(outcome, FoundFile):
                self.files.append(outcome)
            elif isinstance(outcome, SkippedFile):
                self.skipped.append(outcome)
            else:
                folders.append(outcome)
        pending += reversed(folders)  # the last comes first, and so files come nearly sorted

    def _unlistable(self, folder: _Folder, error: OSError) -> SkippedFile:
        if not folder.path:
            remedy = "shorten it, or pass --no-ignore" if isinstance(error, _TooManyRules) else "check its permissions"
            raise InputError(f"cannot list {self._root}: {_reason(error)}", remedy=remedy) from error
        return SkippedFile(folder.path, _reason(error), "failed")

    def _ignores_above(self) -> tuple[_Patterns, ...]:
        """Git's rules from the repository around the root, the outermost first."""
        repository = next((place for place in (self._root, *self._root.parents) if _holds(place, ".git")), self._root)
        found: list[_Patterns] = []
        place, up, down = self._root, "", ""
        if self._rules.ignore_files and _holds(repository, ".git"):
            below = "".join(f"{name}/" for name in self._root.relative_to(repository).parts)
            beside = self._of_git(repository, "", below)
        else:
            beside = []
        while self._rules.ignore_files and place != repository:
            place, up, down = place.parent, f"../{up}", f"{place.name}/{down}"
            if _holds(place, ".gitignore"):
                patterns = self._patterns_above(place / ".gitignore", beside=found)
                found.insert(0, _Patterns(f"{up}.gitignore", "", patterns, down))
        return (*beside, *found)

    def _of_git(self, repository: Path, folder: str, down: str = "") -> list[_Patterns]:
        """What git keeps elsewhere for *repository*, which *folder* is, or from which *down* leads to the root."""
        from rerank_cli.corpus.git import exclude_files  # which many folders do without

        found: list[_Patterns] = []
        for location in exclude_files(repository):
            if _is_in_reach(location):
                patterns = self._patterns_above(location, beside=found)
                found.append(_Patterns(str(location), folder, patterns, down))
        return found

    def _patterns_above(self, location: Path, *, beside: list[_Patterns]) -> tuple[GitPattern, ...]:
        try:
            return _patterns_in(location, beside=beside)
        except OSError as error:
            raise InputError(
                f"cannot read {location}, whose rules hold in {self._root}: {_reason(error)}",
                remedy="shorten it or check its permissions, or pass --no-ignore",
            ) from error

    def _ignores_in(self, folder: _Folder, names: list[str]) -> tuple[_Patterns, ...]:
        """An ignore file that cannot be read fails its folder: we would not know what to leave out."""
        found: list[_Patterns] = []
        if self._rules.ignore_files and folder.path and ".git" in names:  # a repository within
            found += self._of_git(Path(folder.location), folder.path)
        for name in IGNORE_FILES if self._rules.ignore_files else ():
            if name in names:
                patterns = _patterns_in(Path(folder.location, name), beside=[*folder.ignores, *found])
                found.append(_Patterns(folder.path + name, folder.path, patterns))
        return tuple(found)

    def _judged(self, folder: _Folder, name: str, location: str, descriptor: int) -> FoundFile | SkippedFile | _Folder:
        if not (name.isascii() or _is_utf8(name)):
            return SkippedFile(folder.path + _shown(name), "its name is not valid UTF-8", "failed")
        try:
            status = os.lstat(name, dir_fd=descriptor)  # by its location the system would look up each folder again
            kind = stat.S_IFMT(status.st_mode)
            path = f"{folder.path}{name}/" if kind == stat.S_IFDIR else folder.path + name
            if location == self._index_folder:
                return SkippedFile(path, "the index itself", "rule")
            rule = _rule_for(path, folder.ignores) if folder.ignores else None
            known = self._known.get(path)
            if by_name := self._reason_by_name(name, path, rule, known is not None):
                return SkippedFile(path, *by_name)
            if kind == stat.S_IFLNK:
                if reason := self._reason_by_target(Path(location)):
                    return SkippedFile(path, reason, "link")
                status = os.stat(location)  # noqa: PTH116
        except OSError as error:
            return SkippedFile(folder.path + name, _reason(error), "failed")
        if kind == stat.S_IFDIR:
            if rule is None and (reason := not_worth_folder(location)) and not self._knows(path):
                return SkippedFile(path, reason, "generated")
            return _Folder(path, location, folder.ignores)
        judges = rule is None  # what a rule brings back is wanted, whatever it is
        return _judged_by_content(path, location, status, self._rules, known, judges=judges)

    def _knows(self, folder: str) -> bool:
        return any(path.startswith(folder) for path in self._known)

    def _reason_by_name(
        self, name: str, path: str, rule: tuple[str, GitPattern] | None, is_known: bool
    ) -> tuple[str, Cause] | None:
        if name == ".git":
            return "git's own folder", "hidden"
        if name[0] == "." and not self._rules.hidden:
            return "hidden", "hidden"
        if name == PROJECT_FILE and not path.endswith("/"):
            return "rerank-cli's own configuration", "rule"
        if is_known and not (rule or self._has_flags):
            return None
        if rule and rule[1].include:
            return f"ignored by {rule[0]}: {rule[1].text}", "rule"
        if self._exclude.patterns and (excluded := self._exclude.last_match(path)) and excluded.include:
            return f"matched by --exclude '{excluded.text}'", "rule"
        if self._rules.include and not path.endswith("/") and not selects(self._include, path):
            return "not matched by --include", "rule"
        if not rule and not is_known and not path.endswith("/") and (reason := not_worth_by_name(path)):
            return reason, "generated"
        return None

    def _reason_by_target(self, link: Path) -> str:
        try:
            target = link.resolve(strict=True)
        except (FileNotFoundError, NotADirectoryError, RuntimeError):
            return "link to nothing"
        if not target.is_relative_to(self._root):
            return "link leads out of the folder"
        if target.is_dir():
            return "link to a folder that is indexed where it lies"
        return ""


def _judged_by_content(
    path: str,
    location: str,
    status: os.stat_result,
    rules: Rules,
    known: FileState | None,
    *,
    judges: bool = False,
) -> FoundFile | SkippedFile:
    """*known* is the file as it was judged before; *judges* lets a text be left out that is none for people."""
    try:
        if not stat.S_ISREG(status.st_mode):  # opening a pipe or a device could hang for ever
            return SkippedFile(path, "not a regular file", "special")
        if known is not None and known.stamp.is_of(status) and status.st_size <= rules.max_file_size_bytes:
            # of two equal paths, the other one goes; made as the class does it, but sooner: of many files it is most
            return tuple.__new__(FoundFile, (known.path, location, known.stamp))
        from rerank_cli.corpus.read.formats import format_of  # which is not needed where no file is new

        stamp = stamp_of(status)
        format = format_of(path, rules.converters)
        most_bytes = rules.max_file_size_bytes * (BINARY_SHARE if format.binary else 1)
        if status.st_size > most_bytes:
            limit, size = _size_in_words(most_bytes), _size_in_words(status.st_size)
            exact = f"{status.st_size} bytes" if size == limit else size
            return SkippedFile(path, f"larger than {limit} ({exact})", "too large")
        if (known is None or known.stamp != stamp) and not (format.binary or format.command):
            with open_regular(location) as file:
                head = file.read(PROBE_BYTES)
            if _is_binary(head[:_BINARY_BYTES]):
                return SkippedFile(path, reason_of_binary(path), "binary")
            if judges and (reason := not_worth_by_content(path, head)):
                return SkippedFile(path, reason, "generated")
    except OSError as error:
        return SkippedFile(path, _reason(error), "failed")
    return FoundFile(path, location, stamp)


def _flag_patterns(globs: tuple[str, ...], flag: str) -> tuple[GitPattern, ...]:
    try:
        return tuple(pattern for glob in globs if (pattern := git_pattern(glob)))
    except BrokenPattern as error:
        raise UsageError(f"{flag}: {error}", remedy="write it as in a .gitignore file") from error


def _holds(folder: Path, name: str) -> bool:
    return os.path.lexists(folder / name)


def _is_in_reach(location: Path) -> bool:
    """Git itself goes on without a file of a home that it may not enter."""
    try:
        return location.is_file()
    except OSError:
        return False


class _TooManyRules(OSError):
    """An ignore file that is too long to be followed; told as an ignore file that cannot be read."""


def _patterns_in(location: Path, *, beside: list[_Patterns]) -> tuple[GitPattern, ...]:
    """Those of an ignore file; none of a link or a pipe, which git does not follow either.

    Raises:
        OSError: it cannot be read, is larger than MOST_RULE_BYTES, or with those *beside* it has over MOST_PATTERNS.
    """
    if not stat.S_ISREG(location.lstat().st_mode):
        return ()
    with location.open("rb") as file:
        content = file.read(MOST_RULE_BYTES + 1)
    if len(content) > MOST_RULE_BYTES:
        raise _TooManyRules(f"{location.name} is larger than {MOST_RULE_BYTES:,} bytes")
    lines = [line for line in content.decode("utf-8-sig", "replace").splitlines() if line and line[0] != "#"]
    if len(lines) + sum(len(ignore.patterns) for ignore in beside) > MOST_PATTERNS:
        raise _TooManyRules(f"{location.name} brings the patterns here to more than {MOST_PATTERNS:,}")
    patterns = []
    for line in lines:
        try:
            pattern = git_pattern(line)
        except BrokenPattern:
            continue  # to git such a line matches nothing
        if pattern:
            patterns.append(pattern)
    return tuple(patterns)


def _is_binary(start: bytes) -> bool:
    if wide_encoding(start):
        return False
    controls = len(start) - len(start.translate(None, _CONTROLS))
    return start.startswith(_PDF_MARK) or b"\0" in start or controls > _MOST_CONTROLS * len(start)


def _is_utf8(name: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in name)


def _shown(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _reason(error: OSError) -> str:
    """Why something was left out, which is told within a sentence."""
    return in_words(error).lower()


def _size_in_words(size_bytes: int) -> str:
    """In the units of the setting: 1 MB has a million bytes."""
    if size_bytes < 1_000_000:
        return f"{size_bytes / 1_000:.1f} kB"
    return f"{size_bytes / 1_000_000:.1f} MB"
