"""What was proved of files, for a process that answers for others one after another: it holds while the files do.

A file that has not been written since is not read whole again. Of one that was written in the last seconds nothing is
noted, for it may change under the same stamp.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from rerank_cli.stamps import Stamp, is_settled, stamp_of

_known: dict[str, str] = {}
_new: dict[str, str] = {}


def is_proved(files: Sequence[Path], claim: object) -> bool:
    """Whether *claim* was proved of *files* as they are now."""
    if not _known:
        return False
    return _known.get(_name(files)) == repr((claim, _stamps(files)))


def note(files: Sequence[Path], claim: object) -> None:
    """Remember that *claim* was proved of *files*."""
    stamps = _stamps(files)
    if stamps and all(map(is_settled, stamps)):
        _new[_name(files)] = repr((claim, stamps))


def noted() -> Mapping[str, str]:
    """What this process has proved, for another to `learn`."""
    return dict(_new)


def learn(proved: Mapping[str, str]) -> None:
    """Believe what another process of this program has noted."""
    _known.update(proved)


def _name(files: Sequence[Path]) -> str:
    return "\0".join(str(path.absolute()) for path in files)


def _stamps(files: Sequence[Path]) -> list[Stamp]:
    """Those of *files*; none where one is gone."""
    try:
        return [stamp_of(os.stat(path)) for path in files]  # noqa: PTH116 - follows what was opened
    except OSError:
        return []
