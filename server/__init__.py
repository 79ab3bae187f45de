"""I/O at the rim: the aiohttp application, PostgreSQL, Redis, payments, settings, commands."""

VERSION = "0.1.0"
"""That of pyproject.toml, said once more: the server also runs where it is not installed as a package."""
