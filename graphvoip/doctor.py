"""graphvoip doctor: what this machine can do, found out by doing it."""

import asyncio
import importlib.metadata
import importlib.util
import platform
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from . import __version__, shadow
from .io import DeviceError

LATE = 5.0  # ms after which a frame is late: a gap may be heard


class Lacking(Exception):
    """Something optional is not there; the text says what to do about it."""


def examine(port: int) -> bool:
    """Print a line for each part, with the remedy; False if the core does not work."""
    console = Console(highlight=False, soft_wrap=True)
    works = True
    for name, check in _checks(port):
        mark, text = "[green]✓[/]", ""
        try:
            text = escape(check())
        except Lacking as lack:
            mark, text = "[yellow]–[/]", escape(str(lack))
        except Exception as error:
            mark, text = "[red]✗[/]", escape(f"{type(error).__name__}: {error}")
            works = False
        first, *more = text.split("\n")
        console.print(f"{mark} [bold]{name:12}[/] {first}")
        for line in more:
            console.print(f"{'':14} {line}", style="dim")
    console.print("\n✓ works   – lacks something, what to do is beside it   ✗ broken", style="dim")
    return works


def _lacking(text: str) -> str:
    raise Lacking(text)


def _checks(port: int) -> list[tuple[str, Callable[[], str]]]:
    hidden = shadow.beside(Path.cwd())
    return [
        *([("voip", lambda: _lacking(hidden))] if hidden else []),
        ("graphvoip", _versions),
        ("kernels", _kernels),
        ("caches", _caches),
        ("phone", _phone),
        ("clock", _clock),
        ("sound card", _sound_card),
        ("SIP", lambda: _sip(port)),
        ("speech", _speech),
        ("Piper", _piper),
        ("words", _words),
        ("detectors", _detectors),
        ("pictures", _pictures),
        ("plot", _plot),
    ]


# --- The core ---------------------------------------------------------------------------------------------------------


def _versions() -> str:
    return f"{__version__}, on Python {platform.python_version()}, {platform.system()} {platform.machine()}"


def _kernels() -> str:
    """Have the machine code of all that a call is made of, from the disk or compiled now."""
    before = time.perf_counter()
    from .call import prepare

    prepare()
    return f"ready for a call after {time.perf_counter() - before:.1f} s"


def _caches() -> str:
    """Where machine code and prompts are kept, and whether they can be; what is damaged goes."""
    from .kernel_cache import kernels
    from .tts_cache import is_off, prompts

    lines, lacking = [], False
    for cache in (kernels, prompts):
        if cache is prompts and is_off():
            lines.append("spoken prompts are not kept: GRAPHVOIP_CACHE is off")
            continue
        removed = [f"removed, it was damaged: {path}" for path in cache.repair()]
        try:
            size = sum(path.stat().st_size for path in cache.files())
            lines.append(f"{cache.what} are kept in {cache.place()}: {len(cache.files())} files, {size / 1e6:.1f} MB")
        except OSError as error:
            lines.append(f"{cache.what} cannot be kept: {error}. {cache.remedy}")
            lacking = True
        lines += removed
    if lacking:
        raise Lacking("\n".join(lines))
    return "\n".join(lines)


def _phone() -> str:
    """Ring a handler, and listen."""
    from .testing import phone, run_virtual

    async def handler(call):
        await call.playTone(440, 0.5)

    async def ring() -> bool:
        async with phone(handler) as caller:
            return await caller.hears_tone(440)

    before = time.perf_counter()
    if not run_virtual(ring()):
        raise RuntimeError("the scripted phone did not hear a tone of 440 Hz")
    return f"the scripted phone rang a handler and heard its tone after {1000 * (time.perf_counter() - before):.0f} ms"


def _clock() -> str:
    """The audio thread for a second."""
    from .engine import Engine

    async def second() -> Engine:
        engine = Engine()
        engine.start()
        await asyncio.sleep(1)
        engine.stop()
        return engine

    stats = asyncio.run(second()).stats()
    text = f"the audio thread was {stats.worst_ms:.1f} ms late at worst, in one second"
    if stats.worst_ms > LATE:
        raise Lacking(f"{text}: sound may have gaps; is this machine busy?")
    return text


