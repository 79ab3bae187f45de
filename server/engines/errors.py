"""What can go wrong with the embedded engines.

EngineError
└── DataDirInUse
"""


class EngineError(Exception):
    """An engine cannot be started or kept; the text tells the operator what to do."""


class DataDirInUse(EngineError):
    """Another live server has this data directory."""
