"""The documented import name: `from voip.tts import TTStoPCM`."""

from graphvoip.tts import TTStoPCM

__all__ = ["TTStoPCM"]
