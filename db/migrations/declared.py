"""The MetaData with every noun's tables in it. A noun that is not imported here has no tables."""

from db import notifications, opportunities, proposals, renders, tasks, videos
from db.access import tables as access
from db.assets import tables as assets
from db.audit import tables as audit
from db.canvases import tables as canvases
from db.cctv import tables as cctv
from db.events import tables as events
from db.fleet import tables as fleet
from db.inference import tables as inference
from db.interactions import tables as interactions
from db.jobs import tables as jobs
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
    canvases,
    cctv,
    events,
    inference,
    fleet,
    interactions,
    jobs,
    leads,
    notifications,
    opportunities,
    people,
    perception,
    properties,
    proposals,
    renders,
    tasks,
    threads,
    videos,
)

__all__ = ["NOUNS", "metadata"]
