"""The palette: one file a node. The file's name is the node's type, and nothing is registered by hand.

from graphvoip.nodes import Gain, Sine

A node is loaded when it is first asked for: there are many, and a program uses a few.
"""

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..node import Node

_files = {"".join(map(str.capitalize, one.name.split("_"))): one.name for one in pkgutil.iter_modules(__path__)}
__all__ = list(_files)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> "type[Node]":
    if name not in _files:
        raise AttributeError(f"there is no node {name!r}")
    found = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_files[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_files})


def load_all() -> None:
    """Load the whole palette, for those who look for a type among all there are."""
    for name in _files:
        __getattr__(name)
