"""The inbox: what has arrived and is not yet done."""
