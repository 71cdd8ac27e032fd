from __future__ import annotations

import base64
import mailbox
import random
from collections.abc import Callable
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from functools import partial
from pathlib import Path

import pytest

from rerank_cli.corpus.read import Unreadable, read_file
from rerank_cli.corpus.read import mail as mail_reader
from rerank_cli.corpus.read.mail import read_eml, read_emlx, read_mbox
from rerank_cli.corpus.read.mime import decoded_words
from rerank_cli.records import Block, Document, FoundFile, Place, Reading
from rerank_cli.stamps import Stamp
from tests.growth import grows_evenly

DATA = Path(__file__).parents[2] / "data"

HEADERS = """\
From: =?utf-8?Q?Ann_M=C3=BCller?= <ann@example.com>
To: bob@example.com,
  "Carol, at home" <carol@example.com>
Subject: Boiler
 pressure
Date: Sun, 1 Mar 2026 23:30:00 +0100
Message-ID: <m1@example.com>
"""
LEAD = """\
From: Ann Müller <ann@example.com>
To: bob@example.com, "Carol, at home" <carol@example.com>
Date: Sun, 1 Mar 2026 23:30:00 +0100"""


def reading(text: str | bytes) -> Reading:
    return read_eml(text.encode() if isinstance(text, str) else text, "a.eml")


def document(text: str | bytes) -> Document:
    (only,) = reading(text).documents
    return only


def body(text: str | bytes) -> list[str]:
    """The blocks of a message, without that of its headers."""
    return [block.text for block in document(text).blocks if not block.leads]


def typed(kind: str, text: str, **headers: str) -> str:
    more = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in headers.items())
    return f"Content-Type: {kind}\n{more}\n{text}"


def several(kind: str, *parts: str, boundary: str = "=_b", **parameters: str) -> str:
    more = "".join(f"; {name}={value}" for name, value in parameters.items())
    inside = "".join(f"--{boundary}\n{part}\n" for part in parts)
    return (
        f'Content-Type: multipart/{kind}; boundary="{boundary}"{more}\n\npreamble\n{inside}--{boundary}--\nepilogue\n'
    )


def test_a_message_is_its_text_under_its_subject_led_by_who_wrote_it_to_whom() -> None:
    found = document(HEADERS + "\nThe gauge shows 0.4 bar.\n\n-- \nAnn\n")
    place = Place("message", 1, 1, "2026-03-01")
    assert found._replace(fields=()) == Document(
        "a.eml",
        "Boiler pressure",
        (Block(LEAD, place, leads=True), Block("The gauge shows 0.4 bar.", place), Block("-- \nAnn", place)),
    )


def test_what_python_writes_is_read() -> None:
    mail = EmailMessage()
    mail["Subject"] = "Réunion — ordre du jour"
    mail["From"] = "Zoë <zoe@example.com>"
    mail.set_content("Le café est à 8 h.\n" + "Une très longue ligne. " * 20)
    mail.add_alternative("<p>Le <b>café</b></p>", subtype="html")
    mail.add_attachment(random.Random(1).randbytes(3000), "application", "pdf", filename="übersicht.pdf")
    found = document(bytes(mail))
    assert found.title == "Réunion — ordre du jour"
    assert [block.text for block in found.blocks] == [
        "From: Zoë <zoe@example.com>",
        "Le café est à 8 h.\n" + ("Une très longue ligne. " * 20).rstrip(),
        "Attachment: übersicht.pdf",
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("=?UTF-8?B?UsOpdW5pb24=?=", "Réunion"),
        ("=?iso-8859-1?q?R=E9union_du?= =?iso-8859-1?q?_comit=E9?=", "Réunion du comité"),
        ("=?utf-8?b?w?==?utf-8?b?6Q==?=", "é"),
        ("=?utf-8?b?4oI=?=\n =?utf-8?b?rA==?= up", "€ up"),
        ("=?utf-8*en?q?A=20b?=", "A b"),
        ("=?koi8-r?B?68/UxcwK?=", "Котел\n"),
        ("=?nonsense?q?caf=C3=A9?=", "café"),
        ("=?utf-8?q?broken", "=?utf-8?q?broken"),
        ("Re: =?utf-8?q?a?= and =?utf-8?q?b?=", "Re: a and b"),
    ],
)
def test_encoded_words_are_decoded(written: str, meant: str) -> None:
    assert decoded_words(written) == meant


