"""Another `voip` in the way of ours: beside the original's folder of that name a script runs on the original."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

OURS = Path(__file__).resolve().parent.parent / "voip"

_told: set[str] = set()


def beside(folder: Path) -> str | None:
    """Say which other package `import voip` finds in this folder's scripts; None if it is ours."""
    found = next((file for file in (folder / "voip" / "__init__.py", folder / "voip.py") if file.is_file()), None)
    return found and _says(found)


def imported() -> str | None:
    """The same of the one that this program has imported."""
    file = getattr(sys.modules.get("voip"), "__file__", None)
    return file and _says(Path(file))


def warn(text: str | None, tell: Callable[[str], Any]) -> None:
    """Tell it, once."""
    if text and text not in _told:
        _told.add(text)
        tell(text)


def _says(file: Path) -> str | None:
    file = file.resolve()
    if file.parent == OURS:
        return None
    return (
        f"{file.parent if file.name == '__init__.py' else file} is what `import voip` finds in this folder's scripts, "
        "not graphvoip's voip; rename or remove it, and they run on graphvoip (docs/from-quecey-voip.md)"
    )
