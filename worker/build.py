"""How the worker's Celery app is made, and why each setting is what it is."""

from __future__ import annotations

import logging

from celery import Celery, signals

from config.broker import celery_app, shared_options
from config.logs import configure_logging
from config.settings import Settings, SettingsError
from worker import life, process, tasks
from worker.schedule import schedule

CHATTY = ("celery.app.trace", "celery.worker.strategy", "celery.beat")  #: a line for every message
SOFT_SHUTDOWN_S = 5  #: Celery waits all of it if a task runs; pool processes stop after the unit under way


def build(settings: Settings) -> Celery:
    """The app of worker and beat. Raises `SettingsError`."""
    if settings.broker_url is None or settings.database_url is None:
        raise SettingsError("a worker by itself needs TIEOUT_DATABASE_URL and TIEOUT_BROKER_URL; `tieout up` sets both")
    app = celery_app("tieout.worker", settings.broker_url.get_secret_value(), **_settings(settings))
    app.set_current()
    tasks.register(app)
    _connect_signals(settings)
    return app


def _settings(settings: Settings) -> dict[str, object]:
    return {
        "broker_transport_options": {
            **shared_options(),
            "unacked_restore_interval": 5,  # what a killed worker held comes back without a long wait
            "unacked_restore_throttle": 1,
            "health_check_interval": 25,
            "socket_keepalive": True,
            "socket_connect_timeout": 5,
            "socket_timeout": 30,
            "deadletter_queue": "unroutable",
        },
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "task_acks_late": True,  # a worker that dies leaves its message to another
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "task_time_limit": settings.task_limit_s,  # shorter than the lease: nobody works without a claim
        "worker_soft_shutdown_timeout": SOFT_SHUTDOWN_S,
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # the fence makes a second run harmless
        "worker_enable_remote_control": False,  # its reply queues leak; signs of life are rows instead
        "worker_send_task_events": False,
        "worker_concurrency": settings.worker_processes,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_max_tasks_per_child": 5000,
        "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0, "interval_max": 0.2},
        "beat_scheduler": "worker.schedule:LivingScheduler",
        "beat_max_loop_interval": 1,
        "beat_schedule": schedule(settings),
        "tieout_settings": settings,
    }


def _connect_signals(settings: Settings) -> None:
    """Each pool process makes its own connections; the main process shows that it lives, and sweeps."""

    def begin(**_: object) -> None:
        process.begin(settings)

    def end(**_: object) -> None:
        process.end()

    def live(**_: object) -> None:
        life.begin(settings)

    def die(**_: object) -> None:
        process.stop_all()
        life.end()

    def log(**_: object) -> None:
        configure_logging(settings)
        for name in CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)

    signals.setup_logging.connect(log, weak=False)
    signals.worker_process_init.connect(begin, weak=False)
    signals.worker_process_shutdown.connect(end, weak=False)
    signals.worker_ready.connect(live, weak=False)
    signals.worker_shutting_down.connect(die, weak=False)
