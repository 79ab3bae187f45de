"""The description of the interface: sound, complete, with examples that fit, and a page that needs nothing else."""

import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from jsonschema_rs import Draft202012Validator
from openapi_spec_validator import validate

from server import pages
from server.app import make_app
from server.describing import routes as describing
from server.describing.examples import word, words
from server.describing.openapi import NO_WORDS, document
from server.rest.operations import Operation
from server.sockets import connection
from tests.server.described import Json, described_operations, faults, refusal_codes
from tests.server.parts import SHARED, Usher

DOCUMENT = document(describing.described())
OPERATIONS = described_operations(DOCUMENT)
SHAPES: Json = DOCUMENT["components"]["schemas"]
NAMES = [one["operationId"] for _, _, one in OPERATIONS]


def test_the_document_is_openapi_3_1() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1.")


def test_its_version_is_the_projects() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert DOCUMENT["info"]["version"] == project["version"]


def test_a_document_that_is_wrong_would_be_found() -> None:
    broken = DOCUMENT | {"paths": {"/x": {"get": {"responses": {"200": {}}}}}}
    with pytest.raises(Exception, match="description"):
        validate(broken)


def test_every_operation_has_a_name_of_its_own() -> None:
    assert len(set(NAMES)) == len(NAMES)


@SHARED
async def test_every_route_is_described_and_every_description_is_a_route(usher: Usher) -> None:
    app = make_app(usher.parts)
    not_for_programs = {route.path for module in (connection, pages) for route in module.routes}
    served = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD" and isinstance(route.resource, web.Resource)
    }
    described = {(method, path) for method, path, _ in OPERATIONS}
    assert {(method, path) for method, path in served if path not in not_for_programs} == described


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=NAMES)
def test_an_operation_is_explained_with_examples(method: str, path: str, operation: Json) -> None:
    assert operation["summary"], "its handler has no docstring"
    for parameter in operation.get("parameters", []):
        name = parameter["name"]
        assert parameter["description"], f"words.json does not say what {name} means"
        assert "example" in parameter, f"words.json has no example of {name}"
        assert faults(DOCUMENT, parameter["schema"], parameter["example"]) == []
    assert set(re.findall(r"\{(\w+)\}", path)) == {
        parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"
    }
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        assert faults(DOCUMENT, content["schema"], content["example"]) == []
    for status, response in operation["responses"].items():
        assert NO_WORDS not in response["description"], f"words.json lacks a code of {status}"
        for content in response.get("content", {}).values():
            if status < "300":
                assert faults(DOCUMENT, content["schema"], content["example"], is_closed=True) == []


def test_every_field_of_every_shape_is_explained_with_an_example() -> None:
    silent = [
        f"{shape}.{name}"
        for shape, schema in SHAPES.items()
        for name, field in schema.get("properties", {}).items()
        if "description" not in field and "const" not in field
    ]
    assert silent == [], "words.json does not say what these mean"
    for shape, schema in SHAPES.items():
        for name, field in schema.get("properties", {}).items():
            for example in field.get("examples", []):
                assert faults(DOCUMENT, field, example) == [], f"{shape}.{name}"


def test_every_tag_is_explained() -> None:
    assert [tag["name"] for tag in DOCUMENT["tags"] if tag["description"] == NO_WORDS] == []


def test_no_word_is_explained_that_nobody_uses() -> None:
    fields = {name for schema in SHAPES.values() for name in schema.get("properties", {})}
    fields |= {parameter["name"] for _, _, one in OPERATIONS for parameter in one.get("parameters", [])}
    kinds = {kind for one in describing.described() for kind in (one.query, one.beside) if kind is not None}
    shapes = set(SHAPES) | {kind.__name__ for kind in kinds}
    fields |= {field for kind in kinds for field in kind.__struct_encode_fields__}
    for key in words().fields:
        shape, _, name = key.rpartition(".")
        assert name in fields, key
        assert not shape or shape in shapes, key
    assert set(words().codes) == refusal_codes(DOCUMENT)
    assert set(words().tags) == {tag["name"] for tag in DOCUMENT["tags"]}
    assert set(words().bodies) | set(words().data) <= set(NAMES)


