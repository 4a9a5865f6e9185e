"""Under all: schema, migrations, queries, transactions."""
