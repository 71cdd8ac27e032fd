"""A file of judgements that grows while a person judges."""

from __future__ import annotations

import os
from pathlib import Path

from rerank_cli.errors import InputError, UsageError, in_words
from rerank_cli.files import numbered_lines, read_text, write_text
from rerank_cli.trec import QRELS_HEADER, qrels_line, read_qrels, tsv_id


class JudgementFile:
    """A qrels file that grows by a line with each judgement; nothing that was answered is lost."""

    def __init__(self, path: Path) -> None:
        """Open what is there, or begin anew.

        Raises:
            UsageError: the file has another form than query<TAB>document<TAB>grade.
            InputError: it cannot be read or written, or a line is malformed.
        """
        self._path = path
        self.grades: dict[str, dict[str, int]] = {}
        self._kept: list[tuple[str, str, str]] = []
        if not path.exists():
            self._append(QRELS_HEADER)
            return
        rows = list(numbered_lines(path))
        if any(line.count("\t") != 2 or line.startswith("{") for _, line in rows):
            raise UsageError(f"{path}: not query<TAB>document<TAB>grade", remedy="name another file with --qrels")
        if [line.lower() for _, line in rows] != [QRELS_HEADER.strip()]:
            self.grades = read_qrels(path)
        if not read_text(path).endswith("\n"):
            self._append("\n")

    def keep(self, query: str, document: str, grade: int) -> None:
        """Write a judgement and make sure that it lies on the disk."""
        line = qrels_line(query, document, grade)
        self.grades.setdefault(tsv_id(query), {})[tsv_id(document)] = grade
        self._append(line)
        self._kept.append((tsv_id(query), tsv_id(document), line))

    def take_back(self) -> None:
        """Forget the last judgement that was kept here and has not been taken back, also on the disk.

        Raises:
            InputError: the file ends otherwise by now, or cannot be written.
        """
        query, document, line = self._kept[-1]
        written = read_text(self._path)
        if not written.endswith(line):
            raise InputError(f"{self._path}: something else wrote into it", remedy="see what, and judge again")
        write_text(self._path, written.removesuffix(line))
        self._kept.pop()
        del self.grades[query][document]

    def _append(self, text: str) -> None:
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InputError(f"{self._path}: cannot be written ({in_words(error)})", remedy="check the disk") from error
