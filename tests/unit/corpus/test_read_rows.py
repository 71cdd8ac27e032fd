from __future__ import annotations

from collections.abc import Callable

import pytest

from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.rows import read_csv, read_jsonl, read_tsv
from rerank_cli.records import Block, Document, Reading, at_lines
from tests.growth import grows_evenly


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


def texts(reading: Reading) -> list[str]:
    """The text of each document."""
    return ["\n\n".join(block.text for block in document.blocks) for document in reading.documents]


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ('{"title": "T", "q": "Why?", "n": 3, "a": "So."}', "q: Why?\nn: 3\na: So."),
        ('{"id": 1, "body": "Alone."}', "Alone."),
        (
            '{"text": "One.", "author": "Grundig", "year": 1961, "sold": false}',
            "One.\n\nauthor: Grundig\nyear: 1961\nsold: false",
        ),
        ('{"text": {"en": "Nested.", "de": ["Auch", "dies"]}}', "en: Nested.\n\nde: Auch, dies"),
        (
            '{"spec": {"colour": "red", "sizes": [4711, 12], "parts": [{"name": "bolt"}, {"name": "nut"}]}}',
            "spec.colour: red\nspec.sizes: 4711, 12\nspec.parts.name: bolt\nspec.parts.name: nut",
        ),
        ('{"text": "x", "metadata": {}, "none": null, "uuid": "9f", "empty": ""}', "x"),
        ('{"text": "x", "vector": [' + ", ".join(["0.1"] * 384) + "]}", "x"),
        ('{"text": ["x", null, 3]}', "x\n\n3"),
        ('{"a": {"b": {"c": {"d": {"e": "deep"}}}}}', "c.d.e: deep"),
        (
            '{"messages": [{"role": "user", "content": "How?"}, {"role": "bot", "content": "So.", "at": "noon"}]}',
            "user: How?\nbot: So.\nmessages.at: noon",
        ),
        (
            '{"messages": [{"role": "user", "content": [{"text": "Look"}, {"type": "image"}]}]}',
            "user: Look",
        ),
        ('{"conversations": [{"from": "human", "value": "Hello"}]}', "human: Hello"),
    ],
)
def test_each_text_and_number_of_a_record_is_read_behind_its_names(record: str, text: str) -> None:
    reading = read_jsonl(record, "x.jsonl")
    assert texts(reading) == [text]
    assert reading.notes == ()


def test_a_title_without_a_text_is_the_text() -> None:
    (document,) = read_jsonl('{"id": "1", "title": "Only this", "text": ""}', "x.jsonl").documents
    assert document.blocks == (Block("Only this", at_lines(1, 1)),)


def test_a_record_with_neither_has_no_blocks() -> None:
    (document,) = read_jsonl('{"id": "1", "text": null}', "x.jsonl").documents
    assert document == Document("1", "", ())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": 2', "line 2: left out: not valid JSON"),
        ("[1, 2]", "line 2: left out: not a JSON object"),
        ("[" * 100_000, "line 2: left out: not valid JSON"),
        ('{"a": ' * 50_000, "line 2: left out: not valid JSON"),
        ('{"n": ' + "1" * 5000 + "}", "line 2: left out: not valid JSON"),
    ],
)
def test_a_malformed_line_is_named_and_costs_no_other(line: str, reason: str) -> None:
    reading = read_jsonl(f'{{"id": "a", "text": "x"}}\n{line}\n{{"id": "c", "text": "z"}}\n', "x.jsonl")
    assert texts(reading) == ["x", "z"]
    (note,) = reading.notes
    assert note.startswith(reason)
    assert "\n" not in note


def test_a_file_of_nothing_but_malformed_lines_is_unreadable() -> None:
    with pytest.raises(Unreadable, match=r"^line 1: left out: not a JSON object$"):
        read_jsonl("[1]\n[2]\n", "x.jsonl")


def test_only_the_first_of_many_malformed_lines_are_named() -> None:
    notes = read_jsonl('{"text": "x"}\n' + "{\n" * 100, "x.jsonl").notes
    assert [note[:7] for note in notes] == ["line 2:", "line 3:", "line 4:", "line 5:", "line 6:", "95 more"]


def test_a_list_written_one_object_a_line_and_objects_without_a_line_end_between_are_read() -> None:
    assert texts(read_jsonl('[\n{"text": "a"},\n{"text": "b"}\n]\n', "x.jsonl")) == ["a", "b"]
    assert texts(read_jsonl('{"text": "a"}{"text": "b"}\n\x1e{"text": "c"}\n', "x.jsonl")) == ["a", "b", "c"]


