"""The pages: blocks run, links and paths lead somewhere, the reference is what the code says."""

import ast
import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mirror.samples import network
from tests.test_readme import BLOCK, ENVIRONMENT, matches
from zooselect.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted({*DOCS.glob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("*/README.md")})
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
RUN = [page for page in PAGES if page.parent == DOCS and page.name != "README.md"]


@pytest.fixture
def run(tmp_path):
    """Run something as a reader of a page does, in a folder with a file `model.onnx`."""
    (tmp_path / "model.onnx").write_bytes(network())
    home = tmp_path / "home"
    home.mkdir()

    def call(*command):
        done = subprocess.run(
            command,
            env={**ENVIRONMENT, "HOME": str(home)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return call


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_blocks_run_one_after_the_other(page, run):
    for language, text in BLOCK.findall(page.read_text("utf-8")):
        if language == "python":
            code, printed = run(sys.executable, "-W", "error", "-c", text)
            assert code == 0, printed
        elif language == "console":
            for part in re.split(r"^(?=\$ )", text, flags=re.M)[1:]:
                command, _, shown = part.partition("\n")
                code, printed = run("bash", "-c", command[2:])
                assert "Traceback" not in printed
                assert matches(shown, printed), f"{command}\n{printed}"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            other = page.parent / path if path else page
            assert other.exists(), target
            assert not anchor or anchor in anchors(other), target


def anchors(page):
    """The anchors that a page's headings have."""
    heads = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_paths_and_targets_are_there(page):
    text = page.read_text("utf-8")
    for path in re.findall(r"`((?:tests|zooselect|fixtures|catalog-source|docs)/[^`\s*…]*)`", text):
        assert (ROOT / path).exists(), path
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"`make ([a-z-]+)`", text):
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_every_page_stands_in_the_index():
    index = (DOCS / "README.md").read_text("utf-8")
    for page in DOCS.glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in index, page.name


def test_every_setting_stands_in_the_table():
    source = ast.parse(inspect.getsource(sys.modules[Settings.__module__]))
    texts = {node.value for node in ast.walk(source) if isinstance(node, ast.Constant)}
    names = {one for one in texts if re.fullmatch(r"(ZOOSELECT|SPARSEZOO)_[A-Z_]+", str(one))}
    table = re.findall(r"^\| `([A-Z_]+)` \|", (DOCS / "offline.md").read_text("utf-8"), re.M)
    assert set(table) == names
    assert len(table) == len(names)


def test_the_reference_is_what_the_code_says(tmp_path):
    script = shutil.copy(DOCS / "cli_reference.py", tmp_path)
    subprocess.run([sys.executable, script], check=True, env={**ENVIRONMENT, "COLUMNS": "40"})
    made = (tmp_path / "cli.md").read_text("utf-8")
    assert (DOCS / "cli.md").read_text("utf-8") == made, "run `make docs`"
