"""Whether a provider's words repeat what it was asked: they go to clients and into rows, and the request must not."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from domain.inference import Pseudonyms

SHORTEST: Final = 8
"""So many letters and digits in a row that stand in the request too, however they are written, are a quotation."""

_NAMED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_ESCAPED: Final = re.compile(r"\\[nrtbf]")


def repeats(said: str, asked: Iterable[str], pseudonyms: Pseudonyms | None) -> bool:
    """Return whether words repeat a part of what was asked, or name somebody whom pseudonyms would hide."""
    if pseudonyms is not None and pseudonyms.hide(said) != said:
        return True
    plain = _plain(said)
    pieces = {plain[start : start + SHORTEST] for start in range(len(plain) - SHORTEST + 1)}
    return bool(pieces) and any(piece in text for text in map(_plain, asked) for piece in pieces)


def _plain(text: str) -> str:
    """Return the letters and digits of a text, whatever escapes, entities, spaces and capitals it is written with."""
    named = _NAMED.sub(lambda found: chr(int(found[1], 16)), html.unescape(text))
    letters = unicodedata.normalize("NFKC", _ESCAPED.sub(" ", named)).casefold()
    return "".join(letter for letter in letters if letter.isalnum())
