"""Answers of the far side, mutated: nothing they say may crash a worker or be booked wrongly."""
