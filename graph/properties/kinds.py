"""The enums of properties, each member described."""

from __future__ import annotations

from domain.properties import (
    AreaUnit,
    DevelopmentStatus,
    MediaCategory,
    PropertySubType,
    PropertyType,
    StandardStatus,
)
from graph.enums import described

described(
    StandardStatus,
    "RESO StandardStatus: where a listing stands.",
    ACTIVE="On the market.",
    ACTIVE_UNDER_CONTRACT="An offer was accepted; others are still taken.",
    CANCELED="The listing agreement was cancelled.",
    CLOSED="Sold. Final.",
    COMING_SOON="Will be on the market.",
    DELETE="The listing was made in error. Final.",
    EXPIRED="The listing agreement ran out.",
    HOLD="Off the market for a while.",
    INCOMPLETE="Not all that a listing needs is known.",
    PENDING="An offer was accepted; others are no longer taken.",
    WITHDRAWN="Taken off the market; the agreement still runs.",
)
described(
    PropertyType,
    "RESO PropertyType: what is for sale or to let.",
    BUSINESS_OPPORTUNITY="A business.",
    COMMERCIAL_LEASE="Commercial space to let.",
    COMMERCIAL_SALE="Commercial space for sale.",
    FARM="A farm.",
    LAND="Land.",
    MANUFACTURED_IN_PARK="A manufactured home in a park.",
    RESIDENTIAL="A home for sale.",
    RESIDENTIAL_INCOME="A home that is let and for sale.",
    RESIDENTIAL_LEASE="A home to let.",
)
described(
    PropertySubType,
    "RESO PropertySubType, and VILLA, which the Gulf needs.",
    APARTMENT="A flat.",
    CONDOMINIUM="A flat that is owned by itself.",
    DUPLEX="A home on two floors.",
    SINGLE_FAMILY_RESIDENCE="A house for one family.",
    TOWNHOUSE="A house in a row.",
    VILLA="A house on its own plot. Ours.",
    OFFICE="An office.",
    RETAIL="A shop.",
    WAREHOUSE="A warehouse.",
    MIXED_USE="Several uses in one.",
    UNIMPROVED_LAND="Land without buildings.",
)
described(AreaUnit, "RESO AreaUnits.", SQUARE_FEET="Square feet.", SQUARE_METERS="Square metres.")
described(
    DevelopmentStatus,
    "RESO DevelopmentStatus: how far it is built.",
    PROPOSED="Planned.",
    UNDER_CONSTRUCTION="Being built.",
    COMPLETED="Built.",
)
described(
    MediaCategory,
    "RESO MediaCategory: what a file shows.",
    PHOTO="A picture.",
    FLOOR_PLAN="A floor plan.",
    VIDEO="A video.",
    BRANDED_VIRTUAL_TOUR="A virtual tour that names the broker.",
    UNBRANDED_VIRTUAL_TOUR="A virtual tour that names nobody.",
    DOCUMENT="A document, such as a brochure.",
)
