"""A million lines on each side, and what judging them costs."""
