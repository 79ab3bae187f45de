"""Does what a server answers fit its OpenAPI document?"""

from typing import Any

from jsonschema_rs import Draft202012Validator

Json = dict[str, Any]


def described_operations(document: Json) -> list[tuple[str, str, Json]]:
    """Method, path and description of every operation."""
    return [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def faults(document: Json, schema: Json, value: Any, *, is_closed: bool = False) -> list[str]:
    """What is wrong with a value; closed: a field that is not described is wrong, too."""
    whole = {"components": document["components"], **schema}
    validator = Draft202012Validator(_closed(whole) if is_closed else whole, validate_formats=True)
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in validator.iter_errors(value)]


def refusal_codes(document: Json) -> set[str]:
    """Every code of every refusal."""
    return {
        code
        for _, _, operation in described_operations(document)
        for status in operation["responses"]
        for code in codes_of(operation, status)
    }


def codes_of(operation: Json, status: str) -> list[str]:
    """The codes with which an operation is refused with this status."""
    content = operation["responses"].get(status, {}).get("content", {}).get("application/json", {})
    codes: list[str] = [
        code
        for part in content.get("schema", {}).get("allOf", [])
        for code in part.get("properties", {}).get("code", {}).get("enum", [])
    ]
    return codes


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _closed(part) for name, part in schema.items()}
    if found.get("type") == "object" and "properties" in found:
        found.setdefault("additionalProperties", False)
    return found
