from __future__ import annotations

import base64
import random
from functools import partial
from pathlib import Path

import pytest

from rerank_cli.corpus.read import Unreadable
from rerank_cli.corpus.read.icalendar import read_calendar, read_cards
from rerank_cli.records import Block, Document, Reading, at_lines
from tests.growth import grows_evenly

FORMATS = Path(__file__).parents[2] / "data" / "formats"


def event(*lines: str) -> Document:
    text = "\n".join(("BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"))
    (only,) = read_calendar(text, "a.ics").documents
    return only


def card(*lines: str, version: str = "3.0") -> Document:
    (only,) = read_cards("\n".join(("BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD")), "a.vcf").documents
    return only


def texts(document: Document) -> list[str]:
    return [block.text for block in document.blocks]


def test_each_entry_of_a_calendar_is_a_document_with_the_lines_it_stands_on() -> None:
    text = (FORMATS / "boiler.ics").read_text()
    inspection, heating, salt = read_calendar(text, "boiler.ics").documents
    trail = ("Boiler inspection",)
    assert inspection == Document(
        "e1@example.com",
        "Boiler inspection",
        (
            Block("2026-03-01 14:00 to 15:30", at_lines(54, 54), trail),
            Block("every year", at_lines(57, 57), trail),
            Block("Location: Cellar, left door; ring twice", at_lines(63, 63), trail),
            Block("Organizer: Ann Müller", at_lines(64, 64), trail),
            Block("With: bob@example.com", at_lines(58, 58), trail),
            Block(
                "The plumber checks the gauge, the valve and the expansion vessel; "
                "please clear the way to the boiler room.",
                at_lines(60, 62),
                trail,
            ),
            Block("Bring the key for the Ölkeller.", at_lines(60, 62), trail),
            Block("Categories: House, Repairs", at_lines(59, 59), trail),
        ),
        (
            *(("date", "20260301T140000"), ("categories", "House"), ("categories", "Repairs")),
            *(("location", "Cellar, left door; ring twice"), ("organizer", "Ann Müller")),
            ("attendee", "bob@example.com"),
        ),
    )
    assert text.split("\n")[60 - 1].startswith("DESCRIPTION:")
    assert (heating.title, texts(heating)) == ("Heating off", ["2026-06-01 to 2026-08-31"])
    assert (salt.title, texts(salt)) == ("Order salt", ["due 2026-04-05 09:00 UTC"])


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (["DTSTART:20260301T140000Z", "DTEND:20260301T150000Z"], "2026-03-01 14:00 UTC to 15:00 UTC"),
        (["DTSTART:20260301T140000", "DTEND:20260302T150000"], "2026-03-01 14:00 to 2026-03-02 15:00"),
        (["DTSTART;VALUE=DATE:20260301", "DTEND;VALUE=DATE:20260302"], "2026-03-01"),
        (["DTSTART:20260301T140000"], "2026-03-01 14:00"),
        (["DTSTART:in spring"], "in spring"),
        (["DTSTART;VALUE=DATE:20260301", "DTEND;VALUE=DATE:20269999"], "2026-03-01 to 2026-99-99"),
        (["DTSTART;VALUE=DATE:00010101", "DTEND;VALUE=DATE:00010101"], "0001-01-01"),
    ],
)
def test_times_are_readable(lines: list[str], shown: str) -> None:
    assert texts(event(*lines)) == [shown]


def test_a_description_in_html_is_read_as_such() -> None:
    assert texts(event("DESCRIPTION:<p>Bring the <b>key</b></p><br>a &amp; b")) == ["Bring the key", "a & b"]
    assert texts(event("DESCRIPTION:pressure < 1 and > 0")) == ["pressure < 1 and > 0"]


def test_escapes_are_undone_and_folded_lines_joined() -> None:
    assert event("SUMMARY:a\\, b\\; c\\\\n d", "\t and e").title == "a, b; c\\n d and e"


def test_attachments_and_alarms_are_left_out() -> None:
    picture = base64.b64encode(random.Random(1).randbytes(300)).decode()
    lines = [
        "ATTACH;ENCODING=BASE64;VALUE=BINARY:",
        f" {picture}",
        "X-A:b",
        "BEGIN:VALARM",
        "DESCRIPTION:c",
        "END:VALARM",
    ]
    assert texts(event("SUMMARY:Visit", *lines)) == ["Visit"]


