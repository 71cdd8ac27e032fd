from __future__ import annotations

import base64
import mailbox
import random
import time
from dataclasses import replace
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

import pytest

from rerank_cli.corpus.read import Unreadable, read_file
from rerank_cli.corpus.read.mail import read_eml, read_emlx, read_mbox
from rerank_cli.corpus.read.mime import decoded_words
from rerank_cli.records import Block, Document, FoundFile, Place, Reading
from rerank_cli.stamps import Stamp

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
    assert replace(found, fields=()) == Document(
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


def test_attachments_are_named_and_not_read() -> None:
    mail = several(
        "mixed",
        typed("text/plain", "See below."),
        typed("application/pdf", "JVBERi0=", Content_Disposition="attachment; filename=report.pdf"),
        typed('image/png; name="=?utf-8?q?caf=C3=A9=2Epng?="', "iVBO", Content_Transfer_Encoding="base64"),
        typed("text/plain", "secret", Content_Disposition="attachment; filename*=utf-8''na%C3%AFve.txt"),
        typed("text/calendar; name=invite.ics", "BEGIN:VCALENDAR"),
        typed("application/octet-stream", "AAAA"),
    )
    names = "Attachment: report.pdf\nAttachment: café.png\nAttachment: naïve.txt\nAttachment: invite.ics"
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
    assert document(mail.encode("utf-16")) == document(mail)


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


HOSTILE = {
    "nested": nested(30_000),
    "forwarded": b"Content-Type: message/rfc822\n\n" * 60_000,
    "parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * 300_000,
    "alternatives": b"Content-Type: multipart/alternative; boundary=b\n\n"
    + b"--b\nContent-Type: text/html\n\na\n" * 30_000,
    "same boundary": b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 30_000,
    "subject": b"Subject: " + b"=?utf-8?q?a" * 100_000 + b"\n\nx",
    "words": b"Subject: " + b"=?a?q?b?= " * 100_000 + b"\n\nx",
    "parameters": b"Content-Type: text/plain; " + b'a="' * 300_000 + b"\n\nx",
    "continuations": b"Content-Type: text/plain" + b"".join(b"; a*%d=b" % n for n in range(100_000)) + b"\n\nx",
    "number": b"Content-Type: text/plain; a*" + b"9" * 6000 + b"=b\n\nx",
    "headers": b"".join(b"X-%d: y\n" % n for n in range(100_000)) + b"\nx",
    "folds": b"Subject: a" + b"\n " * 500_000 + b"\n\nx",
    "date": b"Date: " + b"(" * 1_000_000 + b"\n\nx",
    "address": b"From: " + b"a@b, " * 200_000 + b"\n\nx",
    "uuencoded": b"\n" + b"begin 644 a\nM\n" * 70_000,
    "armour": b"\n" + b"-----BEGIN PGP SIGNATURE-----\n" * 30_000,
    "signed": b"\n" + b"-----BEGIN PGP SIGNED MESSAGE-----\nA: b\n" * 30_000,
    "flowed": b"Content-Type: text/plain; format=flowed\n\n" + b"a \n" * 300_000,
    "base64": b"Content-Transfer-Encoding: base64\n\n" + b"QUFB\n" * 200_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_message_takes_long(name: str) -> None:
    started = time.process_time()
    reading(HOSTILE[name])
    assert time.process_time() - started < 4


@pytest.mark.parametrize(
    "box",
    [
        b"From - Sun Mar 01 23:30:00 2026\nA: b\n\n" * 20_000,
        b"From Sun " * 100_000,
        b"From " + b"Sun" * 300_000,
        b"From \n\n" * 100_000,
    ],
)
def test_no_mailbox_takes_long(box: bytes) -> None:
    started = time.process_time()
    try:
        read_mbox(b"From - Sun Mar 01 23:30:00 2026\nA: b\n\n" + box, "a.mbox")
    finally:
        assert time.process_time() - started < 4


def test_an_attachment_of_python_is_named() -> None:
    outer = MIMEMultipart()
    outer.attach(MIMEText("Please read."))
    part = MIMEApplication(b"PK\3\4" * 100)
    part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", "plan für März.docx"))
    outer.attach(part)
    assert body(bytes(outer)) == ["Please read.", "Attachment: plan für März.docx"]
