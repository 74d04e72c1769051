"""Half width: any text in ASCII and half-width katakana, as a character LCD with the Japanese ROM shows it.

>>> halfwidth("ガチャ切り ５６")
'ｶﾞﾁｬ?ﾘ 56'
"""

from unicodedata import combining, normalize

UNKNOWN = "?"
FULL = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜"
HALF = {full: chr(0xFF61 + n) for n, full in enumerate(FULL)}
VOICED, SEMIVOICED = "\u3099", "\u309a"  # what normalize("NFD") splits off
SIGNS = {
    VOICED: "ﾞ",
    SEMIVOICED: "ﾟ",
    "…": "..",
    "•": "*",
    "●": "*",
    "▲": "^",
    "▼": "v",
    "↑": "^",
    "→": ">",
    "›": ">",
    "✓": "+",
    "×": "x",
    "—": "-",
    "–": "-",
    "“": '"',
    "”": '"',
    "’": "'",
    "ヰ": "ｲ",
    "ヱ": "ｴ",
    "〜": "-",
    "\u3000": " ",
    "\\": "/",  # the ROM has ¥ and an arrow where ASCII has backslash and tilde
    "~": "-",
}


def halfwidth(text: str) -> str:
    """`text` in cells: voiced marks are cells of their own; what the screen has no glyph for becomes "?"."""
    return "".join(_cell(letter) for letter in normalize("NFD", text))


def _cell(letter: str) -> str:
    if letter in SIGNS:
        return SIGNS[letter]
    if "ぁ" <= letter <= "ゖ":
        letter = chr(ord(letter) + 0x60)  # hiragana lies so far below katakana
    if letter in HALF:
        return HALF[letter]
    if combining(letter):  # an accent: its letter alone must do
        return ""
    plain = normalize("NFKC", letter) if "！" <= letter <= "～" else letter
    return plain if " " <= plain <= "}" or "｡" <= plain <= "ﾟ" else UNKNOWN


def readable(text: str) -> bool:
    """Whether the screen has a glyph for all of it."""
    return UNKNOWN not in halfwidth(text.replace(UNKNOWN, ""))
