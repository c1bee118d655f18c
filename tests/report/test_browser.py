"""The page in a real browser: what a person sees, and that nothing else happens."""

import contextlib
import functools
import json
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.report.browser import CHROMIUM, Browser
from tests.report.samples import hostile, one_by_one
from zooselect import Catalog, resolve
from zooselect.level import BANDS, SPARSE_TRANSFER
from zooselect.report.facts import MOST_MODELS, facts_of
from zooselect.report.page import page
from zooselect.task import TASKS, Task

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
    pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash, to start Chromium"),
]

CATALOG = Catalog.embedded()
#: What is shown at each of the 101 levels, the slider moved as by a hand.
WALK = """
(() => {
  const level = document.getElementById("level");
  return [...Array(101).keys()].map((hundredth) => {
    level.value = String(hundredth);
    level.dispatchEvent(new Event("input", {bubbles: true}));
    const text = (id) => document.getElementById(id).textContent;
    return [text("readout"), text("stub"), text("size"), text("quality"), text("got"),
            text("asked"), level.getAttribute("aria-valuetext"), text("status")];
  });
})()
"""
VISIBLE_ROWS = """
[...document.querySelectorAll("#rows tr")].filter((row) => !row.hidden)
  .map((row) => row.dataset.stub)
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """One browser for all, with a profile of its own."""
    started = Browser(tmp_path_factory.mktemp("chromium"))
    yield started
    started.close()


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """The page of every task, as a file."""
    path = tmp_path_factory.mktemp("page") / "zoo.html"
    path.write_bytes(page(CATALOG, TASKS))
    return path.as_uri()


@pytest.fixture
def opened(browser, zoo):
    """The page, just opened; it asks for nothing but itself and has nothing to complain of."""
    browser.screen(1200, 900)
    browser.open(zoo)
    yield browser
    browser.run("new Promise((done) => setTimeout(done, 50))")
    assert [url.partition("#")[0] for url in browser.requests] == [zoo]
    assert browser.complaints == []


def choose(browser, selector, value, kind="input"):
    """Set a control, as a person does."""
    browser.run(
        f"""(() => {{ const one = document.querySelector({json.dumps(selector)});
        if (one.type === "checkbox") one.checked = {json.dumps(value)};
        else one.value = {json.dumps(value)};
        one.dispatchEvent(new Event({json.dumps(kind)}, {{bubbles: true}})); }})()"""
    )


def test_it_opens_in_the_middle(opened):
    assert opened.text("#readout") == "0.50"
    assert opened.run("document.getElementById('task').value") == TASKS[0].name
    assert opened.run("document.getElementById('stub').textContent") == resolve("ic").stub
    assert opened.run("document.querySelectorAll('#plot svg path.step').length") >= 2
    assert opened.run("document.querySelectorAll('.ladder:not([hidden])').length") == 1
    assert opened.run("document.querySelector('#level').labels[0].textContent") == "Optim level"


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_each_of_101_levels_shows_what_resolve_says(opened, task):
    choose(opened, "#task", task.name, "change")
    seen = opened.run(WALK)
    for hundredth, shown in enumerate(seen):
        readout, stub, size, quality, got, asked, spoken, status = shown
        answer = resolve(task.name, hundredth / 100, catalog=CATALOG)
        assert readout == f"{hundredth / 100:.2f}"
        assert stub == answer.stub
        assert float(size.split()[0]) * (1000 if "billion" in size else 1) == pytest.approx(
            answer.dense_millions, rel=5e-3
        )
        if answer.quality is None:
            assert quality == "not on record"
        else:
            assert float(quality) == pytest.approx(answer.quality, rel=1e-3)
        assert got.replace(" + ", "_") == answer.model.optimization
        wanted = answer.band.optimization.replace("_", " + ")
        assert asked == f"{answer.band.tier} size, {wanted}"
        assert spoken == f"{readout}: {answer.band.tier}, {wanted}"
        assert answer.model.network in status
    asked = list(dict.fromkeys(one[5] for one in seen))
    assert asked == [
        f"{band.tier} size, {band.optimization.replace('_', ' + ')}"
        for band in BANDS[SPARSE_TRANSFER]
    ]


def test_keys_move_the_level(opened):
    opened.run("document.getElementById('level').focus()")
    for key, times, readout in (
        ("ArrowRight", 1, "0.51"), ("ArrowLeft", 3, "0.48"), ("Home", 1, "0.00"),
        ("ArrowRight", 1, "0.01"), ("End", 1, "1.00"), ("ArrowRight", 1, "1.00"),
    ):  # fmt: skip
        opened.press(key, times)
        assert opened.text("#readout") == readout
        assert opened.run("document.getElementById('stub').textContent") == (
            resolve("ic", float(readout)).stub
        )
    opened.press("Home")
    opened.press("PageUp")
    assert 0 < float(opened.text("#readout")) < 1


def test_everything_is_reached_by_tab_and_seen_to_be(opened):
    reached = []
    for _ in range(22):
        opened.press("Tab")
        name, outline = opened.run(
            "(() => { const one = document.activeElement; return [one.id || one.dataset.sort,"
            " getComputedStyle(one).outlineStyle]; })()"
        )
        reached.append(name)
        assert outline == "solid", name
        if name == "unfold":
            break
    assert reached == [
        "task", "level", "copy", "by-name", "by-kind", "by-dataset", "by-size", "by-bytes",
        "by-quality", "by-candidate", "network", "kind", "sparsity", "millions", "bytes",
        "quality", "confidence", "unfold",
    ]  # fmt: skip


def test_the_ladder_and_the_list_show_where_one_is(opened):
    choose(opened, "#level", "90")
    assert opened.run(
        "[...document.querySelectorAll('.ladder:not([hidden]) tbody tr')]"
        ".map((row) => row.getAttribute('aria-current'))"
    ) == [None] * 4 + ["true"]  # fmt: skip
    stub = resolve("ic", 0.9).stub
    for selector in ("#rows tr.on", "#plot path.on", "#plot circle.on"):
        found = f"document.querySelector({json.dumps(selector)}).dataset.stub"
        assert opened.run(found) == stub


def rows(keep, task="ic"):
    """Stubs of the list's models that are kept."""
    return {
        one["stub"] for one in facts_of(CATALOG, Task.parse(task)).to_dict()["models"] if keep(one)
    }


