"""What the commands are given: handlers and patches from files. What the user can mend is told in one line."""

import atexit
import contextlib
import functools
import gc
import importlib.machinery
import importlib.util
import inspect
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from .recipe import Recipe


Patches = Annotated[
    list[str],
    typer.Argument(
        metavar="PATCH", help="Patch files, [bold]file.json[/bold] or [bold]file.py:name[/bold].", show_default=False
    ),
]
OnePatch = Annotated[
    str,
    typer.Argument(
        metavar="PATCH", help="A patch file, [bold]file.json[/bold] or [bold]file.py:name[/bold].", show_default=False
    ),
]
Settings = Annotated[
    list[str],
    typer.Option(
        "--set", metavar="NAME=NUMBER", help="A parameter, or a number of a node: index=6, ding.freq=440. Repeatable."
    ),
]
Seed = Annotated[int | None, typer.Option(min=0, metavar="N", help="Another seed makes other noises.")]


class Problem(Exception):
    """Something the user can mend, in one line.

    details: lines before it, a traceback in the user's file. plain: the text says itself what it is about.
    """

    def __init__(self, text: str, details: str = "", plain: bool = False):
        super().__init__(text)
        self.details, self.plain = details, plain


def plainly(command: Callable) -> Callable:
    """Decorates a command: its problems are one line on stderr and exit code 1."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        from .io import DeviceError

        atexit.register(gc.freeze)  # the search for garbage at the end of the process would take 0.2 s
        try:
            return command(*args, **options)
        except (Problem, DeviceError, OSError) as error:
            tell(error)
            raise typer.Exit(1) from None

    return run


def tell(error: BaseException) -> None:
    """Say what is wrong, on stderr."""
    typer.echo(getattr(error, "details", ""), err=True, nl=False)
    says = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else f"{error}"
    typer.echo(says if getattr(error, "plain", False) else f"graphvoip: {says}", err=True)


@contextlib.contextmanager
def one_line(*kinds: type[Exception]) -> Iterator[None]:
    """What raises these is a problem of the user's."""
    try:
        yield
    except kinds as error:
        raise Problem(str(error)) from None


