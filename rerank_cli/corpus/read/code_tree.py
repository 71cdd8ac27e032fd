"""Find the definitions in source code with tree-sitter, where the extra `code` is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Language, Node

LIBRARY = "tree_sitter"

# The grammar of each ending, and the function of its module that gives it.
GRAMMARS = {
    **dict.fromkeys((".py", ".pyi"), ("tree_sitter_python", "language")),
    **dict.fromkeys((".js", ".mjs", ".cjs", ".jsx"), ("tree_sitter_javascript", "language")),
    **dict.fromkeys((".ts", ".mts"), ("tree_sitter_typescript", "language_typescript")),
    ".tsx": ("tree_sitter_typescript", "language_tsx"),
    ".java": ("tree_sitter_java", "language"),
    ".c": ("tree_sitter_c", "language"),
    **dict.fromkeys((".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".cu"), ("tree_sitter_cpp", "language")),
    ".go": ("tree_sitter_go", "language"),
    ".rs": ("tree_sitter_rust", "language"),
    ".cs": ("tree_sitter_c_sharp", "language"),
    ".rb": ("tree_sitter_ruby", "language"),
    ".php": ("tree_sitter_php", "language_php"),
    **dict.fromkeys((".sh", ".bash"), ("tree_sitter_bash", "language")),
}

# Larger files are generated, and a tree takes many times their memory.
_MAX_CHARS = 2_000_000
_MAX_LABEL_CHARS = 200

_DEFINITIONS = frozenset(
    "function_definition class_definition function_declaration generator_function_declaration class_declaration"
    " abstract_class_declaration method_definition interface_declaration enum_declaration type_alias_declaration"
    " internal_module module record_declaration annotation_type_declaration method_declaration constructor_declaration"
    " namespace_definition namespace_declaration type_spec function_item struct_item enum_item union_item trait_item"
    " mod_item macro_definition struct_declaration property_declaration delegate_declaration method singleton_method"
    " class trait_declaration".split()
)
_WITH_BODY = frozenset(("struct_specifier", "class_specifier", "enum_specifier", "union_specifier"))
_MAY_HOLD_FUNCTION = {"variable_declarator": "name", "assignment_expression": "left", "pair": "key"}
_MAY_HOLD_FUNCTION |= {"public_field_definition": "name", "field_definition": "property"}
_DECLARATIONS = frozenset(("lexical_declaration", "variable_declaration", "type_declaration"))
_FUNCTIONS = frozenset(("arrow_function", "function_expression", "generator_function", "class"))

# What a label begins with, where it is written; what stands before it says who may see the definition.
_KEYWORDS = frozenset(
    "class def func fn function function* struct enum union trait interface module namespace mod type record delegate"
    " macro_rules!".split()
)


class Definition(NamedTuple):
    """What it is called, with its keyword, and the lines that it takes, counted from 0."""

    label: str
    first: int
    last: int


def definitions(text: str, path: str) -> list[Definition] | None:
    """The definitions in *text*, outer ones first; None where no grammar for it is installed, or none fits."""
    language = _language(path)
    if language is None or len(text) > _MAX_CHARS:
        return None
    from tree_sitter import Parser

    source = text.encode(errors="replace")
    root = Parser(language).parse(source).root_node
    found = list(_definitions(root, source))
    return found if found or not root.has_error else None


def _language(path: str) -> Language | None:
    module, function = GRAMMARS.get(PurePosixPath(path).suffix.lower(), ("", ""))
    if not module or not find_spec(LIBRARY) or not find_spec(module):
        return None
    from tree_sitter import Language

    return Language(getattr(import_module(module), function)())


def _definitions(root: Node, source: bytes) -> Iterator[Definition]:
    cursor = root.walk()
    while True:
        node = cursor.node
        if node is not None and node.is_named and (label := _label(node, source)):
            yield Definition(label, node.start_point.row, node.end_point.row)
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def _label(node: Node, source: bytes) -> str:
    """Its keyword and its name, as they are written; nothing for what is no definition."""
    if node.type == "impl_item":
        body = node.child_by_field_name("body")
        return _written(source, node.start_byte, body.start_byte) if body else ""
    if node.type in _MAY_HOLD_FUNCTION:
        value = node.child_by_field_name("value") or node.child_by_field_name("right")
        name = node.child_by_field_name(_MAY_HOLD_FUNCTION[node.type])
        if not value or not name or value.type not in _FUNCTIONS:
            return ""
        return _written(source, _declared_from(node, name), name.end_byte)
    if node.type == "type_definition":
        declared = node.child_by_field_name("type")
        name = node.child_by_field_name("declarator")
        anonymous = declared and name and declared.type in _WITH_BODY and not declared.child_by_field_name("name")
        if not anonymous or not declared or not name or not declared.child_by_field_name("body"):
            return ""
        return f"{declared.type.partition('_')[0]} {_written(source, name.start_byte, name.end_byte)}"
    if node.type not in _DEFINITIONS and not (node.type in _WITH_BODY and node.child_by_field_name("body")):
        return ""
    name = _name(node)
    if name is None:
        return ""
    keyword = next(
        (each for each in node.children if each.type in _KEYWORDS and each.start_byte < name.start_byte), name
    )
    start = keyword.start_byte if keyword != name else _declared_from(node, name)
    return _written(source, start, name.end_byte)


def _declared_from(node: Node, name: Node) -> int:
    """Where the words begin that declare *name*: a keyword such as `const` stands before the first of several nodes."""
    around = node.parent
    first = around is not None and around.type in _DECLARATIONS and around.named_children[0] == node
    return around.start_byte if first and around is not None else name.start_byte


def _name(node: Node) -> Node | None:
    """The node of the name; in C and C++ it lies within pointers and arguments."""
    name = node.child_by_field_name("name")
    declarator = node.child_by_field_name("declarator")
    while name is None and declarator is not None:
        inner = declarator.child_by_field_name("declarator") or next(
            (each for each in declarator.named_children if each.type.endswith("declarator")), None
        )
        if inner is None:
            return declarator
        declarator = inner
    return name


def _written(source: bytes, start: int, end: int) -> str:
    return re.sub(r"\s+", " ", source[start:end].decode(errors="replace")).strip()[:_MAX_LABEL_CHARS]
