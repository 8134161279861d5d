"""Recognition of the words of a mail's author, and of the furniture around them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticketsvc.triage.mail import read
from ticketsvc.triage.offline.classifier import OfflineClassifier

PROBLEM = "The export of our invoices stops after ten pages."
ADDRESS = "Anna Berg <anna@berg.example>"
classifier = OfflineClassifier()


def words(text: str) -> str:
    """Return the words that remain of a text, with single blanks."""
    return " ".join(read(text).text.replace("\u0332", "").split())


@pytest.mark.parametrize(
    "attribution",
    [
        f"On Tue, Mar 3, 2026 at 9:12 AM {ADDRESS} wrote:",
        "On 3/3/26 09:12, Anna Berg wrote:",
        f"Am Di., 3. März 2026 um 09:12 Uhr schrieb {ADDRESS}:",
        "Am 03.03.26 um 09:12 schrieb Anna Berg:",
        f"Le mar. 3 mars 2026 à 09:12, {ADDRESS} a écrit :",
        "El mar, 3 mar 2026 a las 9:12, Anna Berg (<anna@berg.example>) escribió:",
        f"Em ter., 3 de mar. de 2026 às 09:12, {ADDRESS} escreveu:",
        f"{ADDRESS} escreveu (terça, 3/03/2026 à(s) 09:12):",
        f"Il giorno mar 3 mar 2026 alle ore 09:12 {ADDRESS} ha scritto:",
        f"Op di 3 mrt 2026 om 09:12 schreef {ADDRESS}:",
        f"Op 3 mrt. 2026, om 09:12 heeft {ADDRESS} het volgende geschreven:",
        f"2026-03-03 9:12 GMT+01:00 {ADDRESS}:",
        "On Tue, Mar 3, 2026 at 9:12 AM Anna Berg\n<anna@berg.example> wrote:",
        "-----Original Message-----\nFrom: Anna Berg\nSent: Tuesday, March 3, 2026 9:12\nTo: Support\nSubject: outage",
        "---- Ursprüngliche Nachricht ----\nVon: Anna Berg\nDatum: 03.03.26 09:12\nAn: Support\nBetreff: Ausfall",
        "Von: Anna Berg\nGesendet: Dienstag, 3. März 2026 09:12\nAn: Support\nBetreff: Ausfall",
        "De : Anna Berg\nEnvoyé : mardi 3 mars 2026 09:12\nÀ : Support\nObjet : panne",
        "*Da:* Anna Berg\n*Inviato:* martedì 3 marzo 2026 09:12\n*A:* Support\n*Oggetto:* guasto",
    ],
)
@pytest.mark.parametrize("mark", ["> ", ""])
def test_a_quoted_mail_is_not_the_authors(attribution: str, mark: str) -> None:
    text = f"Re: pages\n{PROBLEM}\n\n{attribution}\n{mark}Everything is down, the whole company is blocked!\n{mark}Anna"
    assert words(text) == f"Re: pages {PROBLEM}"


@pytest.mark.parametrize(
    "marker",
    [
        "---------- Forwarded message ---------",
        "Begin forwarded message:",
        "-------- Weitergeleitete Nachricht --------",
        "Début du message transféré :",
        "---------- Mensaje reenviado ---------",
        "---------- Mensagem encaminhada ---------",
        "Inizio messaggio inoltrato:",
        "Begin doorgestuurd bericht:",
    ],
)
def test_the_body_of_a_forwarded_mail_is_kept_without_its_head(marker: str) -> None:
    head = f"From: {ADDRESS}\nDate: Tue, Mar 3, 2026\nSubject: outage\nTo: sales@example.org"
    assert words(f"Pages\nPlease see below\n\n{marker}\n{head}\n\n{PROBLEM}") == f"Pages Please see below {PROBLEM}"


@pytest.mark.parametrize(
    "closing",
    [
        "Best regards,\nAnna Berg\nHead of Billing\nTel.: 030 123",
        "Many thanks and kind regards\nAnna",
        "Mit freundlichen Grüßen\nAnna Berg\nLeiterin Buchhaltung",
        "Viele Grüße, Anna",
        "Cordialement,\nAnna Berg\nService facturation",
        "Un cordial saludo,\nAnna",
        "Atenciosamente,\nAnna Berg",
        "Cordiali saluti\nAnna Berg\nUfficio contabilità",
        "Met vriendelijke groet,\nAnna Berg",
        "-- \nAnna Berg\nIncident Response",
        "Sent from my iPhone",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "Enviado do meu iPhone",
        "Inviato da iPhone",
        "Verzonden vanaf mijn iPhone",
        "Get Outlook for iOS",
    ],
)
def test_a_signature_is_furniture(closing: str) -> None:
    assert words(f"Pages\n{PROBLEM}\n\n{closing}") == f"Pages {PROBLEM}"


@pytest.mark.parametrize(
    "greeting",
    [
        "Dear support team,\n\n",
        "Hello, ",
        "Guten Tag,\n\n",
        "Bonjour Madame,\n\n",
        "Buenos días:\n\n",
        "Bom dia,\n\n",
        "Gentili signori,\n\n",
        "Geachte heer Jansen,\n\n",
    ],
)
def test_a_greeting_is_furniture_and_ends_a_sentence(greeting: str) -> None:
    assert words(f"Pages\n{greeting}the export stops.") == "Pages . the export stops."


@pytest.mark.parametrize(
    "text",
    [
        "Please book:\nFrom: Berlin\nTo: Hamburg\nDate: 4 May\nThe form fails.",
        "Le technicien a écrit : revenez demain. Rien ne marche.",
        "On Monday your agent wrote: wait.\nI waited. Nothing happened.",
        "Am 3. März schrieb Ihr Kollege, es gehe wieder.\nEs geht nicht.",
        "I see two faults.\n---\nThe first is the sum.",
        "Our rule says\n> 100 EUR needs approval\nbut smaller amounts are held, too.",
        "Sent from my iPhone, photos arrive blank.",
        "Thanks for nothing.\nThe page is blank.",
        "Dear customers are told to pay twice",
        "x < 5 and y > 3",
        "and/or",
    ],
)
def test_what_only_looks_like_furniture_is_kept(text: str) -> None:
    assert words(text) == " ".join(text.split())


def test_a_sentence_below_a_signature_is_text() -> None:
    text = "Pages\nBest regards,\nAnna\n\nP.S. The second file has an error, too."
    assert words(text) == "Pages P.S. The second file has an error, too."


@pytest.mark.parametrize("text", ["> The whole company cannot log in", "Hello,", "https://example.org/", "<b></b>", ""])
def test_something_is_always_left(text: str) -> None:
    assert len(read(text).text) == len(text)
    assert any(character.isalpha() for character in read(text).text) == any(map(str.isalpha, text))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("The <b>bo</b>ld w<i>or</i>d<br>ends", "The bold word ends"),
        ("<style>p { color: red }</style><p>One</p><p>Two</p><blockquote>Quoted</blockquote>", "One Two"),
        ('<div style="display:none">Preheader</div><div>Seen<!-- error --></div>', "Seen"),
        ("Die &Uuml;berweisung &amp; die R&#252;ckzahlung", "Die Überweisung & die Rückzahlung"),
        ("Write to <tom@example.net> about x < 5", "Write to about x < 5"),
        ("See https://status.example.com/outage/critical/all-users", "See"),
        ("ERR_PAYMENT_DECLINED in C:\\temp\\crash.log and invoice_overdue.pdf", "in and"),
        ("pass\u00adword", "password"),
    ],
)
def test_markup_and_identifiers_are_nobodys_words(text: str, left: str) -> None:
    assert words(text) == left


@pytest.mark.parametrize(
    "log",
    [
        'Traceback (most recent call last):\n  File "pay.py", line 3, in pay\n    charge(card)\nPaymentError: declined',
        "java.lang.IllegalStateException: invoice\n\tat com.example.Billing.pay(Billing.java:3)\nCaused by: x",
        "2026-03-03 09:12:00,123 ERROR [billing] payment declined",
        "```\ninvoice.pay(refund)\n```",
        '{\n  "payment": "declined",\n}',
    ],
)
def test_a_log_is_a_technical_problem_whatever_its_words_are(log: str) -> None:
    mail = read(f"Since Monday we see this\n{log}")
    assert mail.has_log
    assert "Since Monday we see this" in mail.text
    assert "pay" not in mail.text
    assert "declined" not in mail.text
    assert classifier.classify(f"Since Monday we see this\n{log}").category == "technical"


def test_a_long_mail_is_read_until_enough_of_the_author_is_known() -> None:
    quote = "\n".join(["> Everything is down"] * 300)
    long = "\n".join(["It stops.", *["word " * 20] * 100])
    assert "The end" not in words(f"Pages\n{long}\nThe end")
    assert words(f"Pages\n{quote}\n\n{PROBLEM}") == f"Pages {PROBLEM}"
    assert len(words("Pages " + "word " * 4_000)) < 4_001


@settings(deadline=None, max_examples=50)
@given(st.text(alphabet="a A.>\n-:<&;@1/_\"'wrote", max_size=200))
def test_positions_stay(text: str) -> None:
    assert len(read(text).text) == len(text)
    assert read(text).text.count("\n") >= text.count("\n")