def last_line(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()


def exists(file: Path, what: str) -> None:
    if not file.is_file():
        other = f"a pipe, device or socket, not {what}" if file.exists() else "no such file"
        raise Problem(f"{file}: {f'a directory, not {what}' if file.is_dir() else other}")


# --- Handlers ---------------------------------------------------------------------------------------------------------


def load_handler(file: Path, name: str | None = None) -> Callable:
    """The handler of a Python file: the function `name`, else what it gives to runVoipClient, else `handler`.

    The file is imported, not run: runVoipClient does nothing meanwhile, guarded by `if __name__ == "__main__"` or not.
    """
    exists(file, "a Python file")
    module, given = import_file(file)
    found = _handler_in(module, given, name)
    if found:
        return found
    there = [key for key, value in vars(module).items() if inspect.iscoroutinefunction(value)]
    hint = f"it has {', '.join(there)}: choose with --handler" if there else "write: async def handler(call)"
    raise Problem(f"{file}: there is no '{name or 'handler'}' in it; {hint}")


def _handler_in(module: Any, given: list[Callable], name: str | None) -> Callable | None:
    found = getattr(module, name or "handler", None) if name or not given else given[-1]
    return found if callable(found) else None


def import_file(file: Path) -> tuple[Any, list[Callable]]:
    """The file as a module, with its folder on the path, and the handlers that it gave to runVoipClient."""
    from . import client, shadow

    folder = str(file.resolve().parent)
    shadow.warn(shadow.beside(Path(folder)), lambda text: typer.echo(f"graphvoip: {text}", err=True))
    name = file.stem if file.stem not in sys.modules else f"{file.stem} in {folder}"  # a user's typer.py is not typer
    spec = importlib.util.spec_from_loader(name, _Loader(name, str(file)))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if folder not in sys.path:
        sys.path.insert(0, folder)
    client.importing = given = []
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise Problem(f"{file} cannot be imported: {last_line(error)}{_hint(error)}", _traced(file, error)) from None
    finally:
        client.importing = None
    return module, given


def _hint(error: BaseException) -> str:
    """What to write instead, where a handler is a plain function."""
    if not isinstance(error, SyntaxError) or not re.search(r"outside (of )?async(hronous)? function", error.msg):
        return ""
    lines = _text(error)[: error.lineno]
    function = next((found[1] for line in reversed(lines) if (found := re.match(r"\s*def (\w+)\(", line))), "handler")
    return f"; write 'async def {function}(call)'"


def _text(error: SyntaxError) -> list[str]:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return Path(error.filename or "").read_text("utf-8").splitlines()
    return []


class _Loader(importlib.machinery.SourceFileLoader):
    """Always from the text: a compiled file beside it is taken for fresh if both were written in one second."""

    def get_code(self, fullname: str) -> Any:
        return self.source_to_code(self.get_data(self.path), self.path)


def _traced(file: Path, error: BaseException, always: bool = True) -> str:
    """A traceback from the user's file on, without what ran it. always: even if it is not in that file."""
    tb = error.__traceback__
    while tb and tb.tb_frame.f_code.co_filename != str(file):
        tb = tb.tb_next
    return "".join(traceback.format_exception(type(error), error, tb)) if tb or always else ""


# --- Patches ----------------------------------------------------------------------------------------------------------


class Source:
    """A recipe of a file: its name on the command line, and the recipe as the file has it now.

    handler: what there is instead, if the file has no recipe but a handler and those are wanted.
    """

    recipe: "Recipe"

    def __init__(self, text: str, handlers: bool = False):
        self.text, self.handler = text, None
        python = re.fullmatch(r"(.+\.py):(\w+)", text)
        self.file, self._wanted = (Path(python[1]), python[2]) if python else (Path(text), None)
        self.name = self._wanted or self.file.stem
        self._handlers = handlers
        self.load()

    @property
    def is_json(self) -> bool:
        return self.file.suffix.lower() == ".json"

    def load(self) -> None:
        """Read the file, again if it was read before. Problem tells what is wrong with it."""
        exists(self.file, "a patch")
        if self.is_json:
            self.recipe = _recipe_in_json(self.file)
        elif self.file.suffix.lower() == ".py":
            self._load_python()
        else:
            raise Problem(f"{self.file}: a patch is a .json file, or a @patch function in a .py file")

    def _load_python(self) -> None:
        from .recipe import Recipe

        module, given = import_file(self.file)
        recipes = {name: one for name, one in vars(module).items() if isinstance(one, Recipe)}
        own = {name: one for name, one in recipes.items() if getattr(one, "__module__", None) == module.__name__}
        there = ", ".join(own or recipes)
        if self._wanted and recipes:
            if self._wanted not in recipes:
                raise Problem(f"{self.file}: no @patch function '{self._wanted}' in it; it has {', '.join(recipes)}")
            self.recipe = recipes[self._wanted]
        elif len(own or recipes) == 1:
            self.recipe = next(iter((own or recipes).values()))
            self.name = self.recipe.name
        elif self._handlers and not self._wanted and not recipes and _handler_in(module, given, None):
            self.handler = _handler_in(module, given, None)
        elif recipes:
            raise Problem(f"{self.file}: it has {there}: choose with {self.file}:{next(iter(own or recipes))}")
        else:
            raise Problem(f"{self.file}: no @patch function in it; write @patch above a function that makes nodes")

    @property
    def files(self) -> list[Path]:
        """The file and those of its sub-patches."""
        found, waiting = {self.file.resolve(): self.file}, [getattr(self, "recipe", None)]
        while waiting:
            for recipe in getattr(waiting.pop(), "recipes", {}).values():
                path = Path(recipe.where)
                if path.resolve() not in found:
                    found[path.resolve()] = path
                    waiting.append(recipe)
        return list(found.values())

    def build(self, seed: int | None = None, values: dict[str, float] | None = None) -> Any:
        """Make the patch. values: parameters and inputs by name, and numbers of nodes ("ding.freq")."""
        recipe, values = self.recipe, values or {}
        own = {name: value for name, value in values.items() if name in recipe.params or name in recipe.inputs}
        with self.blamed("cannot be built"):
            patch = recipe(seed=seed, **own)
            for name, value in values.items():
                if name not in own:
                    patch.set(name, value, 0)
        return patch

    def playable(self, seed: int | None = None, values: dict[str, float] | None = None) -> Any:
        """The same, of a patch that needs no more than a call has."""
        patch = self.build(seed, values)
        for name in patch.inputs:
            if name not in ("voice", "keys", *(values or ())):
                raise Problem(f"{self.text}: a call has voice and keys for it, but no '{name}'; --set {name}=NUMBER")
        return patch

    @contextlib.contextmanager
    def blamed(self, what: str) -> Iterator[None]:
        """What goes wrong is a problem of this patch; in a function of the user's, with the place."""
        from .kernel_errors import KernelError

        try:
            yield
        except KernelError as error:  # it names the place itself
            raise Problem(f"{self.text}: {error}") from None
        except (TypeError, ValueError) as error:
            raise Problem(f"{self.text}: {error}", _traced(self.file, error, always=False)) from None
        except (OSError, Problem):
            raise
        except Exception as error:
            raise Problem(f"{self.text} {what}: {last_line(error)}", _traced(self.file, error)) from None


def _recipe_in_json(file: Path) -> "Recipe":
    from .patchfile import PatchError, load_patch

    try:
        return load_patch(file)
    except PatchError as error:
        raise Problem(str(error), plain=True) from None


def settings(given: list[str]) -> dict[str, float]:
    """name=number of --set, a number as patch files write it: 6, -0.5, db(-6), midi(60)."""
    from . import expression
    from .units import number_for

    found = {}
    for one in given:
        name, equals, text = (part.strip() for part in one.partition("="))
        value = expression.number_of(text)
        if not name or not equals or value is None:
            raise Problem(f"--set {one}: write name=number, index=6 or ding.freq=440{number_for(text)}")
        found[name] = value
    return found


# --- Files to write ---------------------------------------------------------------------------------------------------


def places(sources: list[Source], given: Path | None, kind: str) -> list[Path]:
    """The files to write, one a patch. Folders are made, and what cannot be written is told now."""
    if given is None or given.is_dir() or len(sources) > 1:
        if given and given.suffix and not given.is_dir():
            raise Problem(f"{given}: this is one file, and there are {len(sources)} patches; name a folder")
        folder = given or Path()
        files = [folder / f"{source.name}{kind}" for source in sources]
        for one in {file for file in files if files.count(file) > 1}:
            raise Problem(f"{one}: two patches would have this file; render them one after the other")
        folder.mkdir(parents=True, exist_ok=True)
    else:
        files = [given]
    for file in files:
        check_place(file)
    return files


def check_place(file: Path) -> None:
    """Problem if a file cannot be written there."""
    if file.is_dir():
        raise Problem(f"{file}: a directory")
    if file.exists() and not file.is_file():  # a pipe
        return
    if not file.parent.is_dir():
        raise Problem(f"{file}: no directory {file.parent} to save it in")
    if not os.access(file.parent, os.W_OK):
        raise Problem(f"{file}: nothing may be written to {file.parent.resolve()}")
