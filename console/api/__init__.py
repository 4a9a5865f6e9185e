"""The private API for the company's backend: JSON in, JSON out, every call with a key."""
