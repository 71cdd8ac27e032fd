"""Open a zip file of XML, as office documents and e-books are, without more memory or time than an honest one takes."""

from __future__ import annotations

import posixpath
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from rerank_cli.corpus.read.errors import Unreadable

# A small zip file can unpack to a thousand times its size. A sheet of 5 million cells unpacks to 250 MB.
_MAX_BYTES = 500_000_000
_MAX_MEMBERS = 50_000

# What is held as a tree takes ten times its size.
_MAX_TREE_BYTES = 30_000_000

_CHUNK_BYTES = 65_536

_ZIP_MARK = b"PK"
_OLE_MARK = b"\xd0\xcf\x11\xe0"
_OLE_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


class Package:
    """The members of a zip file, by their names. Names of tags are without their namespaces.

    Everything raises Unreadable where the file is damaged, encrypted, or larger than any honest one.
    """

    def __init__(self, content: bytes) -> None:
        self.notes: list[str] = []
        """What of the file could not be read, for the user."""
        self._left_bytes = _MAX_BYTES
        _check_kind(content)
        try:
            self._zip = ZipFile(BytesIO(content))
        except (BadZipFile, ValueError, NotImplementedError, OverflowError, OSError) as error:
            raise Unreadable("damaged or cut off: its end, where a zip file lists what it holds, is missing") from error
        members = self._zip.infolist()
        if len(members) > _MAX_MEMBERS:
            raise Unreadable(f"holds more than {_MAX_MEMBERS} files")
        self._members = {_name(member.filename): member for member in members}

    def __contains__(self, name: str) -> bool:
        return _name(name) in self._members

    def names(self) -> list[str]:
        """The names of all members, in small letters and in order."""
        return sorted(self._members)

    def read(self, name: str) -> bytes:
        """The bytes of the member called *name*. Raises Unreadable, also where there is none or it is very large."""
        chunks, size = [], 0
        for chunk in self._chunks(name):
            size += len(chunk)
            if size > _MAX_TREE_BYTES:
                raise Unreadable(f"{name} in it unpacks to more than {_MAX_TREE_BYTES // 1_000_000} MB")
            chunks.append(chunk)
        return b"".join(chunks)

    def tree(self, name: str) -> Element:
        """The XML of the member called *name*, for one that is never large. Raises Unreadable, also where none is."""
        return _tree(self.read(name), name)

    def tree_if_any(self, name: str) -> Element:
        """As `tree`; without such a member, an element with nothing in it."""
        return self.tree(name) if name and name in self else Element("nothing")

    def tree_beside(self, name: str) -> Element:
        """As `tree_if_any`, for what stands beside the text, such as a chart: damage in it is one of the `notes`."""
        try:
            return self.tree_if_any(name)
        except Unreadable as damage:
            self.notes.append(f"{damage}: left out")
            return Element("nothing")

    def pieces(self, name: str, opened: frozenset[str]) -> Iterator[Element]:
        """The XML of the member called *name*, for one that may be large, in pieces that are gone one after another.

        Elements whose names are in *opened*, from the root on, come without their children as soon as they begin. Their
        children follow, each one whole.
        """
        builder = TreeBuilder()
        top = builder.start("top", {})
        parser = XMLParser(target=builder)  # noqa: S314 - `_Prolog` looks at it first
        growing = _Growing(opened)
        prolog = _Prolog()
        for chunk in self._chunks(name):
            with _damage_told(name):
                prolog.feed(chunk)
                parser.feed(chunk)
            yield from growing.taken_from(top, ended=False)
        with _damage_told(name):
            parser.close()
        yield from growing.taken_from(top, ended=True)

    def _chunks(self, name: str) -> Iterator[bytes]:
        member = self._members.get(_name(name))
        if member is None:
            raise Unreadable(f"{name} is missing in it")
        if member.flag_bits & 1:
            raise Unreadable("encrypted: needs a password")
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise Unreadable(f"{name} in it is compressed in a way that is not read")
        with _damage_told(name), self._opened(member) as file:
            while chunk := file.read(_CHUNK_BYTES):
                self._left_bytes -= len(chunk)
                if self._left_bytes < 0:
                    raise Unreadable(f"unpacks to more than {_MAX_BYTES // 1_000_000} MB")
                yield chunk

    @contextmanager
    def _opened(self, member: ZipInfo) -> Iterator[BytesIO]:
        with self._zip.open(member) as file:
            yield file  # type: ignore[misc]  # it reads as one


