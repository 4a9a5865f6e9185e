"""The edge: verify, save, announce, answer."""
