"""The independent verifier of a closed day.

It imports nothing of the service, only the standard library and psycopg, reads the database by itself,
and says yes, or names the rows that differ. docs/proof.md says what it recomputes and what it takes as stored.
"""