@pytest.mark.parametrize(
    ("charset", "content"),
    [
        ("utf-8", "Kessel überprüft".encode()),
        ("iso-8859-1", "Kessel überprüft".encode("latin-1")),
        ("iso-8859-1", "Kessel überprüft".encode()),
        ("us-ascii", "Kessel überprüft".encode()),
        ("us-ascii", "Kessel überprüft".encode("latin-1")),
        ("utf-8", "Kessel überprüft".encode("latin-1")),
        ("x-unknown", "Kessel überprüft".encode()),
        ("rot13", "Kessel überprüft".encode()),
        ("punycode", "Kessel überprüft".encode()),
        ("utf-16", "Kessel überprüft".encode("utf-16")),
        ('"UTF-8"', "Kessel überprüft".encode()),
    ],
)
def test_a_body_is_decoded_also_where_its_charset_is_wrong(charset: str, content: bytes) -> None:
    encoded = base64.encodebytes(content).decode()
    assert body(typed(f"text/plain; charset={charset}", encoded, Content_Transfer_Encoding="BASE64")) == [
        "Kessel überprüft"
    ]


def test_a_body_in_eight_bits_without_a_charset_is_guessed() -> None:
    text = "Давление в котле упало ниже нормы, и насос остановился. Позвоните мастеру."
    assert body(b"Subject: x\n\n" + text.encode("koi8-r")) == [text]


def test_bytes_that_are_not_valid_cost_themselves_alone() -> None:
    assert body(b"Content-Type: text/plain; charset=shift_jis\n\nvalve \xff\xff closed") == ["valve �� closed"]


@pytest.mark.parametrize("ending", ["", "=", "==", "===", "A", "\n--", " \n !"])
def test_damaged_base64_gives_what_it_can(ending: str) -> None:
    encoded = base64.b64encode(b"The valve is shut.").decode() + ending
    assert body(typed("text/plain", encoded, Content_Transfer_Encoding="base64"))[0].startswith("The valve is shut.")


def test_quoted_printable_lines_are_joined() -> None:
    text = "The caf=C3=A9 budget; the com=\nmittee."
    assert body(typed("text/plain; charset=utf-8", text, Content_Transfer_Encoding="quoted-printable")) == [
        "The café budget; the committee."
    ]


def test_the_plain_form_of_a_text_is_preferred() -> None:
    assert body(several("alternative", typed("text/plain", "plain"), typed("text/html", "<p>rich</p>"))) == ["plain"]
    assert body(several("alternative", typed("text/html", "<p>rich</p>"), typed("text/plain", "plain"))) == ["plain"]


def test_html_is_read_where_nothing_else_is_there() -> None:
    page = "<style>p{}</style><h1>News</h1><p>The <b>pump</b>\nruns.</p><img src='data:image/png;base64,AAAA'>"
    found = document(several("alternative", typed("text/plain", " \n"), typed("text/html", page)))
    assert [(block.text, block.headings) for block in found.blocks] == [("The pump\nruns.", ("News",))]


def test_html_is_read_where_the_plain_form_only_says_that_there_is_another() -> None:
    page = "<p>" + "The pump runs again since the valve was changed. " * 20 + "</p>"
    stub = typed("text/plain", "This mail is HTML. See it in a browser.")
    related = several("related", typed("text/html", page), typed("image/png", "iVBO", Content_ID="<a>"), boundary="r")
    assert body(several("alternative", stub, related))[0].startswith("The pump runs again")


def test_pictures_within_a_page_are_no_attachments() -> None:
    picture = typed("image/png; name=logo.png", "iVBOR", Content_ID="<logo>", Content_Transfer_Encoding="base64")
    assert body(several("related", typed("text/html", "<p>Text"), picture)) == ["Text"]


