import inspect
import subprocess
import sys

import pytest

import graphvoip
import graphvoip.tts
import voip
import voip.tts

# Every documented function of the package and its arguments; a default after "=".
DOCUMENTED = {
    "runVoipClient": "handler, port=None",
    "loadWAVtoPCM": "path",
    "savePCMtoWAV": "pcm, path",
    "normalizePCM": "pcm",
    "TTStoPCM": "text, opts=[], engine='espeak'",
    "one_at_a_time": "handler",
}


def arguments(function):
    parameters = inspect.signature(function).parameters.values()
    return ", ".join(str(p.replace(annotation=p.empty)) for p in parameters)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_functions(name):
    function = getattr(voip, name)
    assert function is getattr(graphvoip, name)
    documented = DOCUMENTED[name]
    assert arguments(function)[: len(documented)] == documented
    assert function.__doc__


def test_record_controller():
    assert voip.RecordController is graphvoip.RecordController
    assert arguments(voip.RecordController) == ""
    voip.RecordController().stop()


def test_text_to_speech_has_a_module_of_its_own():
    assert voip.tts.TTStoPCM is voip.TTStoPCM is graphvoip.tts.TTStoPCM


def test_star_gives_the_documented_names():
    names = {}
    exec("from voip import *", names)
    assert {*DOCUMENTED, "RecordController"} <= names.keys()
    assert {*DOCUMENTED, "RecordController"} <= set(dir(voip))


def test_other_names_are_an_error():
    with pytest.raises(AttributeError, match="module 'voip' has no attribute 'runVoipServer'"):
        _ = voip.runVoipServer
    with pytest.raises(ImportError, match="cannot import name 'runVoipServer'"):
        exec("from voip import runVoipServer")


def test_importing_the_names_imports_nothing_heavy():
    script = (
        "import sys, voip, voip.tts; from voip import loadWAVtoPCM, savePCMtoWAV, normalizePCM, TTStoPCM\n"
        "heavy = {'numpy', 'scipy', 'numba', 'soundfile', 'soxr', 'pjsua2', 'pyaudio', 'espeakng_loader'}\n"
        "print(*heavy.intersection(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
