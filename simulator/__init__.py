"""The Gateway's stand-in: a process of its own that plays one trading day over HTTP.

It shares no code with the service: what both sides must agree on is written here a second time,
from the protocol, so that a mistake in one of them shows.
"""