def test_a_repeated_id_gets_its_line_and_is_told() -> None:
    reading = read_jsonl('{"id": 1, "text": "a"}\n{"id": 1, "text": "b"}\n{"id": "1@line-2", "text": "c"}\n', "x.jsonl")
    assert [document.id for document in reading.documents] == ["1", "1@line-2", "1@line-2@line-3"]
    assert reading.notes[0] == "line 2: id '1' stood above already; it is called '1@line-2' here"


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
    assert document == Document("1", "T", (Block("Colour: red\nnote", at_lines(2, 2)),), (("colour", "red"),))


def test_tabs_separate_the_cells_of_tsv() -> None:
    (document,) = read_tsv('_id\ttext\na\tone, "two"\n', "x.tsv").documents
    assert document == Document("a", "", (Block('one, "two"', at_lines(2, 2)),))


def test_a_row_without_an_id_is_called_by_its_first_line() -> None:
    first, second = read_csv('text\n"a\nb"\nc\n', "x.csv").documents
    assert (first.id, second.id) == ("line-2", "line-4")


@pytest.mark.parametrize("text", ["", "\n\n", "id,text\n", "id,text\n,\n \n"])
def test_a_table_without_rows_has_no_documents(text: str) -> None:
    assert read_csv(text, "x.csv").documents == ()


def test_a_row_may_be_shorter_than_the_header() -> None:
    (document,) = read_csv("id,text,more\n1,x\n", "x.csv").documents
    assert document.blocks == (Block("x", at_lines(2, 2)),)


def test_what_a_row_has_beyond_the_header_is_kept_and_told() -> None:
    reading = read_csv("name,price\nBolt,1\nNut,2,extra remark\nScrew,3,\n", "x.csv")
    assert texts(reading) == ["name: Bolt\nprice: 1", "name: Nut\nprice: 2\nextra remark", "name: Screw\nprice: 3"]
    assert reading.notes == ("line 3: 3 cells under a header of 2; all are kept",)


def test_commas_of_a_text_that_ought_to_be_quoted_stay_in_it() -> None:
    assert texts(read_csv("id,text\n1,One, two, three\n2,Four\n", "x.csv")) == ["One, two, three", "Four"]
    assert texts(read_csv("text\nHello, world\nGood day, sun\n", "x.csv")) == ["Hello, world", "Good day, sun"]


def test_columns_beside_the_text_stand_below_it_by_their_names() -> None:
    assert texts(read_csv("id,text,author\n1,The lamp,Grundig\n", "x.csv")) == ["The lamp\n\nauthor: Grundig"]


def test_a_quote_that_is_never_closed_costs_no_other_row() -> None:
    reading = read_csv('name,city\nAnn,Oslo\nBob,"Rome\nCid,Bern\nDan,"Kiel, north"\n', "x.csv")
    assert [text.split("\n")[-1] for text in texts(reading)] == [
        "city: Oslo", 'city: "Rome', "city: Bern", "city: Kiel, north",
    ]  # fmt: skip
    assert reading.notes == ("line 3: its quotation marks do not add up; taken as text",)
    assert [document.blocks[0].place for document in reading.documents] == [at_lines(n, n) for n in range(2, 6)]


def test_quotes_escaped_by_backslashes_are_read() -> None:
    reading = read_csv('name,quote\nAnn,ok\nBob,"he said \\"no\\" twice,\nthen left"\nCid,C:\\new\n', "x.csv")
    assert texts(reading)[1:] == ['name: Bob\nquote: he said "no" twice,\nthen left', "name: Cid\nquote: C:\\new"]
    assert reading.documents[1].blocks[0].place == at_lines(3, 4)
    assert reading.notes == ()


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
def test_a_first_line_may_name_the_separator(line: str) -> None:
    (document,) = read_csv(f"{line}\nname;city\nAnn, Bob;Bergen\n", "x.csv").documents
    fields = (("name", "Ann, Bob"), ("city", "Bergen"))
    assert document == Document("line-3", "", (Block("name: Ann, Bob\ncity: Bergen", at_lines(3, 3)),), fields)


def test_lines_above_the_header_are_no_header_and_not_lost() -> None:
    reading = read_csv("Torque report\nExported 2024-01-01\n\nname,city,year\nAnn,Oslo,1\nBob,Rome,2\n", "x.csv")
    assert texts(reading)[2:] == ["name: Ann\ncity: Oslo\nyear: 1", "name: Bob\ncity: Rome\nyear: 2"]
    assert texts(reading)[:2] == ["Torque report", "Exported 2024-01-01"]
    assert reading.notes == ("line 1: stands above the header", "line 2: stands above the header")


def test_what_separates_cells_is_what_gives_even_rows() -> None:
    assert texts(read_csv("name|city\nAnn|Oslo\nBob|Rome, Italy\n", "x.csv"))[1] == "name: Bob\ncity: Rome, Italy"
    assert texts(read_csv("name;price\nAnn;1,5\nBob;2,5\n", "x.csv"))[0] == "name: Ann\nprice: 1,5"


