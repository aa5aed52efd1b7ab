"""The words that people are described with."""

from enum import Enum


class ContactType(Enum):
    """What somebody is to the business."""

    BUYER = "BUYER"
    SELLER = "SELLER"
    INVESTOR = "INVESTOR"
    LANDLORD = "LANDLORD"
    TENANT = "TENANT"
    BROKER = "BROKER"
    DEVELOPER = "DEVELOPER"
    OTHER = "OTHER"


class RelationshipKind(Enum):
    """What the other person is to this one."""

    SPOUSE = "SPOUSE"
    PARENT = "PARENT"
    CHILD = "CHILD"
    SIBLING = "SIBLING"
    COLLEAGUE = "COLLEAGUE"
    ADVISER = "ADVISER"
    REFERRER = "REFERRER"
    OTHER = "OTHER"


class AccountKind(Enum):
    """What kind of body a person belongs to."""

    COMPANY = "COMPANY"
    FAMILY_OFFICE = "FAMILY_OFFICE"
    TRUST = "TRUST"
    OTHER = "OTHER"


class NextBestActionKind(Enum):
    """What to do next for a person."""

    CALL = "CALL"
    MESSAGE = "MESSAGE"
    VISIT = "VISIT"
    REVIEW = "REVIEW"


class FactKind(Enum):
    """What a fact about a person is about."""

    BUDGET = "BUDGET"
    OBJECTION = "OBJECTION"
    TIMELINE = "TIMELINE"
    PREFERENCE = "PREFERENCE"


class FactSource(Enum):
    """Who says that a fact is so."""

    MODEL = "MODEL"
    PERSON = "PERSON"
    IMPORTED = "IMPORTED"


class DuplicateEvidence(Enum):
    """Why two people may be one."""

    PHONE = "PHONE"
    EMAIL = "EMAIL"
    NAME = "NAME"


class RecordKind(Enum):
    """What a merge moves from one person to another."""

    LEAD = "LEAD"
    OPPORTUNITY = "OPPORTUNITY"
    PROPERTY_INTEREST = "PROPERTY_INTEREST"
    INTERACTION = "INTERACTION"
    FACT = "FACT"
    TASK = "TASK"
    THREAD = "THREAD"
    CONSENT = "CONSENT"
    RELATIONSHIP = "RELATIONSHIP"
    QD_SCORE = "QD_SCORE"