# --- What is optional -------------------------------------------------------------------------------------------------


def _sound_card() -> str:
    from .io.sound_card import devices

    try:
        cards = devices()
    except DeviceError as error:
        raise Lacking(str(error)) from None
    if not cards:
        raise Lacking("PyAudio is installed, but there is no sound device; the scripted phone needs none")
    lines = [f"{len(cards)} devices; GRAPHVOIP_INPUT and GRAPHVOIP_OUTPUT choose by number or name"]
    for card in cards:
        uses = [f"{n} {side}" for n, side in ((card.inputs, "in"), (card.outputs, "out")) if n]
        defaults = [side for yes, side in ((card.default_input, "input"), (card.default_output, "output")) if yes]
        default = f", default {' and '.join(defaults)}" if defaults else ""
        lines.append(f"{card.number:2} {card.name} ({', '.join(uses)}, {card.rate} Hz{default})")
    return "\n".join(lines)


def _sip(port: int) -> str:
    """Open a line, on a port of its own that only this machine sees, for its true limit."""
    from .engine import Engine
    from .io.pjsip.trunk import Trunk

    async def limit() -> int:
        engine, trunk = Engine(), Trunk(_free_port(), host="127.0.0.1")
        engine.start()
        try:
            await trunk.open(engine, lambda leg: False)
            return trunk.limit
        finally:
            await trunk.close()
            engine.stop()

    try:
        calls = asyncio.run(limit())
    except DeviceError as error:
        raise Lacking(str(error)) from None
    text = f"pjsua2 {_version_of('pjsua2-python')}, {calls} calls at once"
    if not _is_free(port):
        raise Lacking(f"{text}, but UDP {port} is in use: serve on another with --port")
    return f"{text}, UDP {port} is free"


def _free_port() -> int:
    with socket.socket(type=socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _is_free(port: int) -> bool:
    with socket.socket(type=socket.SOCK_DGRAM) as one:
        try:
            one.bind(("", port))
        except OSError:
            return False
    return True


def _speech() -> str:
    from .tts import TTStoPCM

    try:
        seconds = len(TTStoPCM("hello")) / 8000
    except RuntimeError as error:
        raise Lacking(str(error)) from None
    voice = shutil.which("espeak-ng") or shutil.which("espeak") or f"espeakng-loader {_version_of('espeakng-loader')}"
    return f"{voice} said hello in {seconds:.2f} s"


def _piper() -> str:
    from .tts import TTStoPCM

    try:
        seconds = len(TTStoPCM("hello", engine="piper")) / 8000
    except RuntimeError as error:
        raise Lacking(str(error)) from None
    return f"piper-tts {_version_of('piper-tts')} said hello in {seconds:.2f} s"


def _words() -> str:
    from .hearing import Recognizer

    try:
        Recognizer(("yes", "no"))
    except RuntimeError as error:
        raise Lacking(str(error)) from None
    return f"pocketsphinx {_version_of('pocketsphinx')} knows yes and no"


def _detectors() -> str:
    """The engines of the node voice_activity that are not its own."""
    from .nodes.voice_activity import PACKAGES, engine_of

    missing = []
    for name in PACKAGES:
        try:
            engine_of(name)
        except ValueError:
            missing.append(name)
    if missing:
        says = f"voice_activity has no engine {' and no '.join(missing)}, only its own"
        raise Lacking(f"{says}: pip install 'graphvoip[vad]'")
    return ", ".join(f"{package} {_version_of(package)}" for _, package in PACKAGES.values())


def _pictures() -> str:
    from .sstv_modes import pillow

    try:
        pillow("SSTV")
    except ImportError as error:
        raise Lacking(str(error)) from None
    return f"Pillow {_version_of('pillow')}"


def _plot() -> str:
    if not importlib.util.find_spec("matplotlib"):
        raise Lacking("no matplotlib, so no --plot: pip install 'graphvoip[plot]'")
    return f"matplotlib {_version_of('matplotlib')}"


def _version_of(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "(unknown version)"
