"""The Gateway: wire formats, tokens, the HTTP client. Importing the package imports nothing."""
