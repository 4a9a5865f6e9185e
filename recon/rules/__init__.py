"""The rules: small pure functions, each named after what it finds, by subject."""
