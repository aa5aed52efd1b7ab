"""What properties and their media are told apart by, in the names of the RESO Data Dictionary 2.0."""

from dataclasses import dataclass
from enum import Enum


class StandardStatus(Enum):
    """RESO StandardStatus."""

    ACTIVE = "ACTIVE"
    ACTIVE_UNDER_CONTRACT = "ACTIVE_UNDER_CONTRACT"
    CANCELED = "CANCELED"
    CLOSED = "CLOSED"
    COMING_SOON = "COMING_SOON"
    DELETE = "DELETE"
    EXPIRED = "EXPIRED"
    HOLD = "HOLD"
    INCOMPLETE = "INCOMPLETE"
    PENDING = "PENDING"
    WITHDRAWN = "WITHDRAWN"


class PropertyType(Enum):
    """RESO PropertyType."""

    BUSINESS_OPPORTUNITY = "BUSINESS_OPPORTUNITY"
    COMMERCIAL_LEASE = "COMMERCIAL_LEASE"
    COMMERCIAL_SALE = "COMMERCIAL_SALE"
    FARM = "FARM"
    LAND = "LAND"
    MANUFACTURED_IN_PARK = "MANUFACTURED_IN_PARK"
    RESIDENTIAL = "RESIDENTIAL"
    RESIDENTIAL_INCOME = "RESIDENTIAL_INCOME"
    RESIDENTIAL_LEASE = "RESIDENTIAL_LEASE"


class PropertySubType(Enum):
    """RESO PropertySubType, and VILLA, which the Gulf needs."""

    APARTMENT = "APARTMENT"
    CONDOMINIUM = "CONDOMINIUM"
    DUPLEX = "DUPLEX"
    SINGLE_FAMILY_RESIDENCE = "SINGLE_FAMILY_RESIDENCE"
    TOWNHOUSE = "TOWNHOUSE"
    VILLA = "VILLA"
    OFFICE = "OFFICE"
    RETAIL = "RETAIL"
    WAREHOUSE = "WAREHOUSE"
    MIXED_USE = "MIXED_USE"
    UNIMPROVED_LAND = "UNIMPROVED_LAND"


class AreaUnit(Enum):
    """RESO AreaUnits."""

    SQUARE_FEET = "SQUARE_FEET"
    SQUARE_METERS = "SQUARE_METERS"


class DevelopmentStatus(Enum):
    """RESO DevelopmentStatus."""

    PROPOSED = "PROPOSED"
    UNDER_CONSTRUCTION = "UNDER_CONSTRUCTION"
    COMPLETED = "COMPLETED"


class MediaCategory(Enum):
    """RESO MediaCategory."""

    PHOTO = "PHOTO"
    FLOOR_PLAN = "FLOOR_PLAN"
    VIDEO = "VIDEO"
    BRANDED_VIRTUAL_TOUR = "BRANDED_VIRTUAL_TOUR"
    UNBRANDED_VIRTUAL_TOUR = "UNBRANDED_VIRTUAL_TOUR"
    DOCUMENT = "DOCUMENT"


@dataclass(frozen=True, slots=True)
class Area:
    """A size with its unit."""

    value: float
    unit: AreaUnit