def attached(name: str, content: bytes, kind: str = "application/octet-stream") -> str:
    coded = base64.encodebytes(content).decode()
    where = f"attachment; filename={name}"
    return typed(kind, coded, Content_Disposition=where, Content_Transfer_Encoding="base64")


def mailed(*parts: str) -> Reading:
    return reading("Subject: Kiln\n" + several("mixed", typed("text/plain", "See below."), *parts))


PAGE = b"<title>Ware</title><h1>Ware</h1><p>One.</p><h2>Glaze</h2><p>Two.</p><p>Three.</p><h2>Slip</h2><p>Four.</p>"


def test_attachments_are_read_under_their_names_and_headings_at_the_place_of_the_message() -> None:
    notes = typed("text/plain; charset=latin-1", "na\u00efve", Content_Disposition="attachment; filename=notes.txt")
    (only,) = mailed(attached("ware.html", PAGE), notes).documents
    assert [(block.text, block.headings) for block in only.blocks] == [
        ("See below.", ()),
        ("One.", ("ware.html", "Ware")),
        ("Two.", ("ware.html", "Ware", "Glaze")),
        ("Three.", ("ware.html", "Ware", "Glaze")),
        ("Four.", ("ware.html", "Ware", "Slip")),
        ("na\u00efve", ("notes.txt",)),
        ("Attachment: ware.html\nAttachment: notes.txt", ()),
    ]
    assert {block.place.unit for block in only.blocks} == {"message"}


@pytest.mark.parametrize("name", ["mill-pandoc.docx", "mill-libreoffice.odt"])
def test_documents_of_programs_are_read_where_they_are_attached(name: str) -> None:
    content = next(DATA.rglob(name)).read_bytes()
    alone = read_file(FoundFile(name, name, Stamp(len(content), 0, 0, 0)), content)
    within = mailed(attached(name, content)).documents[0].blocks[1:-1]
    assert [block.text for block in within] == [block.text for block in alone.documents[0].blocks]


def test_an_attachment_that_cannot_be_read_is_told_by_its_name_and_costs_no_other() -> None:
    found = mailed(attached("a.pdf", b"%PDF-1.4 broken"), attached("b.docx", b"PK broken"), attached("c.txt", b"Good."))
    assert [note.partition(":")[0] for note in found.notes] == ["a.pdf", "b.docx"]
    assert "Good." in [block.text for block in found.documents[0].blocks]


def test_an_attachment_of_a_mailbox_is_told_with_its_message() -> None:
    mail = several("mixed", typed("text/plain", "See below."), attached("a.pdf", b"broken"))
    begin = "From a@b Sun Mar  1 23:30:00 2026\n"
    (note,) = read_mbox(f"{begin}Subject: a\n\nb\n\n{begin}Subject: c\n{mail}".encode(), "a.mbox").notes
    assert note.startswith("message 2: a.pdf: ")


def test_mails_in_mails_end() -> None:
    mail = several("mixed", attached("deep.txt", b"Deep."))
    for _ in range(3):
        mail = several("mixed", typed("text/plain", "Outer."), attached("inner.eml", mail.encode()))
    texts = [block.text for block in document(mail).blocks]
    assert texts == ["Outer.", "Outer.", "Attachment: inner.eml", "Attachment: inner.eml"]


def test_more_attachments_than_anybody_sends_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_reader, "_MOST_ATTACHED", 2)
    monkeypatch.setattr(mail_reader, "_MOST_TOLD", 1)
    found = mailed(*(attached(f"{n}.txt", b"Text %d." % n) for n in range(5)))
    assert found.notes == ("2.txt: not read: 2 attachments of the message are", "2 more such attachments")
    assert [block.text for block in found.documents[0].blocks[1:-1]] == ["Text 0.", "Text 1."]


