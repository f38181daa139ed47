"""Files that are written: whole or not at all, each under a name of its own, and errors that name them."""

import contextlib
import difflib
import errno
import itertools
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def named(path: str | os.PathLike[str]) -> Iterator[None]:
    """Errors of the system name this file: a disk that is full does not say where, and nobody knows temporary names."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None


def reason(error: Exception, path: Any) -> str:
    """Why something went wrong with a file, without its name, and with that of another one that is to blame."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    other = getattr(error, "filename", None)
    return text if other is None or os.fspath(other) == os.fspath(path) else f"{os.fspath(other)}: {text}"


def replace(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file beside its place, then put it there: nobody sees half of it, and one that fails leaves nothing."""
    new = path.with_name(f".{path.name[:200]}.{os.urandom(4).hex()}")
    with named(path):
        try:
            with new.open("wb") as file:
                file.writelines(pieces)
            os.replace(new, path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise


def write_whole(path: Any, data: bytes | Iterable[bytes]) -> None:
    """Write a file, or to a file object. A file that exists is replaced only once the new one is whole."""
    pieces = [data] if isinstance(data, bytes) else data
    if hasattr(path, "write"):
        for piece in pieces:
            path.write(piece)
        return
    path = Path(os.fsdecode(path))
    if path.exists() and not path.is_file():  # a pipe or /dev/stdout is written to, not replaced; a directory refuses
        with named(path), path.open("wb") as file:
            file.writelines(pieces)
        return
    path = path.resolve()  # through a link, not in its place
    try:
        replace(path, pieces)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no directory {path.parent} to save it in") from None


WORD = re.compile(r"\{([^{}]*)\}")  # in the name of a file, stands for something that is known when it is made


def check_words(what: str, template: Path, *words: str) -> None:
    """Raise ValueError if there are other words in a name than those that `new_file` will get, and {time}."""
    known = [*words, "time"]
    for word in WORD.findall(str(template)):
        if word not in known:
            near = difflib.get_close_matches(word, known, 1)
            hint = f"did you mean {{{near[0]}}}?" if near else f"it may have {' '.join(f'{{{one}}}' for one in known)}"
            raise ValueError(f"{what}: file {str(template)!r} has the unknown word {{{word}}}; {hint}")


def new_file(template: Path, **words: str) -> Path:
    """An empty file of its own, so that nobody else takes its name; its folder is made.

    In the template, its folders too, {time} stands for now, and {call}, say, for the word of that name. If there is
    such a file, the new one gets a number.
    """
    words |= {"time": time.strftime("%Y%m%d-%H%M%S")}
    first = path = Path(WORD.sub(lambda word: _as_name(words[word[1]]), str(template)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), error.filename) from None
    for number in itertools.count(2):
        try:
            path.touch(exist_ok=False)
            break
        except FileExistsError:
            path = first.with_stem(f"{first.stem}-{number}")
    return path


def _as_name(text: str) -> str:
    """A text as a part of a file's name: it leads into no other folder."""
    return re.sub(r"[\s/\\\0]+", "-", text).lstrip(".") or "-"
