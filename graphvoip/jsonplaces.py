"""Where in a JSON text its keys and elements are: json.loads does not keep it."""

import json
import re
from collections.abc import Iterator

SHOWN = 40  # characters of a key in a place
_NUMBER = re.compile(r'"(?:[^"\\]|\\.)*"|NaN|-?Infinity|-?\d{4301,}')  # or a string, in which they may stand
_SPACE = re.compile(r"[ \t\n\r]*")
_read = json.JSONDecoder().raw_decode  # a value that begins there, and where it ends


def places(text: str) -> Iterator[tuple[str, int]]:
    """Each place of a valid JSON text and its offset, in the order of the text: "", "nodes", "nodes.a", "score[0]" ...

    What has a key is where that begins, an element where itself does. A key that is there twice comes twice.
    """
    at = _SPACE.match(text).end()  # type: ignore[union-attr]
    yield "", at
    inside: list[tuple[str, int | None]] = []  # the place of each container around, and the number of its next element
    place = ""
    while True:
        # A value begins at `at`, and its place is known.
        sign = text[at]
        if sign in "{[":
            inside.append((place, None if sign == "{" else 0))
            at += 1
        else:
            at = _read(text, at)[1]
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        while inside and text[at] in "]}":
            inside.pop()
            at = _SPACE.match(text, at + 1).end()  # type: ignore[union-attr]
        if not inside:
            return
        if text[at] == ",":
            at = _SPACE.match(text, at + 1).end()  # type: ignore[union-attr]
        outer, number = inside[-1]
        if number is None:
            key, end = _read(text, at)
            place = f"{outer}.{key[:SHOWN]}" if outer else key[:SHOWN]
            yield place, at
            at = _SPACE.match(text, text.index(":", end) + 1).end()  # type: ignore[union-attr]
        else:
            place = f"{outer}[{number}]"
            inside[-1] = outer, number + 1
            yield place, at


def wrong_number(text: str) -> int:
    """The offset of the first number that is none in JSON, NaN say, or that has too many digits for Python."""
    found = (one for one in _NUMBER.finditer(text) if one[0][0] != '"')
    return next((one.start() for one in found), 0)


def line_and_column(text: str, at: int) -> tuple[int, int]:
    """Both from 1 on, as editors count them."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