def value(element: Element | None, name: str, default: str = "") -> str:
    """The attribute *name* of *element*, whatever its namespace."""
    if element is None:
        return default
    found = element.attrib.get(name)
    if found is not None:
        return found
    ending = "}" + name
    return next((text for key, text in element.attrib.items() if key.endswith(ending)), default)


def number(text: str | None, default: int, *, most: int = 1 << 24) -> int:
    """The whole number that *text* is, between 0 and *most*, or *default*."""
    text = (text or "").strip()
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 10 else default


def beside(name: str, target: str) -> str:
    """The member that *target*, written in the member *name*, means; what stands behind # falls away."""
    target = unquote(target.partition("#")[0]).replace("\\", "/")
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(name), target)).lstrip("/")


def shown(element: Element) -> Iterator[Element]:
    """The children of *element*; of alternatives for programs of different age only the first."""
    for child in element:
        if child.tag == "AlternateContent":
            yield from next((list(choice) for choice in child if len(choice)), [])
        else:
            yield child


def _name(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").casefold()


def _check_kind(content: bytes) -> None:
    if content.startswith(_OLE_MARK):
        if _OLE_ENCRYPTED in content:
            raise Unreadable("encrypted: needs a password")
        raise Unreadable("an old Office file, whatever its name says: save it in the new format")
    if not content:
        raise Unreadable("empty")
    if not content.startswith(_ZIP_MARK):
        raise Unreadable("no zip file, as its name promises")


def _tree(content: bytes, name: str) -> Element:
    parser = XMLParser()  # noqa: S314 - `_Prolog` looks at it first
    prolog = _Prolog()
    with _damage_told(name):
        prolog.feed(content)
        parser.feed(content)
        root = parser.close()
    names = _LocalNames()
    for each in root.iter():
        each.tag = names[each.tag]
    return root


class _Growing:
    """Takes what is whole out of a tree that is still being built.

    A child is whole when another one has begun behind it. Of 5 million cells, to be told where each one ends would take
    longer than all the rest.
    """

    def __init__(self, opened: frozenset[str]) -> None:
        self._opened = opened
        self._names = _LocalNames()
        self._begun: set[Element] = set()  # those that are still open

    def taken_from(self, parent: Element, *, ended: bool) -> Iterator[Element]:
        """The children of *parent*, all of them where it has *ended*; they are in the tree no more."""
        children = parent[:]
        whole = children if ended else children[:-1]
        del parent[: len(whole)]
        for child in whole:
            if self._names[child.tag] not in self._opened:
                for each in child.iter():
                    each.tag = self._names[each.tag]
                yield child
                continue
            yield from self._begin(child)
            yield from self.taken_from(child, ended=True)
            self._begun.discard(child)
        if not ended and children and self._names[children[-1].tag] in self._opened:
            yield from self._begin(children[-1])
            yield from self.taken_from(children[-1], ended=False)

    def _begin(self, element: Element) -> Iterator[Element]:
        if element not in self._begun:
            self._begun.add(element)
            yield Element(self._names[element.tag], element.attrib)


class _LocalNames(dict[str, str]):
    """Of each tag its name without the namespace."""

    def __missing__(self, tag: str) -> str:
        self[tag] = local = tag.rpartition("}")[2]
        return local


class _Prolog:
    """What stands before the first element, where alone entities are declared: small ones can unfold to gigabytes."""

    def __init__(self) -> None:
        self._over = False
        self._parser = expat.ParserCreate()
        self._parser.EntityDeclHandler = self._refuse
        self._parser.StartElementHandler = self._end

    def feed(self, chunk: bytes) -> None:
        if not self._over:
            self._parser.Parse(chunk)

    def _end(self, *_: object) -> None:
        self._over = True
        self._parser.EntityDeclHandler = self._parser.StartElementHandler = None

    def _refuse(self, *_: object) -> None:
        raise Unreadable("declares entities, which no such file needs")


@contextmanager
def _damage_told(name: str) -> Iterator[None]:
    try:
        yield
    except (ParseError, expat.ExpatError, LookupError, ValueError) as error:
        raise Unreadable(f"{name} in it is damaged: {error}".replace("\n", " ")) from error
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise Unreadable(f"{name} in it is damaged or cut off") from error