@pytest.mark.parametrize(
    ("filters", "keep"),
    [
        ({}, lambda one: "why_not" not in one),
        ({"by-candidate": False}, lambda one: True),
        ({"by-quality": True}, lambda one: "why_not" not in one and "quality" in one),
        ({"by-kind": "pruned"}, lambda one: "why_not" not in one and one["kind"] == "pruned"),
        ({"by-name": " MobileNet "},
         lambda one: "why_not" not in one and "mobilenet" in one["stub"]),
        ({"by-size": "5"}, lambda one: "why_not" not in one and one["millions"] <= 5),
        ({"by-bytes": "10.5"},
         lambda one: "why_not" not in one and one.get("bytes", 1e9) <= 10.5e6),
        ({"by-candidate": False, "by-bytes": "0"}, lambda one: False),
        ({"by-candidate": False, "by-dataset": "cifar_10"},
         lambda one: one["dataset"] == "cifar_10"),
        ({"by-name": "<b>nothing"}, lambda one: False),
        ({"by-name": "resnet", "by-kind": "base", "by-quality": True, "by-size": "30"},
         lambda one: "why_not" not in one and "resnet" in one["stub"] and one["kind"] == "base"
         and "quality" in one and one["millions"] <= 30),
    ],
)  # fmt: skip
def test_filters(opened, filters, keep):
    for name, value in filters.items():
        choose(opened, f"#{name}", value)
    wanted = rows(keep)
    few = opened.run(VISIBLE_ROWS)
    assert len(few) == min(12, len(wanted))
    if len(wanted) > 12:
        assert opened.text("#unfold") == f"Show all {len(wanted)}"
        opened.run("document.getElementById('unfold').click()")
    shown = opened.run(VISIBLE_ROWS)
    assert len(shown) == len(set(shown))
    assert set(shown) == wanted
    assert opened.text("#count").startswith(
        f"{len(wanted)} of {len(rows(lambda one: True))} models"
    )
    assert opened.run("document.getElementById('unfold').hidden")


