"""The file: self-contained, the same every time, and nothing in it is taken for markup."""

import base64
import hashlib
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.samples import HOSTILE, data_of, hostile, large, one_by_one, words_of
from zooselect import Catalog, __version__
from zooselect.catalog.provenance import Provenance
from zooselect.level import BANDS, SPARSE_TRANSFER
from zooselect.report.page import as_script, page
from zooselect.task import TASKS

CATALOG = Catalog.embedded()
PAGE = page(CATALOG, TASKS)
#: Bytes: of all 11 tasks of the embedded catalog; and of any task, whatever the catalog's size.
MOST_BYTES = 256 * 1024
MOST_BYTES_A_TASK = 192 * 1024


class Markup(HTMLParser):
    """The elements of a page, and the texts of its styles and scripts."""

    def __init__(self, content):
        super().__init__()
        self.elements, self.texts, self._open = [], [], []
        self.feed(content.decode())
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in ("style", "script"):
            self._open.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag in ("style", "script"):
            self._open.pop()

    def handle_data(self, data):
        if self._open:
            self.texts.append((*self._open[-1], data))


def skeleton(content):
    """The elements of a page, without those of its table's rows."""
    return [one for one in Markup(content).elements if one[0] not in ("tr", "td", "th", "wbr", "b")]


def test_no_clock_no_chance():
    assert page(CATALOG, TASKS) == PAGE
    turned = Catalog.from_records(reversed(CATALOG.models), CATALOG.provenance)
    assert page(turned, TASKS) == PAGE
    again = subprocess.run(
        [sys.executable, "-c",
         "import sys; from zooselect.cli.main import run; sys.exit(run(['report', '-o', '-']))"],
        capture_output=True, check=True, timeout=60,
        env={"PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo"},
    )  # fmt: skip
    assert again.stdout == PAGE


def test_size():
    assert len(PAGE) < MOST_BYTES
    assert len(page(large(5000), TASKS[:1])) < MOST_BYTES_A_TASK


def test_nothing_is_loaded():
    text = PAGE.decode()
    # The one address in it is the name of SVG, which is never fetched.
    names = set(re.findall(r"""https?://[^\s"'<>)]+""", text))
    assert names == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"@import|url\(|(?<!:)//[a-z0-9.-]+\.[a-z]{2,}", text)
    for tag, attributes in Markup(PAGE).elements:
        assert tag not in {"iframe", "object", "embed", "img", "base", "a", "video", "audio"}
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert "src" not in attributes
        assert attributes.get("href", "data:").startswith("data:")


def test_the_policy_lets_only_its_own_run():
    markup = Markup(PAGE)
    (policy,) = [one["content"] for tag, one in markup.elements if tag == "meta" and
                 one.get("http-equiv") == "Content-Security-Policy"]  # fmt: skip
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe" not in policy
    digests = {"style": [], "script": []}
    for tag, attributes, text in markup.texts:
        if attributes.get("type") != "application/json":
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            digests[tag].append(f"'sha256-{digest}'")
    assert [rules["style-src"]] == digests["style"]
    assert [rules["script-src"]] == digests["script"]


def test_the_script_makes_no_markup():
    script = next(text for tag, attributes, text in Markup(PAGE).texts if tag == "script" and
                  not attributes)  # fmt: skip
    for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval", "Function(",
                 "fetch", "XMLHttp", "import("):  # fmt: skip
        assert word not in script


def test_the_static_table_has_every_answer():
    text = words_of(PAGE)
    for task in data_of(PAGE)["tasks"]:
        assert task["title"] + ": what every level comes to" in text
        for band in task["bands"]:
            assert band["stub"] in text
            assert f"{band['levels']}{band['network']} {band['stub']}" in text
    assert len(data_of(PAGE)["tasks"]) == len(TASKS)
    rows = [one for one in Markup(PAGE).elements if one[0] == "th" and one[1]["scope"] == "row"]
    assert len(rows) == len(TASKS) * len(BANDS[SPARSE_TRANSFER])


def test_provenance():
    text = words_of(PAGE)
    for told in (
        "reconstruction from public records", "not the vendor's data", CATALOG.provenance.digest,
        CATALOG.provenance.compiled, f"zooselect {__version__}", "430", "not affiliated",
    ):  # fmt: skip
        assert told in text
    assert CATALOG.provenance.location not in text  # where a file lies is nobody's business


def test_a_hostile_catalog_is_text(tmp_path):
    tame = None
    for number, catalog in enumerate(one_by_one(tmp_path)):
        content = page(catalog, TASKS[:1])
        content.decode()
        tame = tame or page(
            Catalog.from_records(catalog.models, Provenance("file", "", "")), TASKS[:1]
        )
        assert skeleton(content) == skeleton(tame)
        bands = data_of(content)["tasks"][0]["bands"]
        shown = "".join(c if c.isprintable() else " " for c in HOSTILE[number]).strip()
        assert shown in " ".join(bands[3]["words"])  # shown, and as it is
        assert " ".join(shown.split()) in words_of(content)  # the date it says it was compiled
        assert content.count(b"<script") == 2
        assert b"<img" not in content
    catalog = Catalog.from_file(hostile(tmp_path))
    assert len(catalog.provenance.skipped) == 1
    content = page(catalog, TASKS[:1])
    assert skeleton(content) == skeleton(tame)
    assert "9, 1 unusable left out" in words_of(content)


@given(
    st.recursive(
        st.text(st.characters(exclude_categories=())) | st.sampled_from(HOSTILE),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    )
)
def test_any_data_stays_in_its_script(data):
    import json

    text = as_script(data)
    assert not set(text) & set("<>&\u2028\u2029")
    assert text.isascii()
    assert json.loads(text) == data


def test_numbers_that_are_no_json_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_script({"a": float("nan")})


def test_nothing_to_show():
    empty = Catalog.from_records((), Provenance("mirror", "", "sha256:0"))
    content = page(empty, ())
    assert "none of the tasks zooselect knows has a model here" in words_of(content)
    assert data_of(content)["tasks"] == []
