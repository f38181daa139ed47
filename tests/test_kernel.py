"""Kernels: compiled once, kept on the disk, and compiled anew whenever anything that they are made of has changed."""

import os
import subprocess
import sys

import numpy as np

from graphvoip.kernel import sin_turns

NODE = """
import numpy as np
from numba import njit
from graphvoip import Node, Output
from graphvoip.kernel import kernel
from graphvoip.plan import Plan
import constants

TABLE = np.zeros(2048)
TABLE[1000] = {table}
PAIR = ({pair}, 0.0)

@njit
def helper(x):
    return x * {helper}

class Wave(Node):
    out = Output()

    @kernel
    def process(out):
        for i in range(out.size):
            out[i] = TABLE[1000] + PAIR[0] + helper(1.0) + constants.VALUE

node = Wave()
Plan([node]).run()
print(node.samples()[0])
"""


def run(folder, **values):
    values = {"table": 0, "pair": 0, "helper": 0, "constant": 0} | values
    (folder / "constants.py").write_text(f"VALUE = {values.pop('constant')}\n")
    (folder / "wave.py").write_text(NODE.format(**values))
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "wave.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout), "compiling" in done.stderr


def test_what_is_on_the_disk_is_used_until_something_changes(tmp_path):
    assert run(tmp_path) == (0.0, True)
    assert run(tmp_path) == (0.0, False)
    assert run(tmp_path, table=0.25)[0] == 0.25  # one of 2048 values: numpy prints it as the same array
    assert run(tmp_path, pair=0.5)[0] == 0.5
    assert run(tmp_path, helper=0.125)[0] == 0.125
    assert run(tmp_path, constant=2)[0] == 2.0
    assert run(tmp_path, table=0.25) == (0.25, False)


def test_a_node_typed_at_a_prompt_works():
    text = """
from graphvoip import Node, Output
from graphvoip.kernel import kernel
from graphvoip.plan import Plan

class One(Node):
    out = Output()
    @kernel
    def process(out):
        out[:] = 1

node = One()
Plan([node]).run()
print(node.samples()[0])
"""
    done = subprocess.run([sys.executable, "-"], input=text, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "1.0", done.stderr


def test_the_polynomial_is_a_sine():
    turns = np.linspace(-3, 3, 10001).astype(np.float32)
    error = [float(sin_turns(x)) - np.sin(2 * np.pi * float(x)) for x in turns]
    assert np.abs(error).max() < 5e-7
