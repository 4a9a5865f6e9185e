"""The corpus: trading days made up from a seed, with every kind of break planted and the truth written beside."""

from __future__ import annotations

from bench.corpus import books, clean, gateway, heard, instants, mutations
from bench.corpus.registry import CLEAN, PLANTS, Plant, of_kind, plant

__all__ = [
    "CLEAN",
    "PLANTS",
    "Plant",
    "books",
    "clean",
    "gateway",
    "heard",
    "instants",
    "mutations",
    "of_kind",
    "plant",
]
