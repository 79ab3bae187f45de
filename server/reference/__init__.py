"""The written reference of the socket protocol, made from `protocol/`: `python -m server.reference`."""
