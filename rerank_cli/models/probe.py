"""Texts by which a compiled model is compared with its original: some alike, some not, short and long."""

from __future__ import annotations

PROBE_QUERIES = (
    "how do I remove rust from a pan",
    "symptoms of iron deficiency",
    "reset a forgotten password",
    "function that sorts a list in place",
)

PROBE_PASSAGES = (
    "Scrub the pan with coarse salt and half a potato, rinse, dry it on the stove and rub it with a thin coat of oil.",
    "Rust forms when iron, oxygen and water meet. Cast iron rusts within hours if it is left wet in the sink.",
    "Iron deficiency makes people tired and pale. Some are short of breath, have brittle nails or a craving for ice.",
    "Foods rich in iron are lentils, beef liver, spinach and fortified cereals; vitamin C helps to take it up.",
    "To set a new password, open the sign-in page, choose 'Forgotten it?', and follow the link in the mail.",
    "Passwords must have twelve characters. They are kept as salted hashes and cannot be read back by anyone.",
    "list.sort() orders the list itself and returns None; sorted() leaves the list alone and returns a new one.",
    "def reverse(items): return items[::-1]",
    "The ferry leaves at seven in the morning and again at noon, except on Sundays and in heavy weather.",
    "Merge sort divides a sequence into halves, sorts each of them, and merges the two in linear time. It is stable "
    "and needs room for a second copy of the sequence, which is why quicksort is often chosen where memory is short.",
    "A frying pan should be warm before the oil goes in, and the oil hot before the food does.",
    "Anaemia is found by a blood count. Ferritin below thirty micrograms a litre speaks for empty iron stores even "
    "while haemoglobin is still normal; the cause, often a slow bleed, has to be looked for as well as treated.",
)
