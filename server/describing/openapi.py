"""The OpenAPI 3.1 document of the contract, made of the operations' declarations."""

import json
import re
import shlex
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec

from server import VERSION
from server.describing.examples import REF, Json, body_example, data_example, example_of, explained, word, words
from server.describing.refusals import refusals_of
from server.rest.operations import Operation, Who

NO_WORDS = "…"
"""Where `words.json` says nothing yet."""

_SESSION_HEADER = "X-Session-Id"
_HAVE_RETRY_AFTER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_IN_PATH = re.compile(r"\{(\w+)\}")
_FIRST_SENTENCE = re.compile(r"(.+?)\.(?:\s+|$)(.*)", re.DOTALL)


def document(operations: Iterable[Operation]) -> Json:
    """The document about these operations."""
    described = list(operations)
    shapes = _Shapes(described)
    paths: dict[str, Json] = {}
    for one in described:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, shapes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Usher",
            "version": VERSION,
            "description": "\n\n".join(words().about),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This server"}],
        "tags": [
            {"name": tag, "description": words().tags.get(tag, NO_WORDS)}
            for tag in dict.fromkeys(o.tag for o in described)
        ],
        "paths": paths,
        "components": {
            "schemas": {"Failure": _failure()} | shapes.of_bodies,
            "securitySchemes": _security_schemes(),
        },
    }


class _Shapes:
    """The schemas of all types that these operations use."""

    def __init__(self, operations: list[Operation]) -> None:
        inline = {one for o in operations for one in (o.query, o.beside) if one is not None}
        others = {one for o in operations for one in (o.body, o.data) if one is not None}
        types = [*inline, *others]
        found, components = msgspec.json.schema_components(types, ref_template=REF + "{name}")
        self._of = dict(zip(types, found, strict=True))
        self.by_name = explained(components)
        self.of_bodies = dict(self.by_name)
        for one in inline - others:
            del self.of_bodies[self._of[one]["$ref"].removeprefix(REF)]

    def of(self, kind: Any) -> Json:
        """The schema of a type: often one that refers to a shape."""
        return self._of[kind]

    def whole(self, kind: type[msgspec.Struct]) -> Json:
        """The shape itself."""
        return self.by_name[self.of(kind)["$ref"].removeprefix(REF)]

    def example(self, kind: Any) -> Any:
        """An example of a type."""
        return example_of(self.of(kind), self.by_name)


def _operation(operation: Operation, shapes: _Shapes) -> Json:
    summary, details = _words_of(operation)
    made: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": summary,
        "description": details,
        "x-who": operation.who.value,
        "parameters": [*_path_parameters(operation), *_query_parameters(operation, shapes), *_headers(operation)],
        "requestBody": _body(operation, shapes) if operation.body is not None else None,
        "responses": _responses(operation, shapes),
        "security": [{"cookie": []}, {"header": []}] if operation.who is not Who.ANYBODY else None,
        "x-codeSamples": [{"lang": "Shell", "label": "curl", "source": _curl(operation, shapes)}],
    }
    return {name: value for name, value in made.items() if value}


def _words_of(operation: Operation) -> tuple[str, str]:
    """The first sentence of the docstring, and the others."""
    text = " ".join((operation.handler.__doc__ or "").split())
    found = _FIRST_SENTENCE.fullmatch(text)
    return (found[1], found[2]) if found is not None else (text, "")


def _path_parameters(operation: Operation) -> list[Json]:
    return [_path_parameter(name) for name in _IN_PATH.findall(operation.path)]


def _path_parameter(name: str) -> Json:
    said = word(name)
    schema = {"type": "string", "format": "uuid"} if name.endswith("_id") else {"type": "string"}
    made = {"name": name, "in": "path", "required": True, "description": said.means or "", "schema": schema}
    return made if said.example is msgspec.UNSET else made | {"example": said.example}


def _query_parameters(operation: Operation, shapes: _Shapes) -> list[Json]:
    if operation.query is None:
        return []
    shape = shapes.whole(operation.query)
    return [_query_parameter(name, schema, shape) for name, schema in shape["properties"].items()]


def _query_parameter(name: str, schema: Json, shape: Json) -> Json:
    """A parameter that may be left out has no value then, which is not the value `null`."""
    plain = {key: value for key, value in schema.items() if key not in ("description", "examples")}
    if plain.get("default", ...) is None:
        del plain["default"]
        kinds = [one for one in plain.pop("anyOf") if one.get("type") != "null"]
        plain |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    made = {"name": name, "in": "query", "required": name in shape["required"], "schema": plain}
    if not made["required"] and "default" not in schema:
        made["allowEmptyValue"] = True  # as if it were left out
    made["description"] = schema.get("description", "")
    return made | ({"example": schema["examples"][0]} if "examples" in schema else {})


