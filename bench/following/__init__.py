"""Following measured: a day of withheld webhooks, the limit, and a far side that is down."""
