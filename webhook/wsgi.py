"""The edge's WSGI app, built at import: the only module here that does anything when imported."""

from __future__ import annotations

import atexit

from config.logs import configure_logging
from config.serving import end_with_parent, tune
from config.settings import SettingsError, load_settings
from webhook.build import build
from webhook.metrics import serve
from webhook.patience import watch

_settings = load_settings()
if _settings.database_url is None or _settings.broker_url is None:
    raise SettingsError("TIEOUT_DATABASE_URL and TIEOUT_BROKER_URL are not set: set them, or run python -m webhook")

configure_logging(_settings)
built = build(
    _settings,
    database_url=_settings.database_url.get_secret_value(),
    broker_url=_settings.broker_url.get_secret_value(),
)
app = built.app
if _settings.edge_metrics_port is not None:
    serve(built, first_port=_settings.edge_metrics_port, ports=_settings.edge_processes)
watch(
    _settings.edge_port,
    limit_s=_settings.edge_read_s + _settings.commit_wait_s,
    at_once=_settings.edge_threads,
)
atexit.register(built.close)
end_with_parent()
tune()
