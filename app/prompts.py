"""The prompts of one process: read and checked before anything is served, and told of by `velocity prompts check`."""

from __future__ import annotations

from app.failures import CannotContinue
from app.settings import Settings
from prompts.loading import SHIPPED, Prompt, Prompts, PromptsAreFaulty, load_prompts, read_prompts


def loaded_prompts(settings: Settings) -> Prompts:
    """Return every prompt; raises CannotContinue with all that is wrong with any."""
    try:
        return load_prompts(settings.prompts_dir)
    except PromptsAreFaulty as error:
        raise CannotContinue(f"The prompts cannot be used. {error}") from error


def check(settings: Settings) -> tuple[list[str], tuple[str, ...]]:
    """Return a line for each prompt that can be used, and the faults of the others."""
    prompts, faults = read_prompts(settings.prompts_dir)
    width = max((len(task.name) for task in prompts), default=0)
    lines = [
        f"{task.name:<{width}}  version {prompt.version}, {prompt.hash[:12]}, {_origin(prompt)}"
        for task, prompt in prompts.items()
    ]
    return lines, faults


def is_shipped(prompt: Prompt) -> bool:
    """Whether a prompt is the one of this release."""
    return prompt.path.parent == SHIPPED


def _origin(prompt: Prompt) -> str:
    return "of this release" if is_shipped(prompt) else str(prompt.path)