def test_bytes_where_they_are_on_record(opened):
    choose(opened, "#task", "question_answering", "change")
    seen = {}
    for level in ("30", "60"):
        choose(opened, "#level", level)
        count = resolve("qa", float(level) / 100).model.compressed_size_bytes
        seen[count is None] = opened.text("#on-disk")
        assert count is None or seen[False] == f"{count / 1e6:.3g} MB"
    assert seen[True] == "not on record"
    choose(opened, "#by-bytes", "10")
    (stub,) = opened.run(VISIBLE_ROWS)
    assert stub == resolve("qa", 0.9).stub
    cells = opened.run("document.querySelector('#rows tr:not([hidden])').innerText")
    assert f"{resolve('qa', 0.9).model.compressed_size_bytes / 1e6:.4g}" in cells


def test_the_controls_say_of_what(opened):
    labels = {
        name: opened.text(f"label[for={name}]") for name in ("by-size", "by-bytes", "by-dataset")
    }
    assert labels == {
        "by-size": "At most, million parameters", "by-bytes": "At most, MB on disk",
        "by-dataset": "Data set",
    }  # fmt: skip
    bands = opened.run(
        "[...document.querySelectorAll('#bands li')]"
        ".map((one) => [...one.children].map((part) => part.textContent).join(' '))"
    )
    assert bands == [
        "0 largest base", "above 0 largest quantized", "0.25 largest pruned + quantized",
        "0.5 medium pruned + quantized", "0.75 smallest pruned + quantized",
    ]  # fmt: skip
    assert opened.run("document.querySelector('#bands .point b').checkVisibility()")


#: The boxes of the plot's labels that are crossed by the ladder's line, a model or a text.
CROSSED = """
(() => {
  const root = document.querySelector("#plot svg");
  const place = (one) => {
    const box = one.getBBox();
    return [box.x, box.y, box.x + box.width, box.y + box.height];
  };
  const meet = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
  const line = root.querySelector(".path");
  const points = [...Array(2001).keys()].map((part) => {
    const at = line.getPointAtLength(line.getTotalLength() * part / 2000);
    return [at.x, at.y, at.x, at.y];
  });
  const labels = [...root.querySelectorAll(".level")];
  const texts = [...root.querySelectorAll(".axis"), ...labels];
  return labels.filter((label) => {
    const box = place(label);
    return points.some((one) => meet(one, box)) ||
      texts.some((one) => one !== label && meet(place(one), box));
  }).map((one) => one.textContent);
})()
"""


@pytest.mark.parametrize("width", [375, 1200])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_nothing_in_the_plot_hides_another(browser, zoo, task, width):
    browser.screen(width, 800)
    browser.open(f"{zoo}#{task.name}/0.5")
    assert browser.run(CROSSED) == []
    models = "[...document.querySelectorAll('#plot path.mark[data-stub]:not(.step)')]"
    drawn = browser.run(f"{models}.map((one) => one.getAttribute('d'))")
    assert len(set(drawn)) == len(drawn) > 0
    cut = browser.run("document.querySelector('#plot').textContent.includes('not start at 0')")
    assert cut is (task.metric is not None)
    browser.screen(1200, 900)


@pytest.mark.parametrize("key", ["millions", "sparsity", "bytes", "quality"])
def test_sorting(opened, key):
    choose(opened, "#by-candidate", False)
    opened.run("document.getElementById('unfold').click()")
    values = {one["stub"]: one.get(key) for one in facts_of(CATALOG, TASKS[0]).to_dict()["models"]}
    button = f"document.querySelector('[data-sort={key}]')"
    directions = []
    for _ in range(2):
        opened.run(f"{button}.click()")
        directions.append(opened.run(f"{button}.parentElement.getAttribute('aria-sort')"))
        shown = [values[stub] for stub in opened.run(VISIBLE_ROWS)]
        known = [one for one in shown if one is not None]
        assert shown == known + [None] * (len(shown) - len(known))  # unknown last, both ways
        assert known == sorted(known, reverse=directions[-1] == "descending")
    assert set(directions) == {"ascending", "descending"}


