"""JSON-over-socket bots: clients of the protocol like any other, for soak tests and rehearsals."""
