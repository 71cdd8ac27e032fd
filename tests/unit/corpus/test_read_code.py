from __future__ import annotations

import pytest

from rerank_cli.corpus.read.code import read
from rerank_cli.records import Block, at_lines

PYTHON = '''\
"""Doc."""

import os

class Boiler:
    """Heats."""
    hot = True
    # Says how.
    @property
    def pressure(self):
        x = 1

        return x

    async def drain(self): pass

def main():
    pass
'''


def blocks(text: str, path: str = "src/boiler.kt") -> tuple[Block, ...]:
    (document,) = read(text, path).documents
    return document.blocks


def test_blocks_stand_under_the_definitions_around_them_with_exact_lines() -> None:
    assert blocks(PYTHON) == (
        Block('"""Doc."""', at_lines(1, 1)),
        Block("import os", at_lines(3, 3)),
        Block('class Boiler:\n    """Heats."""\n    hot = True', at_lines(5, 7), ("class Boiler",)),
        Block(
            "    # Says how.\n    @property\n    def pressure(self):\n        x = 1",
            at_lines(8, 11),
            ("class Boiler", "def pressure"),
        ),
        Block("        return x", at_lines(13, 13), ("class Boiler", "def pressure")),
        Block("    async def drain(self): pass", at_lines(15, 15), ("class Boiler", "def drain")),
        Block("def main():\n    pass", at_lines(17, 18), ("def main",)),
    )


def test_source_code_has_no_title_of_its_own() -> None:
    (document,) = read("x = 1", "src/boiler.py").documents
    assert document.title == ""


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("export default class Foo extends Bar {", "class Foo"),
        ("export async function load() {", "function load"),
        ("const add = (a, b) => {", "const add"),
        ("func (s *Server) Start() error {", "func (s *Server) Start"),
        ("type Server struct {", "type Server"),
        ("pub(crate) unsafe fn free<T>(x: T) {", "fn free"),
        ("impl<T> Display for Foo<T> {", "impl<T> Display for Foo"),
        ("pub enum Shape {", "enum Shape"),
        ("static int *find(const char *name, int n) {", "find"),
        ("    public static void main(String[] args) {", "main"),
        ("void Boiler::drain() const {", "Boiler::drain"),
        ("interface Heater {", "interface Heater"),
        ("backup() {", "backup()"),
        ("CREATE TABLE IF NOT EXISTS users (", "CREATE TABLE IF NOT EXISTS users"),
        ("[tool.ruff]", "[tool.ruff]"),
        ("[[bin]]", "[[bin]]"),
        ("    def self.build", "def self.build"),
        ("    } else if (x) {", ""),
        ("    for (int i = 0; i < n; i++) {", ""),
        ("    return find(a, b) {", ""),
        ("x = [1]", ""),
        ("defaults = classify(x)", ""),
        ("class " + "x" * 500, ""),
    ],
)
def test_a_definition_is_known_by_its_line(line: str, label: str) -> None:
    (block,) = blocks(line)
    assert block.headings == ((label,) if label else ())


def test_the_line_that_closes_a_body_belongs_to_it() -> None:
    found = blocks("fn a() {\n    x();\n\n}\n\nlet b = 1;\n")
    assert [(b.text, b.headings) for b in found[1:]] == [("}", ("fn a",)), ("let b = 1;", ())]


def test_tabs_count_as_indentation() -> None:
    found = blocks("func a() {\n\tx()\n\n\ty()\n}\n")
    assert found[1] == Block("\ty()\n}", at_lines(4, 5), ("func a",))


def test_comments_alone_are_a_block() -> None:
    assert blocks("# one\n# two\n") == (Block("# one\n# two", at_lines(1, 2)),)
