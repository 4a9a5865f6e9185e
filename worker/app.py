"""The Celery app. This module, and no other of this package, builds something when it is imported."""

from __future__ import annotations

from config.settings import load_settings
from worker.build import build

app = build(load_settings())