def _headers(operation: Operation) -> list[Json]:
    return [
        {"name": name, "in": "header", "required": False, "description": means, "schema": {"type": "string"}}
        | ({} if word(name).example is msgspec.UNSET else {"example": word(name).example})
        for name, means in operation.headers.items()
    ]


def _body(operation: Operation, shapes: _Shapes) -> Json:
    content = {"schema": shapes.of(operation.body), "example": _body_example(operation, shapes)}
    return {"required": True, "content": {"application/json": content}}


def _body_example(operation: Operation, shapes: _Shapes) -> Any:
    return body_example(operation.name, shapes.of(operation.body), shapes.by_name)


def _responses(operation: Operation, shapes: _Shapes) -> Json:
    made = {str(operation.status): _success(operation, shapes)}
    if operation.is_revalidated:
        made["304"] = {"description": "Not modified: the `ETag` in `If-None-Match` is still right."}
    for status, codes in refusals_of(operation).items():
        made[str(status)] = _refusal(status, codes)
    return made


def _success(operation: Operation, shapes: _Shapes) -> Json:
    made: Json = {"description": HTTPStatus(operation.status).phrase}
    if operation.is_revalidated:
        made["headers"] = {"ETag": {"schema": {"type": "string"}, "description": "To be sent as `If-None-Match`."}}
    if not operation.is_enveloped:
        return made
    properties: Json = {"success": {"const": True}}
    example: Json = {"success": True}
    if operation.data is not None:
        properties["data"] = shapes.of(operation.data)
        example["data"] = data_example(operation.name, properties["data"], shapes.by_name)
    if operation.beside is not None:
        properties |= shapes.whole(operation.beside)["properties"]
        example |= shapes.example(operation.beside)
    schema = {"type": "object", "required": list(properties), "properties": properties}
    return made | {"content": {"application/json": {"schema": schema, "example": example}}}


def _refusal(status: int, codes: list[str]) -> Json:
    meanings = words().codes
    schema = {"allOf": [{"$ref": f"{REF}Failure"}, {"properties": {"code": {"enum": codes}}}]}
    made: Json = {
        "description": "\n".join(f"- `{code}`: {meanings.get(code, NO_WORDS)}" for code in codes),
        "content": {"application/json": {"schema": schema}},
    }
    if status in _HAVE_RETRY_AFTER:
        said = "In how many seconds to try again."
        made["headers"] = {"Retry-After": {"schema": {"type": "integer", "minimum": 0}, "description": said}}
    return made


def _failure() -> Json:
    """More fields may stand beside these."""
    return {
        "title": "Failure",
        "description": "A refusal. It had no effect.",
        "type": "object",
        "required": ["success", "error", "code"],
        "properties": {
            "success": {"const": False},
            "error": {"type": "string", "description": "A sentence for a person."},
            "code": {"type": "string", "description": "A word for a machine."},
            "seats": {
                "type": "array",
                "items": {"type": "string"},
                "description": "The ids of the seats that it is about.",
            },
            "instead": {
                "type": "array",
                "items": {"type": "string"},
                "description": "The ids of seats that would do in place of those asked for.",
            },
        },
    }


def _security_schemes() -> Json:
    cookie = "Set by signing in. Under TLS it is called `__Host-session`. It comes before the header."
    header = "The `sessionId` of signing in, for clients without cookies."
    return {
        "cookie": {"type": "apiKey", "in": "cookie", "name": "session", "description": cookie},
        "header": {"type": "apiKey", "in": "header", "name": _SESSION_HEADER, "description": header},
    }


def _curl(operation: Operation, shapes: _Shapes) -> str:
    """A command that makes the example request; `$U` is where the server is, `$S` the session's id."""
    path = _IN_PATH.sub(lambda found: str(word(found[1]).example), operation.path)
    parts = [f'curl -s "$U{path.replace(" ", "%20")}"']
    if operation.method != ("POST" if operation.body is not None else "GET"):
        parts[0] = parts[0].replace("curl -s", f"curl -s -X {operation.method}")
    if operation.who is not Who.ANYBODY:
        parts.append(f'-H "{_SESSION_HEADER}: $S"')
    parts += [f"-H {shlex.quote(f'{name}: {word(name).example}')}" for name in operation.headers]
    if operation.body is not None:
        body = json.dumps(_body_example(operation, shapes), ensure_ascii=False)
        parts += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(body)}"]
    return " \\\n  ".join(parts)