@pytest.mark.parametrize("row", ['"x""\n', '"\\"\n'])
def test_quotation_marks_made_to_be_tried_again_and_again_take_no_square_of_time(row: str) -> None:
    def work_on(rows: int) -> Callable[[], object]:
        text = "a,b\n" + row * rows
        return lambda: read_csv(text, "x.csv")

    assert grows_evenly(work_on, 16_000)


def test_a_cell_may_be_longer_than_the_library_allows_at_first() -> None:
    (document,) = read_csv(f"id,text\n1,{'x' * 200_000}\n", "x.csv").documents
    assert len(document.blocks[0].text) == 200_000


def test_a_list_of_texts_is_joined_into_paragraphs() -> None:
    (document,) = read_jsonl('{"id": "1", "text": ["alpha", "beta"]}', "x.jsonl").documents
    assert document.blocks == (Block("alpha", at_lines(1, 1)), Block("beta", at_lines(1, 1)))


def test_a_cell_of_tsv_may_begin_with_a_quote() -> None:
    first, second = read_tsv('id\ttext\n1\t"hello" world\n2\t"open\n', "x.tsv").documents
    assert [b.text for b in (*first.blocks, *second.blocks)] == ['"hello" world', '"open']
    assert second.blocks[0].place == at_lines(3, 3)


def test_a_quoted_cell_of_tsv_loses_its_quotes() -> None:
    (document,) = read_tsv('id\ttext\n1\t"a ""b""\tc"\n', "x.tsv").documents
    assert document.blocks == (Block('a "b"\tc', at_lines(2, 2)),)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_header_of_csv_tells_what_separates_its_cells(delimiter: str) -> None:
    header = delimiter.join(["id", '"a, b; c, d;"', "text"])
    row = delimiter.join(["1", "x", '"One, two; three."'])
    (document,) = read_csv(f"\n{header}\n{row}\n", "x.csv").documents
    assert [block.text for block in document.blocks] == ["One, two; three.", "a, b; c, d;: x"]


def test_a_semicolon_csv_may_have_commas_in_its_texts() -> None:
    (document,) = read_csv("id;title;text\n1;T;One, two, three\n", "x.csv").documents
    assert document == Document("1", "T", (Block("One, two, three", at_lines(2, 2)),))


@pytest.mark.parametrize(
    ("rows", "first"),
    [
        ("17,Boiler,Bleed it\n18,Pump,Oil it\n19,Valve,Turn it\n", "17\nBoiler\nBleed it"),
        ("2026-03-01;frost;-2,5\n2026-03-02;rain;4,0\n2026-03-03;fog;1,5\n", "2026-03-01\nfrost\n-2,5"),
        ("Ann,ann@a.org\nBob,bob@a.org\nCid,cid@a.org\n", "Ann\nann@a.org"),
        ("Ann,yes\nBob,no\nCid,yes\n", "Ann\nyes"),
        ("1.234.567,8€;7'5.,;1\n3,;4;2\n5;6;0\n", "1.234.567,8€\n7'5.,\n1"),
        ("a|7.5|1.25\nb|8.0|1.5\nc|9.25|0.75\n", "a\n7.5\n1.25"),
    ],
)
def test_a_table_without_a_header_has_its_first_row_read_as_one_of_the_others(rows: str, first: str) -> None:
    reading = read_csv(rows, "x.csv")
    assert (texts(reading)[0], len(reading.documents), reading.notes) == (first, 3, ())


@pytest.mark.parametrize(
    "rows",
    [
        "part,weight\nbolt,12\nnut,7\nscrew,9\n",  # a number under a word
        "country,2019,2020\nChad,12,13\nMali,15,11\nPeru,4,5\n",  # years
        "country,2019\nChad,12\nMali,15\nPeru,4\n",
        "quantile,0.1,0.5,0.9\na,1.5,2.5,3.5\nb,1.0,2.0,3.0\nc,1,2,3\n",  # they rise
        "name,town\nAnn,Bath\nBob,Hull\nCid,York\n",  # nothing tells
        "name,born\nAnn,2001-02-03\nBob,2002-03-04\nCid,2003-04-05\n",
        "part,kind\nbolt,iron\npart,kind\nnut,iron\n",  # the header again
        "17,Boiler\n18,Pump\n",  # too few
        "id,n\n1,2\n2,1\n3,9\n",
    ],
)
def test_a_first_row_that_may_name_the_columns_does(rows: str) -> None:
    reading = read_csv(rows, "x.csv")
    header, first, *_ = rows.splitlines()
    assert f"{header.split(',')[1]}: {first.split(',')[1]}" in texts(reading)[0]
    assert len(reading.documents) == rows.count("\n") - 1
