"""Machine code on the disk: what numba has compiled is loaded again by the next process.

It is in the package's own folder, or, where that cannot be written, in the user's folder for caches. NUMBA_CACHE_DIR
names another one. numba's own cache would unpickle, and then run, whatever it finds in a file that is damaged, does
not start where it cannot write, and knows a function by its source file, which an installation need not have.
"""

import hashlib
import os
import pickle
import re
import sys
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core import config
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from .disk_cache import DiskCache, log, user_folder

options: Any = config
LIMIT = 128 << 20  # bytes: the whole palette twenty times


def folders() -> list[Path]:
    """Where machine code is looked for, and kept in the first that can be written."""
    if options.CACHE_DIR:  # only there: whoever names a folder may compile with other options
        return [Path(options.CACHE_DIR) / "graphvoip"]
    own, user = Path(__file__).parent / "__pycache__" / "kernels", user_folder("kernels")
    return [own, user] if user else [own]


kernels = DiskCache(
    "compiled kernels",
    folders,
    LIMIT,
    "Every start compiles them anew; let NUMBA_CACHE_DIR name a folder that can be written.",
)

# What else the machine code depends on, and how it is pickled.
_MADE_BY = (numba.__version__, llvmlite.__version__, sys.version_info[:2], options.BOUNDSCHECK, options.OPT)


class KernelCache(_Cache):
    """For one function: what numba asks a cache for, keyed by all that the code is made of.

    name: for people who look into the folder. text: all that the code is made of.
    """

    def __init__(self, name: str, text: str):
        self.name, self.text = re.sub(r"\W+", "_", name, flags=re.ASCII)[-80:], text

    @property
    def cache_path(self) -> str:
        return os.fspath(folders()[0])

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        target_context.refresh()
        name = self._file(sig, target_context.codegen())
        data = kernels.load(name)
        if data is None:
            return None
        try:
            return CompileResult._rebuild(target_context, *pickle.loads(data))
        except Exception as error:  # whole, and yet numba does not take it
            for folder in folders():
                kernels.discard(folder / name, f"not loaded ({type(error).__name__})")
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        if data.library.has_dynamic_globals:
            log.warning("%s: compiled in each process, for it has an address or a large array from outside", self.name)
            return
        kernels.save(self._file(sig, data.codegen), dumps(data._reduce()))

    def _file(self, sig: Any, codegen: Any) -> str:
        key = f"{sig}{codegen.magic_tuple()}{_MADE_BY}{self.text}"
        return f"{self.name}-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"

    def enable(self) -> None: ...

    def disable(self) -> None: ...

    def flush(self) -> None: ...
