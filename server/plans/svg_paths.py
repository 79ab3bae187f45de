"""The geometry of SVG: paths as polygons, and transforms as matrices.

Source: SVG 2, chapters Paths and Coordinate Systems; arcs by its appendix B.2.4.
"""

import math
import re
from collections.abc import Iterator
from typing import TypeAlias

from server.plans.plan import Point

Matrix: TypeAlias = tuple[float, float, float, float, float, float]
"""a, b, c, d, e, f: x' = a·x + c·y + e, y' = b·x + d·y + f."""

IDENTITY: Matrix = (1, 0, 0, 1, 0, 0)
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")
_TOKEN = re.compile(rf"([MmLlHhVvZzCcSsQqTtAa])|({NUMBER.pattern})|([\s,]+)|(.)", re.DOTALL)
_TRANSFORM = re.compile(r"(matrix|translate|scale|rotate|skewX|skewY)\s*\(([^)]*)\)")
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "Z": 0, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7}
_STEPS = 8
"""A curve becomes so many straight pieces."""
_CHARS_MAX = 200_000


class PathError(Exception):
    """This is no path."""


def outline_of(path: str) -> list[Point]:
    """The corners of a path's first closed shape, [] where it has none. Curves become straight pieces.

    Raises:
        PathError: it cannot be read.
    """
    points: list[Point] = []
    x = y = 0.0
    begun = False
    for command, numbers in _commands(path):
        upper = command.upper()
        dx, dy = (x, y) if command.islower() else (0.0, 0.0)
        if upper == "M" and begun and len(points) > 2:
            break
        if upper == "Z":
            break
        if upper == "M":
            points, begun = [], True
        if upper == "H":
            x = numbers[0] + dx
        elif upper == "V":
            y = numbers[0] + dy
        else:
            end = numbers[-2] + dx, numbers[-1] + dy
            points += _between(upper, (x, y), [n + (dx, dy)[k % 2] for k, n in enumerate(numbers)], numbers, end)
            x, y = end
        points.append((x, y))
    if not all(math.isfinite(value) for point in points for value in point):
        raise PathError("a number is too large")
    return points if len(points) > 2 else []


def _commands(path: str) -> Iterator[tuple[str, list[float]]]:
    """Each command with its numbers; a repeated one is said each time, and what follows M is L."""
    if len(path) > _CHARS_MAX:
        raise PathError("the path is too long")
    command, numbers = "", list[float]()
    for letter, number, _, other in _TOKEN.findall(path):
        if other or (number and not command):
            raise PathError(f"{other or number!r} is not of a path")
        if letter:
            if numbers:
                raise PathError(f"{command} has too few numbers")
            command = letter
            if letter in "Zz":
                yield letter, []
        elif number:
            numbers.append(float(number))
            if command in "Zz":
                raise PathError("Z takes no numbers")
            if len(numbers) == _TAKES[command.upper()]:
                yield command, numbers
                numbers = []
                command = {"M": "L", "m": "l"}.get(command, command)
    if numbers:
        raise PathError(f"{command} has too few numbers")


def _between(kind: str, start: Point, at: list[float], raw: list[float], end: Point) -> list[Point]:
    """Points on a curve, without its ends. `at` are its numbers made absolute, `raw` as they are written."""
    steps = [k / _STEPS for k in range(1, _STEPS)]
    if kind == "C":
        (x0, y0), (x1, y1, x2, y2, x3, y3) = start, at
        return [
            (
                (1 - t) ** 3 * x0 + 3 * (1 - t) ** 2 * t * x1 + 3 * (1 - t) * t**2 * x2 + t**3 * x3,
                (1 - t) ** 3 * y0 + 3 * (1 - t) ** 2 * t * y1 + 3 * (1 - t) * t**2 * y2 + t**3 * y3,
            )
            for t in steps
        ]
    if kind in "QS":  # the first control point of S is not worth the trouble for an outline
        (x0, y0), (x1, y1, x2, y2) = start, at
        return [
            (
                (1 - t) ** 2 * x0 + 2 * (1 - t) * t * x1 + t**2 * x2,
                (1 - t) ** 2 * y0 + 2 * (1 - t) * t * y1 + t**2 * y2,
            )
            for t in steps
        ]
    if kind == "A":
        return _on_arc(start, raw, end)
    return []


def _on_arc(start: Point, raw: list[float], end: Point) -> list[Point]:
    rx, ry, turn, large, sweep = abs(raw[0]), abs(raw[1]), math.radians(raw[2]), raw[3] != 0, raw[4] != 0
    if not rx or not ry or start == end:
        return []
    cos, sin = math.cos(turn), math.sin(turn)
    hx, hy = (start[0] - end[0]) / 2, (start[1] - end[1]) / 2
    x, y = cos * hx + sin * hy, cos * hy - sin * hx
    grow = math.sqrt(max(1.0, (x / rx) ** 2 + (y / ry) ** 2))
    rx, ry = rx * grow, ry * grow
    below = (rx * y) ** 2 + (ry * x) ** 2
    factor = math.sqrt(max(0.0, (rx * ry) ** 2 / below - 1)) * (-1 if large == sweep else 1)
    cx, cy = factor * rx * y / ry, -factor * ry * x / rx
    first = math.atan2((y - cy) / ry, (x - cx) / rx)
    angle = math.atan2((-y - cy) / ry, (-x - cx) / rx) - first
    angle = angle % math.tau if sweep else -(-angle % math.tau)
    mx, my = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    found = []
    for k in range(1, _STEPS):
        ex, ey = cx + rx * math.cos(first + angle * k / _STEPS), cy + ry * math.sin(first + angle * k / _STEPS)
        found.append((mx + cos * ex - sin * ey, my + sin * ex + cos * ey))
    return found


def matrix_of(transform: str) -> Matrix:
    """The matrix of a `transform`; what cannot be read counts as nothing."""
    found = IDENTITY
    for name, inner in _TRANSFORM.findall(transform[:2000]):
        n = [float(number) for number in NUMBER.findall(inner)]
        found = times(found, _matrix(name, n))
    return found


def _matrix(name: str, n: list[float]) -> Matrix:
    match name, n:
        case "matrix", [a, b, c, d, e, f]:
            return a, b, c, d, e, f
        case "translate", [x, *more]:
            return 1, 0, 0, 1, x, more[0] if more else 0
        case "scale", [x, *more]:
            return x, 0, 0, more[0] if more else x, 0, 0
        case "rotate", [degrees, x, y]:
            return times(times((1, 0, 0, 1, x, y), _matrix(name, [degrees])), (1, 0, 0, 1, -x, -y))
        case "rotate", [degrees]:
            cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
            return cos, sin, -sin, cos, 0, 0
        case "skewX", [degrees]:
            return 1, 0, math.tan(math.radians(degrees)), 1, 0, 0
        case "skewY", [degrees]:
            return 1, math.tan(math.radians(degrees)), 0, 1, 0, 0
    return IDENTITY


def times(one: Matrix, other: Matrix) -> Matrix:
    """First the other, then the one."""
    a, b, c, d, e, f = one
    g, h, i, j, k, m = other
    return a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * m + e, b * k + d * m + f


def apply(matrix: Matrix, x: float, y: float) -> Point:
    """Where the matrix puts a point."""
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f
