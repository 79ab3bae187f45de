"""The language on every arrow: the words of the socket, their limits and codes. No I/O, no clock."""
