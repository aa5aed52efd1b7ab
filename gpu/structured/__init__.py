"""Structured answers: a prompt is sent, and what comes back is read, checked, asked for once more, or refused."""

from gpu.structured.asking import PromptedAnswers

__all__ = ["PromptedAnswers"]
