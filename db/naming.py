"""Finding somebody in texts of which nothing else says whom they are about: by any part of a name, phone and e-mail.

As with pseudonyms, more is found rather than less: a text about another Priya goes with this one's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import phonenumbers
from phonenumbers import NumberParseException
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.inference import MARKS, POLITE_ENDINGS
from domain.pseudonyms import telling_parts

SHORTEST_PHONE: Final = 6
# A letter before a name makes it another word, but for the letter of an escape: JSON's `\\n`.
_BEFORE: Final = r"(^|[^a-z]|\\[nrtbf])((al|el|abu|bin|ibn)-?)?"
_BETWEEN_DIGITS: Final = "[^0-9a-z]{0,3}"
# Digits of Arabic, of Persian and Urdu, and of Devanagari.
_DIGITS: Final = "".join(chr(zero + digit) for zero in (0x660, 0x6F0, 0x966) for digit in range(10))

_CALLED: Final = text("""
    select full_name, primary_phone_e164, primary_phone_raw, primary_email from people
    where tenant_id = :tenant and (id = :person or merged_into_id = :person)
""")


@dataclass(frozen=True, slots=True)
class Naming:
    """Regular expressions of PostgreSQL that find somebody; None finds nothing."""

    names: str | None
    phones: str | None


async def naming(connection: AsyncConnection, tenant_id: UUID, person_id: UUID | None) -> Naming:
    """Return what finds a person, under the names of those who were absorbed into them too."""
    rows = (await connection.execute(_CALLED, {"tenant": tenant_id, "person": person_id})).all()
    names = {each for row in rows for each in _written(row.full_name)}
    emails = {re.escape(row.primary_email.lower()) for row in rows if row.primary_email}
    phones = [each for row in rows for each in (row.primary_phone_e164, row.primary_phone_raw) if each]
    numbers = {_BETWEEN_DIGITS.join(each) for each in map(_national, phones) if len(each) >= SHORTEST_PHONE}
    return Naming("|".join(sorted(names | emails)) or None, "|".join(sorted(numbers)) or None)


def mentions(content: str) -> str:
    """Write that a text, given as SQL, names whom `:names` and `:phones` find."""
    # It is computed once, and folded only where it is not ASCII: that takes ten times as long as to look through it.
    plain = "lower(said.content)"
    folded = f"lower(regexp_replace(normalize(said.content, NFKD), '{MARKS.pattern}', '', 'g'))"
    digits = f"translate(said.content, '{_DIGITS}', '{3 * '0123456789'}')"
    return (
        "(select case when octet_length(said.content) = char_length(said.content)"
        f" then {_finds(plain, plain)} else {_finds(folded, digits)} end"
        f" from (select {content} as content offset 0) said)"
    )


def _finds(words: str, numbers: str) -> str:
    return f"coalesce({words} ~ cast(:names as text), false) or coalesce({numbers} ~ cast(:phones as text), false)"


def _written(name: str) -> Iterator[str]:
    """Return patterns of a name's parts and of the whole without spaces, as `mentions` compares."""
    parts = telling_parts(name)
    joined = ("".join(parts), "".join(reversed(parts))) if len(parts) > 1 else ()
    ascii_parts = {part for part in (*parts, *joined) if part.isascii()}
    if ascii_parts:
        yield rf"{_BEFORE}({_either(ascii_parts)})({POLITE_ENDINGS})?($|[^a-z])"
    # Other scripts join words, and without a locale PostgreSQL makes nothing small that is not ASCII.
    plain = MARKS.sub("", unicodedata.normalize("NFKD", name))
    for word in plain.split():
        if not word.isascii() and telling_parts(word):
            yield from (re.escape(each) for each in {word, word.lower(), word.upper(), word.title()})


def _either(parts: Iterable[str]) -> str:
    return "|".join(re.escape(part) for part in sorted(parts))


def _national(phone: str) -> str:
    try:
        return phonenumbers.national_significant_number(phonenumbers.parse(phone, None))
    except NumberParseException:
        return re.sub(r"\D", "", phone).lstrip("0")
