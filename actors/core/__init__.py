"""The pure core: rules as functions over plain data. No I/O, no clock, no randomness, no async."""
