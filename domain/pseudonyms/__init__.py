"""Pseudonyms: tokens that stand for people, phones, e-mails and addresses in what is sent to a hosted model."""

from domain.pseudonyms.hiding import Pseudonymiser, tokens_in

__all__ = ["Pseudonymiser", "tokens_in"]
