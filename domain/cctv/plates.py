"""Number plates: they tell a vehicle again, and are neither kept nor shown.

What is kept is a keyed hash, of the tenant and the plate as it is written everywhere. A plain hash could be undone by
trying every plate there is; this one needs the installation's secret, which is not in the database.
"""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Final
from uuid import UUID

from domain.errors import Invalid
from domain.signing import SigningKey

TOKEN_BYTES: Final = hashlib.sha256().digest_size
SHORTEST: Final = 2
LONGEST: Final = 15
_BETWEEN: Final = frozenset(" -.·•_/")
"""What stands between the parts of a plate, and is written in one country and read in another."""


class PlateKey(SigningKey):
    """Makes tokens of plates. A rotated secret makes other ones; the one before it is looked for until it is gone."""

    def __init__(self, secret: bytes, *earlier: bytes) -> None:
        """Derive the key from the installation's secrets, newest first."""
        super().__init__(secret, "plate", *earlier)

    def tokens(self, tenant_id: UUID, plate: str) -> tuple[str, ...]:
        """Return the token that is stored of a plate, and those that earlier secrets made of it, as hex."""
        message = f"{tenant_id}\n{plate}".encode()
        return tuple(key.sign(message, TOKEN_BYTES).hex() for key in (self, *self._earlier))


def normalised(plate: str) -> str:
    """Return a plate as capital letters and digits; raises Invalid, which does not repeat what was read."""
    text = joined(plate)
    if not (text.isalnum() and SHORTEST <= len(text) <= LONGEST):
        raise Invalid(f"A plate has {SHORTEST} to {LONGEST} letters and digits.", field="plate")
    return text


def joined(text: str) -> str:
    """Return a text as a plate would be compared: capitals, with nothing between them."""
    capitals = unicodedata.normalize("NFKC", text).upper()
    return "".join(character for character in capitals if character not in _BETWEEN)
