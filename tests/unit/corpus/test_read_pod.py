from __future__ import annotations

import pytest

from rerank_cli.corpus.read.pod import read
from rerank_cli.records import Block, Document, at_lines


def document(text: str) -> Document:
    (only,) = read(text, "page.pod").documents
    return only


def texts(text: str) -> list[str]:
    return [block.text for block in document(text).blocks]


PAGE = (
    "=head1 NAME\n\nFoo - frobnicate\n\n=head2 new(%args)\n\nMakes B<one> object, see L<Bar/baz>.\n\n=over 4\n\n"
    "=item C<size>\n\nThe size.\n\n=item *\n\nbullet\n\n=item 2. two\n\n=back\n\n"
    "  $x = B<1>;\n    y();\n\n=cut\n\ncode();\n"
)


def test_a_page_has_its_name_its_headings_and_its_items() -> None:
    assert document(PAGE).title == "Foo"
    assert [(block.text, block.headings, block.place.first) for block in document(PAGE).blocks] == [
        ("Foo - frobnicate", ("NAME",), 3),
        ('Makes one object, see "baz" in Bar.', ("NAME", "new(%args)"), 7),
        ("size", ("NAME", "new(%args)"), 11),
        ("The size.", ("NAME", "new(%args)"), 13),
        ("- bullet", ("NAME", "new(%args)"), 17),
        ("2. two", ("NAME", "new(%args)"), 19),
        ("$x = B<1>;\n  y();", ("NAME", "new(%args)"), 23),
    ]
    assert document(PAGE).blocks[-1] == Block("$x = B<1>;\n  y();", at_lines(23, 24), ("NAME", "new(%args)"))


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        ("B<a I<b C<c>>> d", "a b c d"),
        ("C<< $a->{b} >> and C<<< x >> y >>>", "$a->{b} and x >> y"),
        ("E<lt>E<gt>E<eacute>E<0x41>E<65>E<sol>", "<>éAA/"),
        ("L<the site|https://a.org> L<https://a.org> L<x|y>", "the site (https://a.org) https://a.org x"),
        ("aX<index> b Z<>c a > b", "a b c a > b"),
        ("B<never closed", "never closed"),
    ],
)
def test_codes_leave_their_words(markup: str, plain: str) -> None:
    assert texts(f"=pod\n\n{markup}\n") == [plain]


def test_what_is_for_other_formats_is_left_out() -> None:
    assert texts(
        "=head1 A\n\n=begin html\n\n<b>\n\n=end html\n\n=for comment x\n\n=begin text\n\nseen\n\n=end text\n"
    ) == ["seen"]


def test_a_text_without_commands_is_plain() -> None:
    assert texts("just words\n") == ["just words"]
