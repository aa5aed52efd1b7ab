"""The rules of properties: which status follows which, and which values no property has."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from domain.errors import Invalid
from domain.properties import (
    Area,
    AreaUnit,
    PropertyCreate,
    PropertyType,
    PropertyUpdate,
    StandardStatus,
    StatusNotAllowed,
    check_details,
    check_status,
)
from domain.values import Money

PRICE = Money(Decimal("2000000.00"), "AED")
NEW = PropertyCreate(listing_key="K-1", list_price=PRICE, property_type=PropertyType.RESIDENTIAL)
SIZE = Area(120.5, AreaUnit.SQUARE_METERS)

ALLOWED = {
    "ACTIVE": "ACTIVE ACTIVE_UNDER_CONTRACT CANCELED CLOSED DELETE EXPIRED HOLD PENDING WITHDRAWN",
    "ACTIVE_UNDER_CONTRACT": "ACTIVE ACTIVE_UNDER_CONTRACT CANCELED CLOSED DELETE EXPIRED HOLD PENDING WITHDRAWN",
    "PENDING": "ACTIVE ACTIVE_UNDER_CONTRACT CANCELED CLOSED DELETE EXPIRED HOLD PENDING WITHDRAWN",
    "CANCELED": "ACTIVE CANCELED COMING_SOON DELETE EXPIRED HOLD INCOMPLETE WITHDRAWN",
    "COMING_SOON": "ACTIVE CANCELED COMING_SOON DELETE EXPIRED HOLD INCOMPLETE WITHDRAWN",
    "EXPIRED": "ACTIVE CANCELED COMING_SOON DELETE EXPIRED HOLD INCOMPLETE WITHDRAWN",
    "HOLD": "ACTIVE CANCELED COMING_SOON DELETE EXPIRED HOLD INCOMPLETE WITHDRAWN",
    "INCOMPLETE": "ACTIVE CANCELED COMING_SOON DELETE EXPIRED HOLD INCOMPLETE WITHDRAWN",
    "WITHDRAWN": "ACTIVE CANCELED COMING_SOON DELETE EXPIRED HOLD INCOMPLETE WITHDRAWN",
    "CLOSED": "CLOSED",
    "DELETE": "DELETE",
}


@pytest.mark.parametrize("status", StandardStatus, ids=lambda status: status.name)
def test_which_status_follows_which(status: StandardStatus) -> None:
    refused = {wanted.name for wanted in StandardStatus} - set(ALLOWED[status.name].split())

    for name in ALLOWED[status.name].split():
        check_status(status, StandardStatus[name])
    for name in refused:
        with pytest.raises(StatusNotAllowed) as refusal:
            check_status(status, StandardStatus[name])
        assert refusal.value.field == "standardStatus"


def test_a_refused_status_says_why() -> None:
    with pytest.raises(StatusNotAllowed, match=r"^CLOSED is final: list it again as a new property\.$"):
        check_status(StandardStatus.CLOSED, StandardStatus.ACTIVE)
    with pytest.raises(StatusNotAllowed, match=r"^PENDING follows ACTIVE, not HOLD\.$"):
        check_status(StandardStatus.HOLD, StandardStatus.PENDING)
    with pytest.raises(StatusNotAllowed, match=r"^ACTIVE has been offered: it is not COMING_SOON\.$"):
        check_status(StandardStatus.ACTIVE, StandardStatus.COMING_SOON)


@pytest.mark.parametrize(
    "command",
    [
        NEW,
        replace(NEW, latitude=-90.0, longitude=180.0, year_built=1000, country="AE", bedrooms_total=0),
        replace(NEW, latitude=None, country=None, living_area=None, carpet_area=None),
        replace(NEW, living_area=SIZE, carpet_area=99.0),
        PropertyUpdate(property_id=UUID(int=1)),
    ],
)
def test_good_values_pass(command: PropertyCreate | PropertyUpdate) -> None:
    check_details(command, SIZE)


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (replace(NEW, listing_key=" "), "listingKey"),
        (replace(NEW, bedrooms_total=-1), "bedroomsTotal"),
        (replace(NEW, bathrooms_total_integer=1001), "bathroomsTotalInteger"),
        (replace(NEW, year_built=999), "yearBuilt"),
        (replace(NEW, latitude=90.1), "latitude"),
        (replace(NEW, latitude=float("nan")), "latitude"),
        (replace(NEW, longitude=-180.1), "longitude"),
        (replace(NEW, country="ae"), "country"),
        (replace(NEW, country="A\n"), "country"),
        (replace(NEW, off_plan=None), "offPlan"),
        (replace(NEW, living_area=Area(-1.0, AreaUnit.SQUARE_FEET)), "livingArea.value"),
        (replace(NEW, living_area=Area(float("inf"), AreaUnit.SQUARE_FEET)), "livingArea.value"),
        (replace(NEW, carpet_area=10_000_001.0), "carpetArea"),
        (PropertyUpdate(property_id=UUID(int=1), list_price=None), "listPrice"),
        (PropertyUpdate(property_id=UUID(int=1), property_type=None), "propertyType"),
        (PropertyUpdate(property_id=UUID(int=1), standard_status=None), "standardStatus"),
    ],
)
def test_an_impossible_value_is_named(command: PropertyCreate | PropertyUpdate, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_details(command, SIZE)

    assert [issue.field for issue in refusal.value.issues] == [field]


def test_every_issue_is_told_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        check_details(replace(NEW, listing_key="", latitude=91.0, country="India"), SIZE)

    assert [issue.field for issue in refusal.value.issues] == ["listingKey", "latitude", "country"]


def test_a_carpet_area_needs_the_unit_of_a_living_area() -> None:
    with pytest.raises(Invalid) as refusal:
        check_details(replace(NEW, carpet_area=99.0), None)

    assert refusal.value.field == "carpetArea"
