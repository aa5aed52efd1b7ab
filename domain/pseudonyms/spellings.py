"""How names, phones, e-mails and addresses are written: for each, what finds it in folded text, and which one it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberMatcher

from domain.inference import POLITE_ENDINGS
from domain.pseudonyms.folding import plain, words
from domain.structured import Identity


class Kind(Enum):
    """What a token stands for. The names are what a model reads."""

    PERSON = "PERSON"
    PHONE = "PHONE"
    EMAIL = "EMAIL"
    ADDRESS = "ADDRESS"
    IDENTIFIER = "IDENTIFIER"
    TEXT = "TEXT"
    """What looks like a token and was there before any: it must not be taken for one on the way back."""


TOKEN: Final = re.compile(rf"(?:{'|'.join(kind.value for kind in Kind)})_[0-9]+(?:_[0-9]+)?", re.IGNORECASE | re.ASCII)
"""Whatever stands before it: in JSON that may be the letter of an escape."""

_RUNS_INTO_A_TOKEN: Final = re.compile(r"[0-9_]+")

# Words that many names have and that say nothing of whose.
_PARTICLES: Final = frozenset({
    *("abu", "al", "bin", "bint", "binti", "da", "dal", "das", "de", "del", "den", "der", "di", "do", "dos", "dr"),
    *("du", "el", "ibn", "la", "le", "lo", "mr", "mrs", "ms", "of", "san", "st", "ter", "the", "umm", "van", "von"),
    # The same in Arabic: al, bin, ibn, bint, abu, umm.
    *("\u0627\u0644", "\u0628\u0646", "\u0627\u0628\u0646", "\u0628\u0646\u062a", "\u0627\u0628\u0648", "\u0627\u0645"),
})  # fmt: skip
_IDEOGRAPHS: Final = 0x2E80
"""Where the scripts begin of which one or two characters make a name."""
_LONG_ENOUGH: Final = 3
_SHORTEST_PART: Final = 2
_BETWEEN: Final = r"[\s.,_\-'\"\u201c\u201d()/]*"
# A letter before a name makes it another word, but for the letter of an escape: JSON's `\\n`.
_NO_LETTER_BEFORE: Final = r"(?:(?<![^\W\d_])|(?<=\\[nrtbf]))"
_BEFORE_A_NAME: Final = r"(?:(?:al|el|abu|bin|ibn)-?)?"
# Endings that make a name polite or somebody's.
_BEHIND_A_NAME: Final = rf"(?=(?:{POLITE_ENDINGS})?(?![^\W\d_]))"

# Bounded, so that a long run of letters costs no more than its length.
_EMAIL: Final = re.compile(r"[\w.!#$%&'*+/=?^{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_BETWEEN_DIGITS: Final = r"[\s().\-/·]{0,3}"
_SHORTEST_PHONE: Final = 6
_INTERNATIONAL: Final = re.compile(rf"\+(?:{_BETWEEN_DIGITS}\d){{8,15}}(?!\d)")
# Digits of a phone without its country. A date is looked at too, and is none.
_MANY_DIGITS: Final = re.compile(r"(?<![\w.])\(?\d(?:[\s().\-/]{0,3}\d){6,14}(?![\w])")
_DATE: Final = re.compile(r"(?:19|20)\d\d-[01]\d-[0-3]\d")
_DECIMAL: Final = re.compile(r"\d{1,4}\.\d+|\d+\.\d{1,2}")
_SURELY_A_PHONE: Final = 10
"""Digits that make a number of a known country a phone without a word that says so: amounts have fewer, mostly."""
_GROUPED, _THOUSANDS = 9, 3
_SAID_TO_BE_A_PHONE: Final = re.compile(r"(?:phone|tel|mob|cell|call|whatsapp|contact|number|ring|sms|text)\W*\w*\W*$")
_AN_AMOUNT_BEFORE: Final = re.compile(r"(?:[₹$€£]|rs\.?|inr|aed|sar|qar|usd|eur|gbp)\s*$")
_AN_AMOUNT_BEHIND: Final = re.compile(r"[.,]\d|\s*(?:inr|aed|sar|qar|usd|eur|gbp|rupees|dirhams|crore|lakh)")


@dataclass(frozen=True, slots=True)
class Found:
    """Something in a folded text, from `start` to `end`; `key` is equal for all spellings of one thing."""

    kind: Kind
    key: str
    start: int
    end: int


class Spellings:
    """Finds what is personal in folded texts: all that is known of these people, and every e-mail and phone."""

    def __init__(self, people: Sequence[Identity]) -> None:
        """Prepare to look for these people."""
        self._keys: dict[str, str] = {}
        apart, anywhere = self._names(people)
        self._patterns: list[tuple[Kind, re.Pattern[str]]] = []
        if apart:
            names = f"{_NO_LETTER_BEFORE}{_BEFORE_A_NAME}(?P<core>{_either(apart)}){_BEHIND_A_NAME}"
            self._patterns.append((Kind.PERSON, re.compile(names)))
        if anywhere:
            self._patterns.append((Kind.PERSON, re.compile(f"(?P<core>{_either(anywhere)})")))
        for kind, texts in (
            (Kind.ADDRESS, [address for person in people for address in person.addresses]),
            (Kind.IDENTIFIER, [identifier for person in people for identifier in person.identifiers]),
        ):
            literal = {key: _spaced(key) for text in texts for key in _pieces(kind, text)}
            self._patterns += [(kind, re.compile(rf"(?<![^\W_]){pattern}(?![^\W_])")) for pattern in literal.values()]
        self._phones = list(_known_phones(phone for person in people for phone in person.phones))
        self._emails = [
            (plain(email.strip()), _said_aloud(plain(email.strip())))
            for person in people
            for email in person.emails
            if "@" in email
        ]
        self._regions = sorted({region for _, _, region in self._phones if region})

    def _names(self, people: Sequence[Identity]) -> tuple[set[str], set[str]]:
        """Return the patterns of names that stand apart and of those that may be within a word, and note whose each is.

        A name of several people is the first one's.
        """
        apart: set[str] = set()
        anywhere: set[str] = set()
        for number, person in enumerate(people):
            for sequence in (sequence for name in person.names for sequence in _sequences(plain(name))):
                key = "".join(sequence)
                self._keys.setdefault(key, str(number))
                pattern = _BETWEEN.join(re.escape(part) for part in sequence)
                (anywhere if _stands_out(key) else apart).add(pattern)
        return apart, anywhere

    def find(self, text: str) -> Iterator[Found]:
        """Return everything personal in a folded text, in no order; pieces may overlap.

        Digits and underscores behind a piece belong to it: they would run into the number of its token.
        """
        for found in self._found(text):
            behind = _RUNS_INTO_A_TOKEN.match(text, found.end)
            yield found if behind is None else replace(found, end=behind.end())

    def _found(self, text: str) -> Iterator[Found]:
        for match in TOKEN.finditer(text):
            yield Found(Kind.TEXT, match[0], *match.span())
        for match in _EMAIL.finditer(text):
            yield Found(Kind.EMAIL, match[0], *match.span())
        for address, pattern in self._emails:
            yield from (Found(Kind.EMAIL, address, *match.span()) for match in pattern.finditer(text))
        for kind, pattern in self._patterns:
            for match in pattern.finditer(text):
                if kind is Kind.PERSON:
                    yield Found(kind, self._keys[_letters(match["core"])], *match.span())
                else:
                    yield Found(kind, _letters(match[0]), *match.span())
        yield from self._phones_in(text)

    def phone(self, digits: str) -> str | None:
        """Return the phone that a number without any signs is, as `91982…` in JSON; None for any other number."""
        return next((e164 for e164, pattern, _ in self._phones if pattern.fullmatch(digits)), None)

    def _phones_in(self, text: str) -> Iterator[Found]:
        for e164, pattern, _ in self._phones:
            yield from (Found(Kind.PHONE, e164, *match.span()) for match in pattern.finditer(text))
        for match in _INTERNATIONAL.finditer(text):
            yield Found(Kind.PHONE, "+" + re.sub(r"\D", "", match[0]), *match.span())
        for match in _MANY_DIGITS.finditer(text):
            begin, whole = match.start(), True
            for region in self._regions:
                for e164, start, end in _numbers_in(match[0], region):
                    whole = False
                    if _is_a_phone(text, begin + start, begin + end):
                        yield Found(Kind.PHONE, e164, begin + start, begin + end)
            # Of a country in which nobody's phone is known: whoever it belongs to, it may be one.
            if whole and not _is_no_phone(match[0]) and _is_a_phone(text, *match.span()):
                yield Found(Kind.PHONE, re.sub(r"\D", "", match[0]), *match.span())


@lru_cache(maxsize=1024)
def _numbers_in(digits: str, region: str) -> tuple[tuple[str, int, int], ...]:
    """Return the numbers that a country's plan allows, as E.164, and where they are."""
    if _DATE.match(digits):
        return ()
    return tuple(
        (phonenumbers.format_number(found.number, PhoneNumberFormat.E164), found.start, found.end)
        for found in PhoneNumberMatcher(digits, region)
    )


