"""What msgspec says of a value that does not fit, as a sentence for a person."""

import re

import msgspec

_WHERE = re.compile(r" - at `(?:key in )?\$\.?(.*)`$")
_MISSING = re.compile(r"Object missing required field `([^`]+)`")
_WRONG_TYPE = re.compile(r"Expected `(.+?)`, got `(.+?)`")
_BOUND = re.compile(r"Expected `(\w+)`(?: of length)? (>=|<=) (\S+)")
_WORD = re.compile(r"Invalid enum value '?(.*?)'?$")
_PATTERN = re.compile(r"Expected `str` matching regex")
_NAMES = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "uuid": "an id",
}


def sentence_of(error: msgspec.ValidationError, whole: str = "The body") -> str:
    """The fault and where it is: "page must be at least 1". `whole` is what has the fault when no field does."""
    text = str(error)
    where = _WHERE.search(text)
    field = (where[1] if where else "") or whole
    if missing := _MISSING.match(text):
        inside = where[1] if where else ""
        return f"{inside}.{missing[1]} is required" if inside else f"{missing[1]} is required"
    if wrong := _WRONG_TYPE.match(text):
        wanted = " or ".join(_NAMES.get(name, name) for name in wrong[1].split(" | "))
        return f"{field} must be {wanted}, not {_NAMES.get(wrong[2], wrong[2])}"
    if bound := _BOUND.match(text):
        limit = "at least" if bound[2] == ">=" else "at most"
        unit = {"str": " characters", "array": " of them"}.get(bound[1], "")
        return f"{field} must be {'' if not unit else 'of '}{limit} {bound[3]}{unit}"
    if _WORD.match(text):
        return f"{field} has a value that it cannot have"
    if _PATTERN.match(text):
        return f"{field} is not of the form that it must have"
    return f"{field} cannot be understood"