@pytest.mark.parametrize("clipboard", [True, False], ids=["clipboard", "plain http"])
def test_copy(opened, clipboard):
    opened.call("Browser.grantPermissions", permissions=["clipboardReadWrite"])
    opened.run("navigator.clipboard.writeText('what was')")
    opened.run("window.real = navigator.clipboard; 0")
    if not clipboard:
        opened.run("Object.defineProperty(navigator, 'clipboard', {value: undefined}); 0")
    choose(opened, "#level", "90")
    opened.run("document.getElementById('copy').focus()")
    opened.press("Enter")
    opened.run("new Promise((done) => setTimeout(done, 200))")
    assert opened.text("#copy") == "Copied"
    assert opened.run("window.real.readText()") == resolve("ic", 0.9).stub
    choose(opened, "#level", "0")
    assert opened.text("#copy") == "Copy"


def test_an_address_names_task_and_level(browser, zoo):
    for anchor, task, level in (
        ("#question_answering/0.75", "question_answering", "0.75"),
        ("#qa", TASKS[0].name, "0.50"), ("#%zz/%zz", TASKS[0].name, "0.50"),
        ("#segmentation/7", "segmentation", "0.50"), ("#segmentation/-0.1", "segmentation", "0.50"),
    ):  # fmt: skip
        browser.open(zoo + anchor)
        assert browser.run("document.getElementById('task').value") == task
        assert browser.text("#readout") == level
        assert browser.complaints == []
    browser.run("document.getElementById('level').focus()")
    browser.press("ArrowRight")
    assert browser.run("location.hash") == "#segmentation/0.51"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 375, 768, 1200])
def test_it_fits_every_screen_and_can_be_read(browser, zoo, width, dark):
    browser.screen(width, 800, dark=dark)
    for task in ("image_classification", "text_generation"):
        browser.open(f"{zoo}#{task}/0.3")
        assert browser.run("document.documentElement.scrollWidth <= innerWidth")
        assert browser.run("document.querySelector('#plot svg').clientWidth <= innerWidth")
        low = browser.run(CONTRAST)
        assert low == []
    browser.screen(1200, 900)


#: Texts of less than 4.5 : 1 against what is behind them (WCAG 2.2, 1.4.3).
CONTRAST = """
(() => {
  const parts = (color) => color.match(/[0-9.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = parts(color).map((one) => {
      const part = one / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      const alpha = parts(color)[3];
      if (alpha === undefined || alpha > 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const low = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !one.checkVisibility()) continue;
    const style = getComputedStyle(one);
    const color = one.namespaceURI.endsWith("svg") ? style.fill : style.color;
    const [a, b] = [light(color), light(behind(one))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push([one.tagName, one.className, walker.currentNode.data, ratio]);
  }
  return low;
})()
"""


def test_without_scripts_it_is_the_table(browser, zoo):
    browser.open(zoo, scripts=False)
    assert browser.run("document.querySelectorAll('.ladder tbody tr').length") == 5 * len(TASKS)
    assert "here is what every level comes to" in browser.text("main")
    assert resolve("qa", 0.9).stub in browser.text("main")
    assert not browser.run("document.getElementById('level').checkVisibility()")
    assert browser.complaints == []
    browser.open(zoo)


def test_a_hostile_catalog_does_nothing(browser, tmp_path):
    catalogs = [*one_by_one(tmp_path), Catalog.from_file(hostile(tmp_path))]
    for number, catalog in enumerate(catalogs):
        path = tmp_path / f"{number}.html"
        path.write_bytes(page(catalog, TASKS[:1]))
        browser.open(path.as_uri())
        browser.run(WALK)
        assert browser.run("window.hit") is None
        assert browser.run("document.querySelectorAll('img, iframe, object, b > *').length") == 0
        assert browser.run("document.scripts.length") == 2
        assert browser.requests == [path.as_uri()]
        assert browser.complaints == []
        assert "Quality: top1 accuracy" in browser.text("#words")


