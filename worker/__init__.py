"""The worker: the Celery application, thin tasks, the schedule."""
