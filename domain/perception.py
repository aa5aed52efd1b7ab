"""Quality-of-dialogue scores, and the consents that measuring them needs."""

from enum import Enum


class QdKind(Enum):
    """LIVE while a session runs, SESSION its final score, PROFILE from CRM signals."""

    LIVE = "LIVE"
    SESSION = "SESSION"
    PROFILE = "PROFILE"


class QdSource(Enum):
    """Who computed a score. Series never mix sources."""

    RULES = "RULES"
    MODEL = "MODEL"
    IMPORTED = "IMPORTED"


class ConsentPurpose(Enum):
    """What a consent allows."""

    SHOWROOM_ENGAGEMENT = "SHOWROOM_ENGAGEMENT"
    MARKETING = "MARKETING"
    RECORDING = "RECORDING"


class Modality(Enum):
    """What a consent allows to be measured."""

    FACE = "FACE"
    VOICE = "VOICE"
    CCTV = "CCTV"


class ConsentStatus(Enum):
    """Whether a consent holds. Derived from its times, never stored."""

    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"


class SubjectKind(Enum):
    """Who gave a consent."""

    PERSON = "PERSON"
    VISITOR = "VISITOR"
    AGENT = "AGENT"
