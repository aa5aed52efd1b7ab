"""Whose details a merged person has."""

from uuid import UUID

from domain.people import ContactType
from domain.people.emails import Email
from domain.people.merge import completed
from domain.people.phones import Phone
from domain.people.records import Person

PHONE, OTHER_PHONE = Phone("+971501234567", "AE", "050 123 4567"), Phone("+971501234568", "AE", "050 123 4568")
EMAIL = Email("Sara@example.com", "sara@example.com")


def test_what_the_survivor_has_stays() -> None:
    survivor = Person(UUID(int=1), "Sara Khan", phone=PHONE, city="Dubai", contact_type=ContactType.BUYER)
    absorbed = Person(UUID(int=2), "S Khan", phone=OTHER_PHONE, city="Pune", contact_type=ContactType.SELLER)

    assert completed(survivor, [absorbed]) == survivor


def test_what_the_survivor_lacks_comes_from_the_first_who_has_it() -> None:
    first = Person(UUID(int=2), "S Khan", phone=PHONE)
    second = Person(UUID(int=3), "S K", phone=OTHER_PHONE, email=EMAIL, city="Pune", household_id=UUID(int=9))

    assert completed(Person(UUID(int=1), "Sara Khan"), [first, second]) == Person(
        UUID(int=1), "Sara Khan", phone=PHONE, email=EMAIL, city="Pune", household_id=UUID(int=9)
    )
