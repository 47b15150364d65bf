"""The inputs that stand in when an asset names no golden file. Changing one changes nothing already recorded:
the inputs travel with their outputs."""

SENTENCES = (
    "The ferry leaves the harbour at six and returns after dark.",
    "A boat departs from the port early in the morning.",
    "Invoices must be paid within thirty days of receipt.",
    "Why does bread dough rise faster in a warm kitchen?",
    "The gradient vanished after the fourth layer, so training stalled.",
    "Rain is expected over the northern hills tomorrow, 4 to 9 mm.",
    "def area(radius): return 3.14159 * radius ** 2",
    "Die Bibliothek schließt heute schon um fünf Uhr.",
    "今日は図書館が早く閉まります。",
    "ok",
)