def test_pictures_keys_and_what_no_reader_knows_are_named_and_not_read() -> None:
    mail = several(
        "mixed",
        typed("text/plain", "See below."),
        typed("application/zip", "JVBERi0=", Content_Disposition="attachment; filename=report.zip"),
        typed('image/png; name="=?utf-8?q?caf=C3=A9=2Epng?="', "iVBO", Content_Transfer_Encoding="base64"),
        typed("application/pgp-keys", "secret", Content_Disposition="attachment; filename*=utf-8''na%C3%AFve.asc"),
        typed("text/plain; name=key.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----", Content_Disposition="attachment"),
        typed("text/calendar; name=invite.ics", "BEGIN:VCALENDAR"),
        typed("application/octet-stream", "AAAA"),
    )
    names = "Attachment: report.zip\nAttachment: café.png\nAttachment: naïve.asc\nAttachment: key.asc"
    names += "\nAttachment: invite.ics"
    assert body(mail) == ["See below.", names]


def test_a_forwarded_message_stands_under_its_subject() -> None:
    inner = MIMEText("The pump stopped.", "plain", "utf-8")
    inner["Subject"], inner["From"], inner["Date"] = "Pump", "carol@example.com", "Fri, 27 Feb 2026 08:00:00 +0000"
    outer = MIMEMultipart()
    outer["Subject"] = "Fwd: Pump"
    outer.attach(MIMEText("Please read."))
    outer.attach(MIMEMessage(inner))
    outer.attach(MIMEText("Thank you."))
    assert [(block.text, block.headings) for block in document(bytes(outer)).blocks] == [
        ("Please read.", ()),
        ("From: carol@example.com\nDate: Fri, 27 Feb 2026 08:00:00 +0000", ("Pump",)),
        ("The pump stopped.", ("Pump",)),
        ("Thank you.", ()),
    ]


def test_the_messages_of_a_digest_are_read() -> None:
    assert body(several("digest", "\nSubject: One\n\nfirst", "\nSubject: Two\n\nsecond")) == ["first", "second"]


def test_quotations_stay() -> None:
    assert body("\nYes.\n\n> Is the valve shut?\n>> I think so.\n") == ["Yes.", "> Is the valve shut?\n>> I think so."]


def test_flowing_lines_are_joined() -> None:
    flowed = "The gauge \nshows too \nmuch.\nNext.\n> Is it \n> broken?\n>> Perhaps.\n From here\n-- \nAnn\n"
    assert body(typed("text/plain; format=flowed", flowed)) == [
        "The gauge shows too much.\nNext.\n> Is it broken?\n>> Perhaps.\nFrom here\n-- \nAnn"
    ]
    assert body(typed("text/plain; format=flowed; delsp=yes", "圧力 \n計\n")) == ["圧力計"]


def test_signatures_for_programs_are_left_out() -> None:
    armour = "-----BEGIN PGP SIGNATURE-----\n\niQEzBAEBCAAd\n=abcd\n-----END PGP SIGNATURE-----\n"
    signature = typed("application/pgp-signature; name=signature.asc", armour)
    assert reading(several("signed", typed("text/plain", "The valve."), signature)) == reading("\nThe valve.")
    inline = f"\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n- -- The valve.\n{armour}\nAfter"
    assert body(inline) == ["-- The valve.", "After"]


@pytest.mark.parametrize(
    "text",
    [
        several("encrypted", typed("application/pgp-encrypted", "Version: 1"), typed("application/octet-stream", "hQ")),
        typed("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", "MIAG"),
        "Subject: x\n\n-----BEGIN PGP MESSAGE-----\n\nhQEMA9\n=abcd\n-----END PGP MESSAGE-----\n",
    ],
)
def test_what_is_encrypted_is_told(text: str) -> None:
    found = reading(text)
    assert found.notes == ("encrypted, or signed in a form that is not read",)
    assert body(text) == []


def test_a_file_written_into_the_text_is_named() -> None:
    assert body("Subject: x\n\nSee:\n\nbegin 644 gauge.gif\nM1TE&.#EA\n#ABC\n`\nend\n\nAnn") == [
        "See:",
        "Attachment: gauge.gif",
        "Ann",
    ]


