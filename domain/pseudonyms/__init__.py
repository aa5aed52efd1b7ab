"""Pseudonyms: tokens that stand for people, phones, e-mails and addresses in what is sent to a hosted model."""

from domain.pseudonyms.hiding import Pseudonymiser, tokens_in
from domain.pseudonyms.spellings import telling_parts

__all__ = ["Pseudonymiser", "telling_parts", "tokens_in"]
