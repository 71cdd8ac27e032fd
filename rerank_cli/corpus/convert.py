"""Runs the user's own command for a file that no reader knows, and takes what it prints for the file's text."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from contextlib import suppress
from tempfile import TemporaryFile

from rerank_cli.corpus.limits import took_longer
from rerank_cli.corpus.read.errors import NotReadToTheEnd, Unreadable
from rerank_cli.errors import in_words

MAX_OUTPUT_BYTES = 100_000_000

_MAX_REASON_CHARS = 200

# The shell sets the limits, as nothing else may between fork and exec; the command itself is none of the shell's.
_LIMITED = 'ulimit -d "$1" && ulimit -f "$2" && shift 2 && exec "$@"'
_ULIMIT_FILE_BYTES = 512


def converted(command: str, location: str, *, limit_s: float, memory_bytes: int) -> bytes:
    """What *command* prints of the file at *location*, which stands in it as `{}`; it may read nothing from us.

    It gets *limit_s* seconds and *memory_bytes*, and may print `MAX_OUTPUT_BYTES`.

    Raises:
        Unreadable: it cannot be run, or ends with an error, which is told by the last line that it wrote of it.
        NotReadToTheEnd: it took longer.
    """
    arguments = [location if part == "{}" else part for part in shlex.split(command)]
    limits = [str(memory_bytes // 1024), str(MAX_OUTPUT_BYTES // _ULIMIT_FILE_BYTES)]
    with TemporaryFile() as output, TemporaryFile() as errors:
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own configuration names it
                ["/bin/sh", "-c", _LIMITED, "sh", *limits, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,  # so that it goes with all that it starts
            )
        except OSError as error:
            raise Unreadable(f"{arguments[0]} cannot be run: {in_words(error)}") from error
        try:
            status = process.wait(limit_s)
        except subprocess.TimeoutExpired as error:
            raise NotReadToTheEnd(took_longer(limit_s)) from error
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if status:
            errors.seek(0)
            raise Unreadable(_told(arguments[0], status, errors.read()))
        output.seek(0)
        return output.read()


def _told(name: str, status: int, errors: bytes) -> str:
    lines = [line for line in errors.decode(errors="replace").splitlines() if line.strip()]
    reason = f": {lines[-1].strip()[:_MAX_REASON_CHARS]}" if lines else ""
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    return f"{name} ended with {how}{reason}"
