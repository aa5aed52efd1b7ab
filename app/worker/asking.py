"""The handlers that ask a model about what the tenant has on file."""

from __future__ import annotations

from app.settings import Settings
from app.worker.handlers import Handlers
from domain.asking import Asking
from domain.jobs import InferenceTask, JobKind, Work
from domain.perception import QdRefiner
from domain.proposals import LeadTagger


def asking_handlers(settings: Settings, asking: Asking) -> Handlers:
    """Return what tags leads and refines sessions."""
    return {
        Work(JobKind.INFERENCE, InferenceTask.LEAD_TAGGER): LeadTagger(asking, settings.tags_at_once),
        Work(JobKind.INFERENCE, InferenceTask.QD_CALCULATOR): QdRefiner(asking),
    }
