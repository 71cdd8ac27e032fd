"""Read what is attached to a mail as a file of its name would be."""

from __future__ import annotations

from rerank_cli.corpus.read import read_file
from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.formats import TEXT, format_of
from rerank_cli.corpus.read.mime import Part
from rerank_cli.records import FoundFile, Reading
from rerank_cli.stamps import Stamp

# Beyond this few programs send mails, and text would drown everything else.
_MOST_BYTES = 25_000_000
_MOST_TEXT_BYTES = 10_000_000

_KEY_MARK = b"-----BEGIN PGP "


def is_readable(part: Part) -> bool:
    """Whether there is a reader for files of its name and kind."""
    format = format_of(part.filename)
    if format.inner or part.kind.startswith("application/pgp"):
        return False
    return format != TEXT or part.kind.startswith("text/") or part.filename.lower().endswith(".txt")


def read_attachment(part: Part) -> Reading:
    """What the attachment *part* holds, of a mail the text alone. Raises Unreadable, and no other error of a reader."""
    format = format_of(part.filename)
    if format.bare:
        format = format._replace(function=format.bare, bare="")
    content = part.content()
    most = _MOST_BYTES if format.binary else _MOST_TEXT_BYTES
    if len(content) > most:
        raise Unreadable(f"larger than {most // 1_000_000} MB")
    if content.startswith(_KEY_MARK):
        return Reading(())
    if part.kind == "text/plain" and not format.binary and "charset" in part.parameters:
        content = part.text().encode()
    file = FoundFile(part.filename, "", Stamp(len(content), 0, 0, 0))
    try:
        return read_file(file, content, format=format)
    except (Unreadable, MemoryError):
        raise
    except Exception as error:  # an attachment can be made to break any library, and breaks no mail
        raise Unreadable(f"cannot be understood ({type(error).__name__})") from error
