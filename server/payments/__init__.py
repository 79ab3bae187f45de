"""Money: the port to a provider, the providers behind it, and the worker that asks them."""
