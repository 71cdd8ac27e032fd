"""What comes with an extra of this package: whether it is here, and how to get it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from rerank_cli.errors import UsageError


def check_extra(extra: str, packages: Sequence[str], *, user: str) -> None:
    """Make sure, before any work is done, that the *packages* of an *extra* are installed, which *user* needs.

    Raises:
        UsageError: one is not.
    """
    missing = [name.replace("_", "-") for name in packages if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"{user} needs {' and '.join(missing)}, not installed here",
            remedy=f"install what it needs: pip install 'rerank-cli[{extra}]'",
        )
