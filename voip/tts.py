"""Text to speech, as a plain list of samples."""

from collections.abc import Iterable

from .pcm import loadWAVtoPCM as loadWAVtoPCM

__all__ = ["TTStoPCM", "loadWAVtoPCM"]


def TTStoPCM(text: str, opts: Iterable[str] = [], engine: str = "espeak", voice: str | None = None) -> list[float]:
    """Speak a text: graphvoip.TTStoPCM, and "rhvoice" speaks as bdl where no options are given."""
    import graphvoip

    opts = list(opts)
    if engine == "rhvoice" and not opts and voice is None:
        opts = ["-p", "bdl"]
    return list(graphvoip.TTStoPCM(text, opts, engine, voice))
