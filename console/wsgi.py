"""The console for a WSGI server: `granian --interface wsgi console.wsgi:app --host 127.0.0.1`.

The only module here that builds anything at import.
"""

from __future__ import annotations

from config.logs import configure_logging
from config.serving import end_with_parent
from config.settings import SettingsError, load_settings
from console.app import app_from

settings = load_settings()
if settings.database_url is None or settings.broker_url is None:
    raise SettingsError(
        "the console under a WSGI server needs TIEOUT_DATABASE_URL and TIEOUT_BROKER_URL;"
        " for the embedded servers start it with: python -m console"
    )
configure_logging(settings)
app = app_from(
    settings,
    database_url=settings.database_url.get_secret_value(),
    broker_url=settings.broker_url.get_secret_value(),
)
end_with_parent()
