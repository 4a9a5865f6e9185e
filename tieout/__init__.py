"""The use cases: settle an event, follow a transaction, reconcile a scope, replay."""
