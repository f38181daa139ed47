"""What of the documentation is made from the code is as the code is; `python docs/make.py` makes it anew."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NODES = sorted(path.stem for path in (ROOT / "graphvoip" / "nodes").glob("[!_]*.py"))
PATCHES = sorted(path.stem for path in (ROOT / "patches").glob("*.json"))


def sections(page):
    """The text below each of a page's headings."""
    found, title = {}, ""
    for line in (ROOT / "docs" / page).read_text("utf-8").splitlines():
        if line.startswith("#"):
            title = line.lstrip("#").strip()
        found[title] = f"{found.get(title, '')}{line}\n"
    return found


def test_nothing_is_out_of_date():
    """In a process of its own: other tests have nodes of their own."""
    done = subprocess.run([sys.executable, ROOT / "docs" / "make.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", NODES)
def test_a_node_has_its_entry_and_its_picture(name):
    text = sections("nodes.md")[name]
    assert len(text.splitlines()) > 8
    has_example = ">>> " in (ROOT / "graphvoip" / "nodes" / f"{name}.py").read_text("utf-8")
    picture = ROOT / "docs" / "nodes" / f"{name}.png"
    assert has_example == ("```py\n" in text) == (f"](nodes/{name}.png)" in text) == picture.exists()
    assert not has_example or 100 < picture.stat().st_size < 16_000


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_has_its_entry_and_its_pictures(name):
    text = sections("gallery.md")[name]
    document = json.loads((ROOT / "patches" / f"{name}.json").read_text("utf-8"))
    assert document["doc"].split(":")[0] in text
    for kind in ("svg", "png"):
        assert f"](gallery/{name}.{kind})" in text
        assert (ROOT / "docs" / "gallery" / f"{name}.{kind}").exists()
    assert text.endswith("</details>\n\n") or name == PATCHES[-1]


def test_the_schema_takes_every_patch():
    """Its keys and nodes and what they must have; editors check the rest too."""
    schema = json.loads((ROOT / "docs" / "patch.schema.json").read_text("utf-8"))
    documents = [json.loads((ROOT / "patches" / f"{name}.json").read_text("utf-8")) for name in PATCHES]
    own = {name for document in documents for name in (*document.get("patches", {}), "poly")}
    used = {node["type"] for document in documents for node in document["nodes"].values()}
    assert used - own <= set(schema["$defs"])
    for document in documents:
        assert set(schema["required"]) <= set(document) <= set(schema["properties"])
        for node in document["nodes"].values():
            if node["type"] in schema["$defs"]:
                kind = schema["$defs"][node["type"]]
                assert set(node) <= set(kind["properties"])
                assert set(kind["required"]) <= set(node)


def test_they_are_small():
    assert sum(path.stat().st_size for path in (ROOT / "docs" / "nodes").glob("*")) < 1_500_000
    assert sum(path.stat().st_size for path in (ROOT / "docs" / "gallery").glob("*")) < 2_500_000
    assert sum(path.stat().st_size for path in (ROOT / "tests" / "golden").glob("*.flac")) < 2_000_000
