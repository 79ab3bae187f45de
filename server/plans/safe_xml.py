"""XML from strangers as a tree of elements, by the expat of the standard library.

Refused: document types with declarations of their own (and so every entity but XML's five, and every file or
address that a parser could be made to open), too many or too deep elements. A document type by name alone is
harmless, and drawing programs write it.
"""

from collections.abc import Mapping
from typing import NoReturn
from xml.parsers import expat

from msgspec import Struct, field

from server.plans.oddities import PlanError

_ELEMENTS_MAX = 1_000_000
_DEPTH_MAX = 200


class Element(Struct, gc=False):
    """An element with its name and attributes without their namespaces, and the text in it and in its children."""

    tag: str
    attributes: Mapping[str, str]
    children: "list[Element]" = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it, on one line."""
        words = [*self.pieces, *(child.text for child in self.children)]
        return " ".join(" ".join(words).split())


def read_xml(raw: bytes) -> Element:
    """The outermost element.

    Raises:
        PlanError: it is not XML, or refused.
    """
    top = Element("", {})
    path = [top]
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > _ELEMENTS_MAX or len(path) > _DEPTH_MAX:
            raise PlanError("the file has too many elements, or they are nested too deeply")
        element = Element(_local(name), {_local(key): value for key, value in attributes.items()})
        path[-1].children.append(element)
        path.append(element)

    def text(piece: str) -> None:
        path[-1].pieces.append(piece)

    def refuse(*_: object) -> NoReturn:
        raise PlanError("the file declares entities or refers to others; that is not accepted")

    def doctype(_name: str, _system: str | None, _public: str | None, has_declarations: int) -> None:
        if has_declarations:
            refuse()

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _name: path.pop()
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    parser.UnparsedEntityDeclHandler = refuse
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise PlanError(f"the file is not XML: {error}") from None
    return top.children[0]


def _local(name: str) -> str:
    return name.rpartition(":")[2]
