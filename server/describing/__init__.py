"""The REST interface, described for programs and for people."""
