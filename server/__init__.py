"""I/O at the rim: the aiohttp application, PostgreSQL, Redis, payments, settings, commands."""