def test_the_policy_holds_in_the_browser(browser, zoo):
    browser.open(zoo)
    for script in (
        "document.body.append(Object.assign(document.createElement('script'), "
        "{textContent: 'window.hit = 1'}))",
        "document.body.insertAdjacentHTML('beforeend', '<b onclick=\"window.hit=1\">x</b>');"
        "document.body.lastChild.click()",
        "document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'}))",
    ):
        browser.run(f"(() => {{ {script} }})()")
    browser.run("new Promise((done) => setTimeout(done, 100))")
    assert browser.run("window.hit") is None
    assert browser.blocked == ["csp"]
    assert browser.complaints != []  # the policy speaks up, and so the other tests can hear it


def test_the_commands_it_tells(opened):
    choose(opened, "#level", "75")
    told = opened.run("document.getElementById('command').textContent")
    assert told == f"zooselect resolve {TASKS[0].name} -l 0.75"
    assert not opened.run("document.getElementById('files').checkVisibility()")


@contextlib.contextmanager
def web(folder):
    """A web server of a folder, for the browser alone; yields its URL."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_the_commands_it_tells_where_files_are(browser, tmp_path):
    catalog = Catalog.from_records(
        CATALOG.models, CATALOG.provenance._replace(source="mirror", location="/secret")
    )
    for name, served in (("zoo/index.html", True), ("zoo/report.html", False)):
        (tmp_path / "zoo").mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(page(catalog, TASKS[:1], served=served))
    stub = resolve(TASKS[0].name).stub
    with web(tmp_path) as url:
        for place, options in (
            (f"{url}/zoo/?a=1#x/0.5", f" --catalog {url}/zoo"),
            (f"{url}/zoo/report.html", " --catalog PATH_OR_URL"),
            ((tmp_path / "zoo" / "index.html").as_uri(), " --catalog PATH_OR_URL"),
        ):
            browser.open(place)
            told = browser.run("document.getElementById('command').textContent")
            assert told == f"zooselect resolve {TASKS[0].name} -l 0.50{options}"
            assert browser.text("#download") == f"zooselect download {stub}{options}"
            assert "secret" not in browser.text("body")
            assert browser.complaints == []


def test_a_data_set_that_is_not_the_task_s_own(browser, catalog_file, tmp_path):
    stub = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/food/pruned90_quant-none"
    path = tmp_path / "page.html"
    path.write_bytes(page(Catalog.from_file(catalog_file([{"stub": stub}])), TASKS[:1]))
    browser.open(path.as_uri())
    assert browser.run("document.getElementById('stub').textContent") == stub
    assert "--dataset food --catalog" in browser.text("#command")
    assert "trained on food" in browser.text("#plot-about")
    assert browser.text("#task") == "Image classification (food)"
    assert browser.complaints == []


def test_a_band_without_an_answer(browser, catalog_file, tmp_path):
    stub = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/pruned90_quant-none"
    path = tmp_path / "page.html"
    path.write_bytes(page(Catalog.from_file(catalog_file([{"stub": stub}])), TASKS[:1]))
    browser.open(path.as_uri())
    seen = browser.run(WALK)
    assert "nothing in this catalog" in seen[0][1]
    assert {one[1] for one in seen[1:]} == {stub}
    choose(browser, "#level", "0")
    assert "no base model" in browser.text("#words")
    assert browser.complaints == []


def test_nothing_to_show(browser, tmp_path):
    from zooselect.catalog.provenance import Provenance

    path = tmp_path / "page.html"
    path.write_bytes(page(Catalog.from_records((), Provenance("mirror", "", "")), ()))
    browser.open(path.as_uri())
    assert "Nothing to choose from" in browser.text("main")
    assert not browser.run("document.getElementById('level').checkVisibility()")
    assert browser.complaints == []


def test_a_cut_list_says_so(browser, tmp_path):
    from tests.report.samples import large

    path = tmp_path / "page.html"
    path.write_bytes(page(large(MOST_MODELS + 7), TASKS[:1]))
    browser.open(path.as_uri())
    assert f"The catalog has {MOST_MODELS + 7}" in browser.text("#count")
    assert browser.complaints == []
