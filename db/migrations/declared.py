"""The MetaData with every noun's tables in it. A noun that is not imported here has no tables."""

from db import opportunities, proposals, tasks
from db.access import tables as access
from db.assets import tables as assets
from db.audit import tables as audit
from db.events import tables as events
from db.interactions import tables as interactions
from db.leads import tables as leads
from db.people import tables as people
from db.perception import tables as perception
from db.properties import tables as properties
from db.tables import metadata
from db.threads import tables as threads

NOUNS = (
    access,
    assets,
    audit,
    events,
    interactions,
    leads,
    opportunities,
    people,
    perception,
    properties,
    proposals,
    tasks,
    threads,
)

__all__ = ["NOUNS", "metadata"]