def telling_parts(name: str) -> list[str]:
    """Return the parts of a name, folded, that tell whose it is: no letter alone, and no `Mr` or `bin`."""
    return [part for part in words(plain(name)) if len(part) >= _SHORTEST_PART and part not in _PARTICLES]


def _sequences(name: str) -> Iterator[list[str]]:
    """Return the words of a name in the orders in which it is written, and every part of it that tells whose it is."""
    parts, telling = words(name), telling_parts(name)
    if telling:
        yield from (parts, parts[::-1], parts[-1:] + parts[:-1])
        yield from ([part] for part in telling)
        # `O'Neil` and `Anne-Marie` within a name.
        yield from (several for each in name.split() if len(several := words(each)) > 1)


def _stands_out(name: str) -> bool:
    """Whether a name is found within words: its script joins articles and endings to them, or has no spaces."""
    return not name.isascii() and (len(name) >= _LONG_ENOUGH or ord(name[0]) >= _IDEOGRAPHS)


def _is_no_phone(digits: str) -> bool:
    """Whether digits are a date, or numbers with a decimal point."""
    return _DATE.match(digits) is not None or all(_DECIMAL.fullmatch(each) for each in digits.split())


def _is_a_phone(text: str, start: int, end: int) -> bool:
    """Decide about digits that a country's plan allows: an amount may look the same."""
    before, behind = text[max(0, start - 24) : start], text[end : end + 12]
    if _AN_AMOUNT_BEFORE.search(before) or _AN_AMOUNT_BEHIND.match(behind):
        return False
    groups = re.findall(r"\d+", text[start:end])
    digits = sum(map(len, groups))
    if digits >= _SURELY_A_PHONE or _SAID_TO_BE_A_PHONE.search(before) is not None:
        return True
    # Amounts are written in threes: `500 000 000`.
    return digits == _GROUPED and len(groups) > 1 and {len(group) for group in groups[1:]} != {_THOUSANDS}


