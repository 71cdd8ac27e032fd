from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest

from rerank_cli.doctor.findings import Finding, failure, guarded
from rerank_cli.errors import Busy, ConfigError, IndexDamaged, InputError


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ConfigError("an unknown key", remedy="see every key"), "FAIL", 2),
        (IndexDamaged("cut short", remedy="build it anew"), "FAIL", 3),
        (InputError("the disk is full", remedy="free some space"), "FAIL", 4),
        (Busy("was written while it was read", remedy="try again"), "warn", 0),
    ],
)
def test_an_error_is_told_with_its_remedy_and_code(error: InputError, status: str, code: int) -> None:
    finding = failure("index", "notes", error)
    assert (finding.status, finding.exit_code) == (status, code)
    assert (finding.message, finding.remedy) == (str(error), error.remedy)


def test_an_error_of_the_system_names_its_file_unless_that_is_the_subject() -> None:
    error = PermissionError(errno.EACCES, "Permission denied", "/cache/file")
    assert failure("disk", "/cache", error).message == "/cache/file: Permission denied"
    assert failure("disk", "/cache/file", error).message == "Permission denied"
    assert failure("disk", "/cache", error).exit_code == 4


def test_what_was_found_before_a_look_fails_is_kept() -> None:
    def look() -> Iterator[Finding]:
        yield Finding("lock", "one", "ok", "nobody is writing")
        raise OSError(errno.EIO, "Input/output error", "/two")

    assert [finding.status for finding in guarded("lock", "", look)] == ["ok", "FAIL"]


def test_a_bug_is_no_finding() -> None:
    def look() -> Iterator[Finding]:
        yield from ()
        raise TypeError("a bug")

    with pytest.raises(TypeError):
        list(guarded("lock", "", look))