@pytest.mark.parametrize(
    "written", ["", "yesterday", "Sun, 99 Foo 99999 99:99:99", "Sun, 1 Mar 0000 00:00:00 +9999", "1"]
)
def test_without_a_date_that_can_be_meant_there_is_none(written: str) -> None:
    assert document(f"Date: {written}\n\nText").blocks[-1].place == Place("message", 1, 1)


def test_carriage_returns_a_mark_and_a_line_of_a_mailbox_change_nothing() -> None:
    mail = HEADERS + "\nText\n"
    marked = b"\xef\xbb\xbf" + mail.replace("\n", "\r\n").encode()
    assert document(marked) == document(mail) == document(f"From ann@example.com Sun Mar  1 23:30:00 2026\n{mail}")
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        assert document(mail.encode(encoding)) == document(mail)


def test_a_text_without_headers_is_a_body() -> None:
    assert body("Just words.\nNo headers.\n") == ["Just words.\nNo headers."]


def test_a_message_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    whole = several("mixed", typed("text/plain", "See below."), typed("text/plain", "The second part."))
    assert body(whole[: whole.index("second") + 3]) == ["See below.", "The sec"]


def test_apples_form_is_read() -> None:
    mail = b"Subject: Boiler\n\nThe valve.\n"
    (found,) = read_emlx(str(len(mail)).encode() + b"  \n" + mail + b"<plist></plist>", "a.emlx").documents
    assert (found.title, [block.text for block in found.blocks]) == ("Boiler", ["The valve."])
    with pytest.raises(Unreadable, match="length"):
        read_emlx(mail, "a.emlx")


def test_a_mailbox_of_python_is_a_document_for_each_message(tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "a.mbox")
    for number in (1, 2, 3, 4):
        mail = EmailMessage()
        mail["Subject"] = f"Letter {number}"
        mail["Message-ID"] = "<same@example.com>" if number > 2 else f"<m{number}@example.com>"
        mail["Date"] = f"Mon, {number} Jun 2026 08:00:00 +0000"
        mail.set_content(f"Text {number}\n\nFrom here on it is better.\nFrom: nobody\n")
        box.add(mail)
    box.close()
    content = (tmp_path / "a.mbox").read_bytes()
    found = read_file(FoundFile("a.mbox", tmp_path, Stamp(0, 0, 0, 0)), content, lone=False).documents
    assert [(each.id, each.title) for each in found] == [
        ("a.mbox#m1@example.com", "Letter 1"),
        ("a.mbox#m2@example.com", "Letter 2"),
        ("a.mbox#message-3", "Letter 3"),
        ("a.mbox#message-4", "Letter 4"),
    ]
    assert [(block.text, block.place) for block in found[2].blocks[1:]] == [
        ("Text 3", Place("message", 3, 3, "2026-06-03")),
        ("From here on it is better.\nFrom: nobody", Place("message", 3, 3, "2026-06-03")),
    ]


def test_a_mailbox_of_thunderbird_is_read_and_sentences_with_from_part_nothing() -> None:
    box = (
        "From - Sun Mar 01 23:30:00 2026\nX-Mozilla-Status: 0001\nSubject: One\n\n"
        "From the attic, at 10:30:\nNote: it drips.\n\nFrom Ann: a note\nValve: shut\n\n"
        "From \nSubject: Two\n\nSecond.\n"
    )
    found = read_mbox(box.replace("\n", "\r\n").encode(), "Inbox.mbox").documents
    assert [(each.title, [block.text for block in each.blocks]) for each in found] == [
        ("One", ["From the attic, at 10:30:\nNote: it drips.", "From Ann: a note\nValve: shut"]),
        ("Two", ["Second."]),
    ]


def test_what_a_mailbox_lacks_is_told_once() -> None:
    sealed = typed("application/pkcs7-mime", "MIAG")
    box = "".join(f"From - Sun Mar 01 23:30:00 2026\n{text}\n\n" for text in (sealed, "Subject: x\n\nOpen", sealed))
    assert read_mbox(box.encode(), "a.mbox").notes == (
        "2 of 3 messages: encrypted, or signed in a form that is not read",
    )


