"""The page about the interface: made from the OpenAPI document alone, readable without JavaScript."""

import json
import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from server.describing.examples import REF, Json

_MOST_THAT_MATTERS = 10**9
"""A limit beyond this one is there for the machine's sake."""
_CODE = re.compile(r"`([^`]+)`")
_REFUSAL = re.compile(r"^- `(\w+)`: (.*)$", re.MULTILINE)
_WHO = {"anybody": "Anybody", "signed in": "Signed in", "admin": "Admins"}
_LOGO = (
    '<svg class="logo" viewBox="0 0 32 32" aria-hidden="true">'
    '<path class="logo-row" d="M4 13a13 13 0 0 0 24 0"/><path class="logo-row" d="M9.5 10.5a7.5 7.5 0 0 0 13 0"/>'
    '<circle class="logo-mine" cx="16" cy="26.5" r="3.2"/></svg>'
)
_HEAD = f"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
  <meta name="color-scheme" content="light dark">
  <title>The REST interface · Usher</title>
  <link rel="icon" href="/static/favicon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/static/style/tokens.css">
  <link rel="stylesheet" href="/static/style/base.css">
  <link rel="stylesheet" href="/static/style/docs.css">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="top"><a class="brand" href="/">{_LOGO}Usher</a>
<nav class="nav" aria-label="Usher"><a href="/">Events</a><a href="/api/openapi.json">OpenAPI</a></nav></header>
"""
_START = """
<h2>How to begin</h2>
<p>In the examples, <code>U</code> is where the server is, and <code>S</code> the <code>sessionId</code> of signing
in.</p>
<pre tabindex="0" role="region" aria-label="The variables of the examples"><code>U=http://127.0.0.1:3001
S=…</code></pre>"""


def page(document: Json) -> str:
    """The page: a table of contents, every operation by tag, and the shapes that they share."""
    by_tag: dict[str, list[tuple[str, str, Json]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag[operation["tags"][0]].append((method, path, operation))
    info, schemas = document["info"], document["components"]["schemas"]
    sections = [_tag(tag, by_tag[tag["name"]], schemas) for tag in document["tags"]]
    return "".join(
        [
            _HEAD,
            f'<div class="docs">{_contents(by_tag)}<main id="content">',
            '<div class="docs-intro"><h1>The REST interface</h1>',
            f'<p class="hint">Version {escape(info["version"])}</p>',
            "".join(f"<p>{_text(part)}</p>" for part in info["description"].strip().split("\n\n")),
            f"{_START}</div>",
            *sections,
            _shapes(schemas),
            '</main></div><footer class="foot">A live seat map. Every seat is sold once.</footer></body></html>\n',
        ]
    )


def _contents(by_tag: dict[str, list[tuple[str, str, Json]]]) -> str:
    parts = []
    for tag, operations in by_tag.items():
        links = "".join(
            f'<li><a href="#{one["operationId"]}">{_verb(method)}<span>{_in_short(one["summary"])}</span></a></li>'
            for method, _, one in operations
        )
        parts.append(f'<li><a href="#{tag}">{tag.capitalize()}</a><ul>{links}</ul></li>')
    parts.append('<li><a href="#shapes">Shapes</a></li>')
    return f'<nav class="contents" aria-label="Contents"><ul>{"".join(parts)}</ul></nav>'


def _in_short(summary: str) -> str:
    return _text(summary.partition(";")[0])


def _tag(tag: Json, operations: list[tuple[str, str, Json]], schemas: dict[str, Json]) -> str:
    articles, name = "".join(_operation(*one, schemas) for one in operations), tag["name"]
    return (
        f'<section class="tag" aria-labelledby="{name}"><h2 id="{name}">{name.capitalize()}</h2>'
        f'<p class="lead">{_text(tag["description"])}</p>{articles}</section>'
    )


def _operation(method: str, path: str, operation: Json, schemas: dict[str, Json]) -> str:
    name, details = operation["operationId"], operation.get("description", "")
    facts = [
        f"<p>{_text(details)}</p>" if details else "",
        _parameters(operation.get("parameters", [])),
        _body(operation, schemas),
        *_successes(operation),
        _refusals(operation),
    ]
    return (
        f'<article class="operation" id="{name}" aria-labelledby="{name}-title">'
        f'<header><h3 id="{name}-title">{_text(operation["summary"])}</h3>'
        f'<p class="route">{_verb(method)}<code>{_breakable(path)}</code>'
        f'<span class="for-whom" data-who="{operation["x-who"]}">{_WHO[operation["x-who"]]}</span></p></header>'
        f'<div class="facts">{"".join(facts)}</div>'
        f'<div class="samples">{_samples(operation)}</div></article>'
    )


def _verb(method: str) -> str:
    return f'<span class="verb" data-verb="{method}">{method.upper()}</span>'


def _breakable(path: str) -> str:
    return escape(path).replace("/", "/<wbr>")


def _parameters(parameters: list[Json]) -> str:
    parts = []
    for where, title in (("path", "In the path"), ("query", "Query"), ("header", "Headers")):
        found = [one for one in parameters if one["in"] == where]
        fields = ((p["name"], p["required"], p["schema"] | {"description": p["description"]}) for p in found)
        parts.append(f"<h4>{title}</h4>{_fields(fields)}" if found else "")
    return "".join(parts)


def _body(operation: Json, schemas: dict[str, Json]) -> str:
    if "requestBody" not in operation:
        return ""
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    shape = schemas[schema["$ref"].removeprefix(REF)]
    return f'<h4>Body <span class="status">{_kind(schema)}</span></h4>{_shape(shape)}'


def _successes(operation: Json) -> Iterator[str]:
    for status, response in operation["responses"].items():
        if status >= "400":
            continue
        said = response["description"]
        yield f'<h4>Answer <span class="status" data-kind="{status[0]}">{status} {_text(said)}</span></h4>'
        shape = _content(response).get("schema", {}).get("properties", {})
        if len(shape) > 1:
            yield _fields((name, True, one) for name, one in shape.items() if name != "success")
        elif status < "300":
            yield "<p>Without data.</p>" if shape else "<p>In no envelope.</p>"


def _refusals(operation: Json) -> str:
    found = {status: one for status, one in operation["responses"].items() if status >= "400"}
    if not found:
        return ""
    rows = "".join(
        f'<dt><span class="status" data-kind="{status[0]}">{status}</span> <code>{code}</code></dt>'
        f"<dd>{_text(means)}</dd>"
        for status, response in found.items()
        for code, means in _REFUSAL.findall(response["description"])
    )
    return f'<details><summary>Refusals: {", ".join(found)}</summary><dl class="codes">{rows}</dl></details>'


def _samples(operation: Json) -> str:
    blocks = [("Request", one["source"]) for one in operation.get("x-codeSamples", [])]
    for status, response in operation["responses"].items():
        content = _content(response)
        if "example" in content:
            blocks.append((f"Answer {status}", json.dumps(content["example"], indent=2, ensure_ascii=False)))
    name = escape(operation["summary"])
    return "".join(
        f'<h4>{title}</h4><pre tabindex="0" role="region" aria-label="{title}: {name}">'
        f"<code>{escape(text)}</code></pre>"
        for title, text in blocks
    )


def _shapes(schemas: dict[str, Json]) -> str:
    articles = "".join(
        f'<article class="shape" id="shape-{name}"><h3>{name}</h3><p>{_text(schema.get("description", ""))}</p>'
        f"{_shape(schema)}</article>"
        for name, schema in sorted(schemas.items())
    )
    return (
        '<section class="tag" aria-labelledby="shapes"><h2 id="shapes">Shapes</h2>'
        f'<p class="lead">What bodies and answers are made of.</p><div class="shapes">{articles}</div></section>'
    )


def _shape(schema: Json) -> str:
    if "properties" not in schema:
        return f"<p>{_kind(schema)}</p>"
    required = schema.get("required", [])
    return _fields((name, name in required, field) for name, field in schema["properties"].items())


def _fields(fields: Iterable[tuple[str, bool, Json]]) -> str:
    rows = "".join(
        f'<div><dt><code>{escape(name)}</code> <span class="kind">{_kind(schema)}'
        f"{'' if is_required else ', may be left out'}</span></dt>"
        f"<dd>{_text(schema.get('description', ''))}</dd></div>"
        for name, is_required, schema in fields
    )
    return f'<dl class="fields">{rows}</dl>'


def _kind(schema: Json) -> str:
    """A type in words, in HTML."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REF)
        return f'<a href="#shape-{name}">{name}</a>'
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(word))}</code>" for word in schema["enum"])
    if "anyOf" in schema:
        kinds = dict.fromkeys(_kind(one) for one in schema["anyOf"])
        return " or ".join(kind for kind in kinds if kind != "integer" or "number" not in kinds)
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_kind(schema['items'])}{_span(schema, 'minItems', 'maxItems')}"
    if kind == "string":
        name = {"uuid": "id", "date-time": "time"}.get(schema.get("format", ""), "string")
        return name + _span(schema, "minLength", "maxLength", " characters")
    return kind + _span(schema, "minimum", "maximum")


def _span(schema: Json, least: str, most: str, unit: str = "") -> str:
    low, high = schema.get(least), schema.get(most)
    if high is not None and high <= _MOST_THAT_MATTERS:
        return f" (up to {high:,}{unit})" if low is None else f" ({low:,}…{high:,}{unit})"
    return "" if low is None else f" (at least {low:,}{unit})"


def _content(response: Json) -> Json:
    found: Json = response.get("content", {}).get("application/json", {})
    return found


def _text(text: Any) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(str(text), quote=False))
