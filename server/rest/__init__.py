"""The REST interface: thin handlers that read a request, ask a part of the server, and shape the answer."""