def test_what_is_no_mailbox_is_told_and_an_empty_one_has_no_documents() -> None:
    with pytest.raises(Unreadable, match="no mailbox"):
        read_mbox(b"Just words.\n", "a.mbox")
    assert read_mbox(b"\n", "a.mbox") == Reading(())


def nested(depth: int) -> bytes:
    opened = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth))
    return (opened + "\nthe innermost").encode()


def test_what_is_nested_too_deeply_is_told() -> None:
    assert body(nested(10)) == ["the innermost"]
    found = reading(nested(30_000))
    assert found.notes == ("not read to the end: more than 1,000 parts, or nested too deeply",)


HOSTILE: dict[str, tuple[int, Callable[[int], bytes]]] = {
    "nested": (30_000, nested),
    "forwarded": (60_000, lambda count: b"Content-Type: message/rfc822\n\n" * count),
    "parts": (300_000, lambda count: b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * count),
    "alternatives": (
        30_000,
        lambda count: (
            b"Content-Type: multipart/alternative; boundary=b\n\n" + b"--b\nContent-Type: text/html\n\na\n" * count
        ),
    ),
    "same boundary": (30_000, lambda count: b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * count),
    "subject": (100_000, lambda count: b"Subject: " + b"=?utf-8?q?a" * count + b"\n\nx"),
    "words": (100_000, lambda count: b"Subject: " + b"=?a?q?b?= " * count + b"\n\nx"),
    "parameters": (300_000, lambda count: b"Content-Type: text/plain; " + b'a="' * count + b"\n\nx"),
    "continuations": (
        100_000,
        lambda count: b"Content-Type: text/plain" + b"".join(b"; a*%d=b" % n for n in range(count)) + b"\n\nx",
    ),
    "number": (6000, lambda count: b"Content-Type: text/plain; a*" + b"9" * count + b"=b\n\nx"),
    "headers": (100_000, lambda count: b"".join(b"X-%d: y\n" % n for n in range(count)) + b"\nx"),
    "folds": (500_000, lambda count: b"Subject: a" + b"\n " * count + b"\n\nx"),
    "date": (1_000_000, lambda count: b"Date: " + b"(" * count + b"\n\nx"),
    "address": (200_000, lambda count: b"From: " + b"a@b, " * count + b"\n\nx"),
    "uuencoded": (70_000, lambda count: b"\n" + b"begin 644 a\nM\n" * count),
    "armour": (30_000, lambda count: b"\n" + b"-----BEGIN PGP SIGNATURE-----\n" * count),
    "signed": (30_000, lambda count: b"\n" + b"-----BEGIN PGP SIGNED MESSAGE-----\nA: b\n" * count),
    "flowed": (300_000, lambda count: b"Content-Type: text/plain; format=flowed\n\n" + b"a \n" * count),
    "base64": (200_000, lambda count: b"Content-Transfer-Encoding: base64\n\n" + b"QUFB\n" * count),
}
"""By name, how often something is repeated, and the message."""


@pytest.mark.parametrize("name", HOSTILE)
def test_no_message_takes_a_square_of_its_length(name: str) -> None:
    count, make = HOSTILE[name]
    assert grows_evenly(lambda count: partial(reading, make(count)), count)


@pytest.mark.parametrize(
    ("piece", "count"),
    [
        (b"From - Sun Mar 01 23:30:00 2026\nA: b\n\n", 20_000),
        (b"From Sun ", 100_000),
        (b"Sun", 300_000),
        (b"From \n\n", 100_000),
    ],
)
def test_no_mailbox_takes_a_square_of_its_length(piece: bytes, count: int) -> None:
    before = b"From - Sun Mar 01 23:30:00 2026\nA: b\n\nFrom "
    assert grows_evenly(lambda count: partial(read_mbox, before + piece * count, "a.mbox"), count)


def test_an_attachment_of_python_is_named() -> None:
    outer = MIMEMultipart()
    outer.attach(MIMEText("Please read."))
    part = MIMEApplication(b"PK\3\4" * 100)
    part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", "plan für März.docx"))
    outer.attach(part)
    assert body(bytes(outer)) == ["Please read.", "Attachment: plan für März.docx"]
