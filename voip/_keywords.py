"""Arguments by their original names, and by those of docs/api.md."""

import functools
from collections.abc import Callable
from typing import Any


def also(**names: str) -> Callable[[Callable], Callable]:
    """Let a function's arguments be given by other names too: also(frequency="pitch")."""

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def call(*args: Any, **given: Any) -> Any:
            return function(*args, **{names.get(name, name): value for name, value in given.items()})

        return call

    return decorate
