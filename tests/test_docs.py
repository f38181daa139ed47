"""The documentation's code runs.

A ```python block is a module. If it defines `handler`, this is rung and keys are pressed after 2 s: 1234, or those of
a comment just above the block, <!-- keys: 12# -->. Functions test_... are run, with the fixture `phone` if
they take it.
In ```sh blocks `graphvoip` is run or parsed, and what `make` and `python` are given must exist.
"""

import inspect
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import typer

from graphvoip.cli import app
from graphvoip.cli_files import import_file

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "server_setup.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"(?:<!-- keys: (?P<keys>\S+) -->\n+)?^```(?P<kind>python|sh)\n(?P<text>.*?)^```$", re.M | re.S)

# The commands that are tested.
OURS = re.compile(r"^(?:\w+=\S* +)*(?:\.venv/bin/)?((?:graphvoip|make|python [\w/]+\.py)\b.*)$", re.M)

LINK = re.compile(r"\]\((?!\w+://)([^)#\s]+)")  # to a file of ours

SERVERS = {"serve", "play"}  # commands that would answer calls for ever: they are parsed and not run


class Block(NamedTuple):
    name: str
    keys: str
    text: str


def blocks(kind):
    for page in PAGES:
        text = page.read_text()
        for found in FENCE.finditer(text):
            if found["kind"] == kind:
                line = text.count("\n", 0, found.start("text"))
                name = f"{page.stem}_{line}"
                yield pytest.param(Block(name, found["keys"] or "1234", found["text"]), id=name)


def commands():
    for param in blocks("sh"):
        block = param.values[0]
        for found in OURS.finditer(block.text.replace("\\\n", " ")):
            words = shlex.split(found[1], comments=True)
            yield pytest.param(words, id=f"{block.name} {shlex.join(words)}")


@pytest.fixture
def checkout(tmp_path):
    """A folder that looks like the checkout to what the pages run, and takes what they write."""
    for folder in ("examples", "assets", "patches"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    return tmp_path


@pytest.mark.parametrize("block", list(blocks("python")))
async def test_python(block, phone, checkout, tmp_path, monkeypatch):
    monkeypatch.chdir(checkout)
    monkeypatch.syspath_prepend(str(ROOT))
    file = tmp_path / f"{block.name}.py"
    file.write_text(block.text)
    module, _ = import_file(file)
    for name, value in vars(module).items():
        if name.startswith("test_"):
            result = value(*[phone] * len(inspect.signature(value).parameters))
            if inspect.isawaitable(result):
                await result
    if "handler" in vars(module) and "test_" not in block.text:
        async with phone(module.handler) as p:
            await p.wait(2)
            await p.press(block.keys)
            await p.hung_up()


@pytest.mark.parametrize("words", list(commands()))
def test_commands(words, checkout):
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.M)
    elif words[0] == "python":
        assert (ROOT / words[1]).is_file()
    elif len(words) > 1 and words[1] in SERVERS:
        command = typer.main.get_command(app).commands[words[1]]
        context = command.make_context(words[1], words[2:])
        assert (ROOT / context.params.get("file", context.params.get("patch"))).is_file()
    else:
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", *words]
        done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=checkout, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    prose = FENCE.sub("", page.read_text("utf-8"))
    assert [link for link in LINK.findall(prose) if not (page.parent / link).exists()] == []


def test_the_server_page_stands_at_the_top_and_its_commands_are_tested():
    assert (ROOT / "server_setup.md").is_file()
    assert not (ROOT / "docs" / "server_setup.md").exists()
    assert any(param.id.startswith("server_setup_") for param in commands())