def test_what_follows_from_a_declaration_is_said_of_all_alike() -> None:
    for method, path, operation in OPERATIONS:
        if not path.startswith("/api/v1/"):
            continue
        responses, who = operation["responses"], operation["x-who"]
        assert ("401" in responses and "security" in operation) or who == "anybody"
        assert ("not_admin" in responses.get("403", {}).get("description", "")) == (who == "admin")
        assert ("bad_origin" in responses.get("403", {}).get("description", "")) == (method != "GET")
        for status in ("408", "413"):
            assert (status in responses) == ("requestBody" in operation)
        for status in ("429", "503"):
            assert "Retry-After" in responses[status]["headers"]
        assert ("304" in responses) == ("ETag" in next(iter(responses.values())).get("headers", {}))


def test_an_operation_without_any_words_is_described_all_the_same() -> None:
    async def brand_new(_request: web.Request) -> web.Response:
        return web.Response()

    new = Operation("GET", "/api/v1/new/{thing}", "news", brand_new, data=list[str], refusals={404: ("gone",)})
    made = document([new])
    validate(made)
    found = made["paths"]["/api/v1/new/{thing}"]["get"]
    assert f"`gone`: {NO_WORDS}" in found["responses"]["404"]["description"]
    assert faults(made, *_example(found), is_closed=True) == []


def test_the_check_of_answers_finds_a_field_that_is_not_described() -> None:
    schema, example = _example(DOCUMENT["paths"]["/api/v1/auth/me"]["get"])
    assert faults(DOCUMENT, schema, example, is_closed=True) == []
    surplus = example | {"data": example["data"] | {"password_hash": "…"}}
    assert faults(DOCUMENT, schema, surplus, is_closed=True) != []
    assert faults(DOCUMENT, schema, example | {"data": {}}, is_closed=True) != []


@SHARED
async def test_the_document_is_served_and_revalidated(usher: Usher) -> None:
    async with usher.http.get(f"{usher.url}/api/openapi.json") as answer:
        assert answer.status == 200
        assert answer.content_type == "application/json"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert await answer.json() == DOCUMENT
        known = {"If-None-Match": answer.headers["ETag"]}
    async with usher.http.get(f"{usher.url}/api/openapi.json", headers=known) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
    plain = {"Accept-Encoding": "identity", "If-None-Match": '"another"'}
    async with usher.http.get(f"{usher.url}/api/openapi.json", headers=plain) as answer:
        assert "Content-Encoding" not in answer.headers
        assert await answer.json() == DOCUMENT


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def all(self, attribute: str) -> list[str]:
        return [value for _, found in self.tags if (value := found.get(attribute)) is not None]


@SHARED
async def test_the_page_has_every_operation_and_needs_nothing_from_elsewhere(usher: Usher) -> None:
    async with usher.http.get(f"{usher.url}/api/docs") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "script-src 'self'; style-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["ETag"]
        page = Page(await answer.text())
    ids = page.all("id")
    assert set(NAMES) <= set(ids)
    assert len(set(ids)) == len(ids)
    assert {link.removeprefix("#") for link in page.all("href") if link.startswith("#")} <= set(ids)
    tags = [tag for tag, _ in page.tags]
    assert "script" not in tags
    assert "style" not in tags
    assert page.all("style") == []
    assert [name for _, found in page.tags for name in found if name.startswith("on")] == []
    assert [link for link in (*page.all("href"), *page.all("src")) if not link.startswith(("/", "#"))] == []
    for tag in ("header", "nav", "main", "footer", "h1"):
        assert tag in tags, tag
    for _, path, operation in OPERATIONS:
        assert path in page.text
        assert operation["x-codeSamples"][0]["source"] in page.text
    assert refusal_codes(DOCUMENT) <= set(page.texts)
    for name in page.all("href"):
        if name.startswith("/static/"):
            async with usher.http.get(usher.url + name) as file:
                assert file.status == 200, name


def _example(operation: Json) -> tuple[Json, Any]:
    content = operation["responses"]["200"]["content"]["application/json"]
    return content["schema"], content["example"]


def test_words_are_found_by_shape_first() -> None:
    assert word("name", "Venue") != word("name", "User")
    assert word("nothing").means is None
    assert Draft202012Validator({"type": "string"}).is_valid(word("event_id").example)
