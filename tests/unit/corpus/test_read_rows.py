from __future__ import annotations

import pytest

from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.rows import read_csv, read_jsonl, read_tsv
from rerank_cli.records import Block, Document, at_lines


def test_each_line_of_jsonl_is_a_document_with_the_line_it_stands_on() -> None:
    text = '{"_id": "a", "title": "Boiler", "text": "One.\\n\\nTwo."}\n\n{"id": 7, "text": "Three"}\n'
    assert read_jsonl(text, "x.jsonl").documents == (
        Document("a", "Boiler", (Block("One.", at_lines(1, 1)), Block("Two.", at_lines(1, 1)))),
        Document("7", "", (Block("Three", at_lines(3, 3)),)),
    )


def test_underscore_id_comes_before_id() -> None:
    (document,) = read_jsonl('{"id": 1, "_id": "a", "text": "x"}', "x.jsonl").documents
    assert document.id == "a"


@pytest.mark.parametrize("id", ['"id": ""', '"id": null', '"id": true', '"id": [1]', '"other": 1'])
def test_a_record_without_an_id_is_called_by_its_line(id: str) -> None:
    (document,) = read_jsonl(f'\n{{{id}, "text": "x"}}', "x.jsonl").documents
    assert document.id == "line-2"


def test_without_a_text_field_the_other_strings_are_the_text() -> None:
    (document,) = read_jsonl('{"id": "1", "title": "T", "q": "Why?", "n": 3, "a": "So."}', "x.jsonl").documents
    assert document == Document("1", "T", (Block("Why?\nSo.", at_lines(1, 1)),))


def test_a_title_without_a_text_is_the_text() -> None:
    (document,) = read_jsonl('{"id": "1", "title": "Only this", "text": ""}', "x.jsonl").documents
    assert document.blocks == (Block("Only this", at_lines(1, 1)),)


def test_a_record_with_neither_has_no_blocks() -> None:
    (document,) = read_jsonl('{"id": "1", "text": null}', "x.jsonl").documents
    assert document == Document("1", "", ())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": 2', "line 2: not valid JSON"),
        ("[1, 2]", "line 2: not a JSON object"),
        ("[" * 100_000, "line 2: not valid JSON"),
        ('{"id": "a", "text": "again"}', "id 'a' stands on line 1 and again on line 2"),
    ],
)
def test_a_malformed_line_or_a_double_id_is_unreadable_and_named(line: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=f"^{reason}") as caught:
        read_jsonl(f'{{"id": "a", "text": "x"}}\n{line}\n', "x.jsonl")
    assert "\n" not in str(caught.value)


def test_half_a_surrogate_pair_becomes_text_that_can_be_stored() -> None:
    (document,) = read_jsonl('{"id": "\\ud83d\\ude00", "text": "a\\ud800b"}', "x.jsonl").documents
    assert document.id == "😀"
    assert document.blocks[0].text == "a\ufffdb"
    document.blocks[0].text.encode()


def test_rows_of_csv_are_documents_with_the_lines_they_span() -> None:
    text = 'id,title,text\n1,Boiler,"One\ntwo, ""three"""\n\n2,,Four\n'
    assert read_csv(text, "x.csv").documents == (
        Document("1", "Boiler", (Block('One\ntwo, "three"', at_lines(2, 3)),)),
        Document("2", "", (Block("Four", at_lines(5, 5)),)),
    )


def test_without_a_text_column_every_other_one_is_a_named_line() -> None:
    (document,) = read_csv("ID,Title,Colour,Size,\n1,T,red,,note\n", "x.csv").documents
    assert document == Document("1", "T", (Block("Colour: red\nnote", at_lines(2, 2)),))


def test_tabs_separate_the_cells_of_tsv() -> None:
    (document,) = read_tsv('_id\ttext\na\tone, "two"\n', "x.tsv").documents
    assert document == Document("a", "", (Block('one, "two"', at_lines(2, 2)),))


def test_a_row_without_an_id_is_called_by_its_first_line() -> None:
    first, second = read_csv('text\n"a\nb"\nc\n', "x.csv").documents
    assert (first.id, second.id) == ("line-2", "line-4")


@pytest.mark.parametrize("text", ["", "\n\n", "id,text\n", "id,text\n,\n \n"])
def test_a_table_without_rows_has_no_documents(text: str) -> None:
    assert read_csv(text, "x.csv").documents == ()


def test_a_row_may_be_shorter_than_the_header_but_not_longer() -> None:
    (document,) = read_csv("id,text,more\n1,x\n", "x.csv").documents
    assert document.blocks == (Block("x", at_lines(2, 2)),)
    with pytest.raises(Unreadable, match=r"^line 3: 3 cells under a header of 2$"):
        read_csv("id,text\n1,x\n2,y,z\n", "x.csv")


def test_a_quote_that_is_never_closed_is_unreadable_and_named() -> None:
    with pytest.raises(Unreadable, match=r"^line 3: "):
        read_csv('id,text\n1,x\n2,"y\n3,z\n', "x.csv")


def test_a_cell_may_be_longer_than_the_library_allows_at_first() -> None:
    (document,) = read_csv(f"id,text\n1,{'x' * 200_000}\n", "x.csv").documents
    assert len(document.blocks[0].text) == 200_000


def test_a_list_of_texts_is_joined_into_paragraphs() -> None:
    (document,) = read_jsonl('{"id": "1", "text": ["alpha", "beta"]}', "x.jsonl").documents
    assert document.blocks == (Block("alpha", at_lines(1, 1)), Block("beta", at_lines(1, 1)))


@pytest.mark.parametrize("value", ['{"en": "x"}', "[1, 2]", '["x", null]', "true"])
@pytest.mark.parametrize("key", ["text", "title"])
def test_a_text_that_is_none_is_reported_and_not_dropped(key: str, value: str) -> None:
    with pytest.raises(Unreadable, match=f"^line 2: '{key}' is neither a text nor a list of texts$"):
        read_jsonl(f'{{"id": "a", "text": "x"}}\n{{"id": "b", "{key}": {value}}}\n', "x.jsonl")


def test_a_cell_of_tsv_may_begin_with_a_quote() -> None:
    first, second = read_tsv('id\ttext\n1\t"hello" world\n2\t"open\n', "x.tsv").documents
    assert [b.text for b in (*first.blocks, *second.blocks)] == ['"hello" world', '"open']
    assert second.blocks[0].place.first == 3


def test_a_quoted_cell_of_tsv_loses_its_quotes() -> None:
    (document,) = read_tsv('id\ttext\n1\t"a ""b""\tc"\n', "x.tsv").documents
    assert document.blocks == (Block('a "b"\tc', at_lines(2, 2)),)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_header_of_csv_tells_what_separates_its_cells(delimiter: str) -> None:
    header = delimiter.join(["id", '"a, b; c, d;"', "text"])
    row = delimiter.join(["1", "x", '"One, two; three."'])
    (document,) = read_csv(f"\n{header}\n{row}\n", "x.csv").documents
    assert document == Document("1", "", (Block("One, two; three.", at_lines(3, 3)),))


def test_a_semicolon_csv_may_have_commas_in_its_texts() -> None:
    (document,) = read_csv("id;title;text\n1;T;One, two, three\n", "x.csv").documents
    assert document == Document("1", "T", (Block("One, two, three", at_lines(2, 2)),))