def test_an_exception_to_a_repeated_event_and_entries_alike_have_ids_of_their_own() -> None:
    one = "BEGIN:VEVENT\nUID:u\nSUMMARY:a\nEND:VEVENT\n"
    again = "BEGIN:VEVENT\nUID:u\nRECURRENCE-ID:20260301\nSUMMARY:b\nEND:VEVENT\n"
    assert [each.id for each in read_calendar(f"BEGIN:VCALENDAR\n{one}{again}", "a").documents] == ["u", "line-6"]
    assert [each.id for each in read_calendar(f"BEGIN:VCALENDAR\n{one}{one}", "a").documents] == ["line-2", "line-6"]


def test_what_is_cut_off_is_read_as_far_as_it_goes() -> None:
    (only,) = read_calendar("BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Visit\nDESCRIPTION:The plu", "a").documents
    assert (only.title, texts(only)) == ("Visit", ["The plu"])


def test_a_card_is_a_document_named_by_its_person() -> None:
    found = card(
        "N:Müller;Ann;;Dr.;",
        "FN:Dr. Ann Müller",
        "ORG:Boilers Ltd;Repairs",
        "item1.EMAIL;TYPE=INTERNET:ann@example.com",
        "item1.X-ABLabel:work",
        "TEL;TYPE=CELL:+49 170 1",
        "TEL;VALUE=uri:tel:+49-30-2",
        "ADR;TYPE=WORK:;;Ofenweg 1;Köln;;50667;Germany",
        "BDAY:19800102",
        "NOTE:Knows the old\\n\\nboiler\\, too.",
        "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQ",
        " EAYABgAAD/2wBD",
        "UID:c1",
    )
    trail = ("Dr. Ann Müller",)
    assert found == Document(
        "c1",
        "Dr. Ann Müller",
        (
            Block("Organization: Boilers Ltd, Repairs", at_lines(5, 5), trail),
            Block("Email: ann@example.com", at_lines(6, 6), trail),
            Block("Phone: +49 170 1, +49-30-2", at_lines(8, 9), trail),
            Block("Address: Ofenweg 1, Köln, 50667, Germany", at_lines(10, 10), trail),
            Block("Born: 1980-01-02", at_lines(11, 11), trail),
            Block("Knows the old", at_lines(12, 12), trail),
            Block("boiler, too.", at_lines(12, 12), trail),
        ),
        (("organization", "Boilers Ltd, Repairs"), ("email", "ann@example.com")),
    )


def test_a_card_of_version_2_1_is_decoded() -> None:
    found = card(
        "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;Ann;;;",
        "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Knows the old b=",
        "oiler.=0D=0AAnd the pump.",
        "TEL;CELL;PREF:123",
        "LABEL;QUOTED-PRINTABLE:=41",
        "PHOTO;ENCODING=BASE64;JPEG:/9j/4AAQ",
        "SkZJRgABAQ==",
        "",
        version="2.1",
    )
    assert (found.title, texts(found)) == ("Ann Müller", ["Phone: 123", "Knows the old boiler.\nAnd the pump."])


@pytest.mark.parametrize(
    ("lines", "title"), [(["ORG:Boilers;Repairs"], "Boilers Repairs"), (["EMAIL:a@b"], "a@b"), (["TEL:1"], "")]
)
def test_a_card_without_a_name_is_named_by_what_it_has(lines: list[str], title: str) -> None:
    assert card(*lines).title == title


def test_what_is_neither_is_told_and_an_empty_file_has_no_documents() -> None:
    with pytest.raises(Unreadable, match="no line BEGIN:VCALENDAR"):
        read_calendar("Just words.", "a.ics")
    with pytest.raises(Unreadable, match="no line BEGIN:VCARD"):
        read_cards("Just words.", "a.vcf")
    assert read_calendar("", "a.ics") == Reading(())


@pytest.mark.parametrize(
    "piece",
    [
        "BEGIN:VEVENT\n", "BEGIN:VEVENT\nEND:VEVENT\n", " a\n", ";a=b", ';a="', "\\", "a;", "A:b\n", "SUMMARY:a\n",
        "=\n", "DESCRIPTION:<p>\n", "ATTENDEE:a\n", "a.a.",
        "A;B=QUOTED-PRINTABLE:a=\n", "CATEGORIES:" + ",a" * 900 + "\n",
    ],
)  # fmt: skip
def test_no_file_takes_a_square_of_its_length(piece: str) -> None:
    before = "BEGIN:VCALENDAR\nBEGIN:VEVENT\n"
    assert grows_evenly(lambda size: partial(read_calendar, before + piece * (size // len(piece)), "a.ics"), 200_000)