def _known_phones(phones: Iterable[str]) -> Iterator[tuple[str, re.Pattern[str], str | None]]:
    """Return each number's key, what finds its spellings, and its country."""
    for phone in phones:
        typed = plain(phone)
        try:
            number = phonenumbers.parse(typed, None)
        except NumberParseException:
            digits = re.sub(r"\D", "", typed)
            if len(digits) >= _SHORTEST_PHONE:
                # Without its country nothing is known but the digits. A trunk prefix may come or go.
                yield digits, _spelt(digits.lstrip("0"), ""), None
            continue
        national = phonenumbers.national_significant_number(number)
        if len(national) >= _SHORTEST_PHONE:
            e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
            region = phonenumbers.region_code_for_number(number)
            yield e164, _spelt(national, str(number.country_code)), region if region and region.isalpha() else None


def _spelt(digits: str, country: str) -> re.Pattern[str]:
    spaced, code = _BETWEEN_DIGITS.join(digits), _BETWEEN_DIGITS.join(country)
    abroad = rf"(?:\(?(?:\+|00){_BETWEEN_DIGITS})?{code}{_BETWEEN_DIGITS}" if country else r"\(?(?:\+|00)"
    return re.compile(rf"(?<!\d)(?:{abroad})?(?:\(?0\)?{_BETWEEN_DIGITS})?\(?{spaced}(?!\d)")


def _said_aloud(email: str) -> re.Pattern[str]:
    """Return what finds an address that is written in words: `priya (at) example dot com`."""
    local, _, domain = email.rpartition("@")
    at = r"\s*(?:@|[\[(<]?\s*at\s*[\])>]?)\s*"
    dot = r"\s*(?:\.|[\[(<]?\s*dot\s*[\])>]?)\s*"
    written = (dot.join(map(re.escape, name.split("."))) for name in (local, domain))
    return re.compile(rf"(?<!\w){at.join(written)}(?!\w)")


def _pieces(kind: Kind, text: str) -> Iterator[str]:
    """Return an identifier as it is; of an address also its lines with a number, as `Flat 12B` of `Flat 12B, Worli`."""
    yield plain(text)
    if kind is Kind.ADDRESS:
        lines = re.split(r"[,;\n]", plain(text))
        yield from (line for line in lines if re.search(r"\d", line) and len(_letters(line)) >= _SHORTEST_PHONE)


def _spaced(text: str) -> str:
    """Return what finds a text with any signs between its words, and between its letters and digits."""
    return _BETWEEN.join(re.escape(piece) for piece in re.findall(r"[^\W\d_]+|\d+", text)) or r"(?!)"


def _letters(text: str) -> str:
    return "".join(words(text))


def _either(patterns: Iterable[str]) -> str:
    """Return one pattern for all of these; the longest is tried first."""
    return "|".join(sorted(patterns, key=lambda pattern: (-len(pattern), pattern)))
