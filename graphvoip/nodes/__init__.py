"""The palette: one file a node. The file's name is the node's type, and nothing is registered by hand.

from graphvoip.nodes import Gain, Sine
"""

import importlib
import pkgutil
from typing import TYPE_CHECKING

from ..node import types

if TYPE_CHECKING:
    from ..node import Node

    def __getattr__(name: str) -> type[Node]: ...


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

globals().update({cls.__name__: cls for cls in types.values() if cls.__module__.startswith(__name__ + ".")})
