"""The corpus: trading days made up from a seed, with every kind of break planted and the truth written beside."""

from __future__ import annotations

from bench.corpus import answered, books, clean, doubled, gateway, heard, instants, mutations, repairs
from bench.corpus.registry import CLEAN, PLANTS, Plant, of_kind, plant

#: The modules that plant; a further one is added to this list.
PLANTERS = (answered, books, clean, doubled, gateway, heard, instants, mutations, repairs)

__all__ = ["CLEAN", "PLANTERS", "PLANTS", "Plant", "of_kind", "plant"]
