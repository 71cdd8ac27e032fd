from __future__ import annotations

from functools import partial

import pytest

from rerank_cli.corpus.read import code_tree, format_of
from rerank_cli.corpus.read.code import read
from rerank_cli.corpus.read.code_tree import Definition, definitions
from rerank_cli.corpus.read.formats import FORMATS
from rerank_cli.records import Block, at_lines
from tests.growth import grows_evenly


@pytest.mark.parametrize(
    ("path", "text", "label"),
    [
        ("a.py", "@cache\ndef f(\n    a,\n):\n    pass\n", "def f"),
        ("a.js", "res.send = function send(body) {\n}\n", "res.send"),
        ("a.js", "const f = async (x) => {\n}\n", "const f"),
        ("a.ts", "export abstract class Shed<T> {\n}\n", "class Shed"),
        ("a.tsx", "interface Props {\n  a: string\n}\n", "interface Props"),
        ("a.java", "public static final class Shed {\n}\n", "class Shed"),
        ("a.c", "static int *\nfind(const char *name,\n     int n)\n{\n}\n", "find"),
        ("a.c", "typedef struct {\n  int a;\n} shed_t;\n", "struct shed_t"),
        ("a.h", "template <class T>\nclass Shed : public House {\n};\n", "class Shed"),
        ("a.cpp", "void Shed::open(int n) const\n{\n}\n", "Shed::open"),
        ("a.go", "func (s *Shed) Open() error {\n}\n", "func (s *Shed) Open"),
        ("a.go", "type Shed struct {\n}\n", "type Shed"),
        ("a.rs", "impl<T> Display for Shed<T>\nwhere T: Debug {\n}\n", "impl<T> Display for Shed<T> where T: Debug"),
        ("a.rs", "pub(crate) unsafe fn free<T>(x: T) {\n}\n", "fn free"),
        ("a.cs", "public record Shed(int A) {\n}\n", "record Shed"),
        ("a.rb", "module Garden\nend\n", "module Garden"),
        ("a.php", "<?php\nabstract class Shed {\n}\n", "class Shed"),
        ("a.sh", "function peel {\n  echo\n}\n", "function peel"),
    ],
)
def test_a_definition_is_known_wherever_its_words_stand(path: str, text: str, label: str) -> None:
    found = definitions(text, path)
    assert found is not None
    assert [each.label for each in found][:1] == [label]


def test_the_lines_of_a_definition_are_its_own() -> None:
    assert definitions("x = 1\n\ndef f():\n    def g():\n        pass\n    return g\n", "a.py") == [
        Definition("def f", 2, 5),
        Definition("def g", 3, 4),
    ]


def test_blocks_stand_under_the_definitions_around_them_with_their_comments() -> None:
    text = "/* Opens the shed. */\nint\nopen_shed(int key)\n{\n  turn(key);\n\n  return 0;\n}\nint x;\n"
    (document,) = read(text, "a.c").documents
    assert document.blocks == (
        Block("/* Opens the shed. */\nint\nopen_shed(int key)\n{\n  turn(key);", at_lines(1, 5), ("open_shed",)),
        Block("  return 0;\n}\nint x;", at_lines(7, 9), ("open_shed",)),
    )


def test_a_definition_in_a_text_is_none() -> None:
    (document,) = read('def f():\n    """Such as:\n\n    def g():\n        pass\n    """\n', "a.py").documents
    assert {block.headings for block in document.blocks} == {("def f",)}


def test_a_file_that_its_grammar_makes_nothing_of_is_read_by_patterns() -> None:
    assert definitions("func f( {{{ ]] class", "a.py") is None


def test_without_the_library_the_patterns_find_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_tree, "find_spec", lambda name: None)
    (document,) = read("def f():\n    pass\n", "a.py").documents
    assert document.blocks[0].headings == ("def f",)


def test_a_file_is_read_again_once_the_library_is_there() -> None:
    with_it = format_of("a.py")
    assert with_it.reading.endswith("+tree_sitter")
    assert with_it._replace(aid="a_library_that_is_not_here").reading == with_it.reading.removesuffix("+tree_sitter")
    assert format_of("a.toml").reading == FORMATS[".kt"].reading == with_it.reading.removesuffix("+tree_sitter")


@pytest.mark.parametrize("piece", ["(", "{", "class a:\n ", "def f():\n", "[", "f(", '"', "{'a':", "if a:\n "])
def test_code_that_is_never_closed_takes_no_longer_than_its_size(piece: str) -> None:
    assert grows_evenly(lambda size: partial(read, piece * (size // len(piece)), "a.py"), 60_000)
