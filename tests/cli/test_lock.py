"""`zooselect lock` and `download --locked`: folders, static mirrors and APIs, and drift of each."""

import hashlib
import json
import os
import shutil
import time

import pytest

from tests.downloads.zoo_server import V1, Zoo
from tests.serve.test_process import Running
from tests.serve.zoos import BASE, model, write
from zooselect.lock.file import read

FILES = {
    "model.onnx": b"network " * 4000,
    "deployment/model.onnx": b"deployed " * 4000,
    "deployment/config.json": b'{"a": 1}\n',
    "recipe.md": b"# recipe\n",
}
PINNED = ["deployment/config.json", "deployment/model.onnx", "model.onnx"]
PRUNED, DENSE = BASE + "pruned95_quant-none", BASE + "base-none"
PACKED = BASE + "pruned85_quant-none"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """A working folder and a cache of the test's own; retries wait for milliseconds."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("ZOOSELECT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("zooselect.net.retry._FIRST_WAIT", 0.002)
    monkeypatch.setenv("ZOOSELECT_RETRY_BUDGET", "1")


@pytest.fixture
def mirror(tmp_path):
    """Write a mirror folder of two models, and return it."""

    def make(files=FILES, *more, pruned=PRUNED):
        one = model(pruned, files, confidence="high", sparsity_percent=95)
        write(tmp_path / "zoo", one, model(DENSE, {"model.onnx": b"d"}, confidence="high"), *more)
        return tmp_path / "zoo"

    return make


@pytest.fixture
def zoo():
    """A server of one model that can be picked: an API and a static mirror."""

    class Sized(Zoo):
        def catalog(self):
            document = super().catalog()
            document["models"][0]["parameters_millions"] = 10.0
            return document

    started = Sized(FILES)
    yield started
    started.close()


@pytest.fixture
def serve(tmp_path):
    """Run the real `zooselect serve` of a folder, and return its URL."""
    running = []

    def start(folder):
        running.append(Running(folder, tmp_path / "serve.log"))
        return running[-1].process, f"http://127.0.0.1:{running[-1].port}"

    yield start
    for one in running:
        one.process.kill()
        one.process.wait()


def lock_text():
    with open("zooselect.lock", encoding="utf-8") as file:
        return file.read()


def kinds(outcome):
    return [one["kind"] for one in outcome.json["drift"]]


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def edited(old, new):
    """Edit the lock file by hand."""
    text = lock_text()
    assert old in text
    with open("zooselect.lock", "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))


# The file, from the catalog inside the package


def test_added_pinned_checked_and_removed(cli):
    added = cli("lock", "add", "ic", "-l", "50%", "--architecture", "resnet_v1")
    assert added.code == 0
    assert added.out == cli("resolve", "ic", "--architecture", "resnet_v1").out
    assert "its files are not pinned: the catalog has no files" in added.err
    before = lock_text()
    assert cli("lock").code == 0
    assert lock_text() == before
    assert cli("lock", "--check")[:2] == (0, "")
    removed = cli("lock", "rm", "image-classification")
    assert removed.code == 0
    assert "no longer pinned" in removed.out
    assert read("zooselect.lock").pins == ()


def test_adding_again_replaces_and_another_level_is_another_question(cli):
    for level in ("0.1", "0.9", "0.1"):
        assert cli("lock", "add", "qa", "-l", level, "--quiet").err == ""
    assert [pin.level for pin in read("zooselect.lock").pins] == [0.1, 0.9]
    assert cli("lock", "rm", "qa", "-l", "0.5").code == 3
    assert cli("lock", "rm", "qa", "od").code == 3
    assert len(read("zooselect.lock").pins) == 2
    assert cli("lock", "rm", "qa", "-l", "0.1").code == 0
    assert [pin.level for pin in read("zooselect.lock").pins] == [0.9]


def test_json_of_each_command(cli):
    added = cli("lock", "add", "od", "--strict", "--json", "--quiet")
    (pin,) = added.json["pins"]
    assert (pin["task"], pin["strict"], pin["exact"], pin["wanted"]) == (
        "object_detection", True, True, None,
    )  # fmt: skip
    assert added.json["stub"] == pin["stub"]
    assert added.json["answered_by"][0]["source"] == "snapshot"
    assert added.json["written"] is True
    assert added.err == ""
    again = cli("lock", "--json").json
    assert (again["written"], again["changes"]) == (False, [])
    checked = cli("lock", "--check", "--json").json
    assert (checked["drift"], checked["error"], checked["pins"]) == ([], None, [pin])
    assert cli("lock", "rm", "od", "--json").json["pins"] == []


def test_a_fallback_is_written_down(cli):
    assert cli("lock", "add", "qa", "-l", "0.1").code == 0
    (pin,) = read("zooselect.lock").pins
    assert (pin.wanted, pin.got) == ("quantized", "pruned_quantized")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--check"], 7, "no lock file zooselect.lock"),
        ([], 7, "no lock file zooselect.lock"),
        (["--upgrade"], 7, "no lock file zooselect.lock"),
        (["rm", "ic"], 7, "no lock file zooselect.lock"),
        (["--check", "--upgrade"], 2, "--check changes nothing, and --upgrade does"),
        (["--check", "add", "ic"], 2, "--check before add"),
        (["add", "ic", "-l", "2"], 2, "outside 0.0 to 1.0"),
        (["add", "ic", "--dataset", "a\udcffb"], 2, "not valid Unicode"),
        (["add", "no-task"], 2, "unknown task"),
        (["add", "ic", "--architecture", "none"], 3, "none"),
        (["nothing"], 2, "No such command 'nothing'"),
    ],
)
def test_refused(cli, arguments, code, message):
    outcome = cli("lock", *arguments)
    assert outcome.code == code
    assert message in outcome.errors[0]
    assert len(outcome.errors) == 1
    assert os.listdir() == []


def test_a_broken_file_stays_as_it_is(cli):
    cli("lock", "add", "ic")
    edited("schema = 1", "schema = 2")
    before = lock_text()
    for arguments in (["add", "od"], [], ["--upgrade"], ["--check"], ["rm", "ic"]):
        outcome = cli("lock", *arguments)
        assert outcome.code == 6
        assert "has schema 2" in outcome.errors[0]
    assert lock_text() == before


def test_another_file(cli, monkeypatch):
    assert cli("lock", "add", "ic", "--file", "a.lock").code == 0
    monkeypatch.setenv("ZOOSELECT_LOCK", "b.lock")
    assert cli("lock", "add", "ic").code == 0
    assert cli("lock", "--check", "--file", "a.lock").code == 0
    assert sorted(os.listdir()) == ["a.lock", "b.lock"]


# Drift, by kind


def test_a_changed_catalog_with_the_same_pick_is_told_and_no_drift(cli, mirror):
    zoo = mirror()
    cli("lock", "add", "ic", "-l", "0.9", "--catalog", zoo)
    mirror(FILES, model(BASE + "pruned50-none", {"model.onnx": b"x"}, confidence="high"))
    checked = cli("lock", "--check", "--catalog", zoo)
    assert checked.code == 0
    assert "has changed; 1 pick is the same" in checked.err
    assert cli("lock", "--catalog", zoo).code == 0
    assert "has changed" not in cli("lock", "--check", "--catalog", zoo).err


def test_a_changed_pick(cli, mirror):
    zoo = mirror()
    cli("lock", "add", "ic", "-l", "0.9", "--catalog", zoo)
    before = lock_text()
    results = [{"metric": "top1_accuracy", "value": 99.0, "units": "%"}]
    better = model(PACKED, FILES, confidence="high", sparsity_percent=85, results=results)
    mirror(FILES, better)
    checked = cli("lock", "--check", "--catalog", zoo, "--json")
    assert checked.code == 8
    assert kinds(checked) == ["pick"]
    assert checked.json["error"]["type"] == "LockError"
    assert checked.json["error"]["exit_code"] == 8
    refused = cli("lock", "--catalog", zoo)
    assert refused.code == 8
    assert f"{PRUNED} is pinned, and {PACKED} is picked" in refused.errors[0]
    assert lock_text() == before
    upgraded = cli("lock", "--upgrade", "--catalog", zoo)
    assert f"{PRUNED} -> {PACKED}" in upgraded.out
    assert [one.stub for one in read("zooselect.lock").models] == [PACKED]
    assert cli("lock", "--check", "--catalog", zoo).code == 0


def test_nothing_to_pick_any_more(cli, mirror):
    zoo = mirror()
    cli("lock", "add", "ic", "-l", "0.9", "--strict", "--catalog", zoo)
    mirror(pruned=BASE + "pruned95-none")
    checked = cli("lock", "--check", "--catalog", zoo, "--json")
    assert (checked.code, set(kinds(checked))) == (8, {"pick", "files"})
    before = lock_text()
    assert cli("lock", "--upgrade", "--catalog", zoo).code == 3
    assert lock_text() == before


def test_another_catalog_than_it_was_pinned_from(cli, mirror, tmp_path):
    mirror()
    asked = ("--catalog", "../zoo")
    cli("lock", "add", "ic", "-l", "0.9", *asked)
    before = lock_text()
    told = "pinned from mirror ../zoo/catalog.json; the embedded catalog answers now"
    edited(f'stub = "{PRUNED}"', f'stub = "{PACKED}"')  # as if that mirror had picked another
    for arguments in (("lock", "--check"), ("lock",)):
        refused = cli(*arguments)
        assert refused.code == 8
        assert told in refused.errors[0]
        assert "hint: ask where it was pinned from: --catalog ../zoo\n" in refused.err
        assert "--upgrade" not in refused.err
    document = cli("lock", "--check", "--json").json
    assert {one["ask"] for one in document["drift"]} == {"--catalog ../zoo"}
    # Of the same place, however it is written, it is drift like any other.
    refused = cli("lock", "--check", "--catalog", tmp_path / "zoo")
    assert refused.code == 8
    assert "pinned from" not in refused.err
    assert "--upgrade" in refused.err
    edited(f'stub = "{PACKED}"', f'stub = "{PRUNED}"')
    assert lock_text() == before


def test_pinned_from_the_embedded_catalog_and_asked_of_a_mirror(cli, mirror):
    zoo = mirror()
    cli("lock", "add", "qa", "-l", "0.9")
    refused = cli("lock", "--check", "--catalog", zoo)
    assert refused.code == 8
    assert f"pinned from the embedded catalog; mirror {zoo}/catalog.json answers" in refused.err
    assert "hint: ask where it was pinned from: leave out --catalog and --api-url" in refused.err


@pytest.mark.parametrize(
    ("catalog", "place"),
    [("zoo", "zoo"), ("./zoo", "./zoo"), ("zoo/catalog.json", "zoo")],
)
def test_a_folder_is_written_down_as_it_was_named(
    cli, mirror, tmp_path, monkeypatch, catalog, place
):
    texts = []
    mirror()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        shutil.copytree(tmp_path / "zoo", tmp_path / name / "zoo")
        monkeypatch.chdir(tmp_path / name)
        cli("lock", "add", "ic", "-l", "0.9", "--catalog", catalog)
        assert read("zooselect.lock").models[0].location == place
        assert cli("lock", "--check", "--catalog", catalog).code == 0
        assert cli("download", "--locked", "--catalog", catalog).code == 0
        texts.append(lock_text())
        assert str(tmp_path) not in texts[-1]
    assert texts[0] == texts[1]


def test_an_upgrade_says_the_sizes_before_and_after(cli, mirror):
    zoo = mirror()
    cli("lock", "add", "ic", "-l", "0.9", "--catalog", zoo)
    size = len(FILES["model.onnx"])
    mirror({**FILES, "model.onnx": b"other"})
    upgraded = cli("lock", "--upgrade", "--quiet", "--catalog", zoo)
    assert upgraded[:3] == (0, f"{PRUNED}: model.onnx: size {size} -> size 5\n", "")
    mirror({name: FILES[name] for name in PINNED[1:]})
    upgraded = cli("lock", "--upgrade", "--quiet", "--catalog", zoo)
    assert f"{PRUNED}: deployment/config.json: size 9 -> none\n" in upgraded.out


def test_a_locked_model_that_is_nowhere(cli, mirror, tmp_path, monkeypatch):
    mirror()
    cli("lock", "add", "ic", "-l", "0.9", "--catalog", "../zoo")
    unasked = cli("download", "--locked")
    assert unasked.code == 3
    assert "zooselect.lock pins its files from mirror ../zoo: --catalog ../zoo" in unasked.err
    write(tmp_path / "zoo", model(DENSE, {"model.onnx": b"d"}, confidence="high"))
    gone = cli("download", "--locked", "--catalog", "../zoo")
    assert gone.code == 8
    assert f"zooselect.lock has drifted: {PRUNED}: its files are pinned, and gone" in gone.errors[0]
    assert "--upgrade" in gone.err
    write(tmp_path / "other", model(DENSE, {"model.onnx": b"d"}, confidence="high"))
    elsewhere = cli("download", "--locked", "--catalog", "../other")
    assert elsewhere.code == 8
    assert "pinned from mirror ../zoo" in elsewhere.errors[0]
    assert "hint: ask where it was pinned from: --catalog ../zoo\n" in elsewhere.err


@pytest.mark.parametrize("what", [(), (PRUNED,)])
def test_a_level_of_no_task(cli, mirror, what):
    cli("lock", "add", "ic", "-l", "0.9", "--catalog", mirror())
    refused = cli("download", "--locked", *what, "-l", "0.5")
    assert refused.code == 2
    assert "hint: -l goes with a TASK" in refused.err


def test_a_changed_policy(cli, mirror):
    zoo = mirror()
    cli("lock", "add", "ic", "-l", "0.9", "--catalog", zoo)
    edited("policy = 1", "policy = 0")
    checked = cli("lock", "--check", "--catalog", zoo, "--json")
    assert (checked.code, kinds(checked)) == (8, ["policy"])
    assert cli("lock", "--catalog", zoo).code == 8
    assert "policy 0 -> 1" in cli("lock", "--upgrade", "--catalog", zoo).out


def test_a_file_changed_and_one_removed_in_a_folder(cli, mirror):
    zoo = mirror()
    cli("lock", "add", "ic", "-l", "0.9", "--catalog", zoo)
    mirror({**FILES, "model.onnx": b"other"})
    checked = cli("lock", "--check", "--catalog", zoo, "--json")
    assert (checked.code, kinds(checked)) == (8, ["files"])
    mirror({name: FILES[name] for name in PINNED[1:]})
    checked = cli("lock", "--check", "--catalog", zoo)
    assert checked.code == 8
    assert f"{PRUNED}: deployment/config.json is pinned, and gone" in checked.out
    # What is no part of a default download may change.
    mirror({**FILES, "recipe.md": b"# another"})
    assert cli("lock", "--check", "--catalog", zoo).code == 0


def test_a_model_pinned_twice_is_not_changed_under_the_other_question(cli, mirror):
    zoo = mirror()
    cli("lock", "add", "ic", "-l", "0.9", "--catalog", zoo)
    mirror({**FILES, "model.onnx": b"other"})
    refused = cli("lock", "add", "ic", "-l", "0.6", "--catalog", zoo)
    assert refused.code == 8
    assert [pin.level for pin in read("zooselect.lock").pins] == [0.9]
    assert cli("lock", "add", "ic", "-l", "0.9", "--catalog", zoo).code == 0
    assert cli("lock", "--check", "--catalog", zoo).code == 0


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_static_mirror(cli, zoo):
    assert cli("lock", "add", "ic", "-l", "0.9", "--catalog", zoo.url).code == 0
    (pinned,) = read("zooselect.lock").models
    assert [(file.name, file.size, file.sha256) for file in pinned.files] == [
        (name, len(FILES[name]), sha256(FILES[name])) for name in PINNED
    ]
    assert len(zoo.asked()) == 1
    zoo.files["model.onnx"] = b"other"
    # The kept answer is told of, and a day later, or with --refresh, asked for again.
    checked = cli("lock", "--check", "--catalog", zoo.url)
    assert checked.code == 0
    assert "ago; --refresh asks again" in checked.err
    checked = cli("lock", "--check", "--catalog", zoo.url, "--refresh", "--json")
    assert (checked.code, kinds(checked)) == (8, ["files"])


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_real_server(cli, mirror, serve):
    process, url = serve(mirror())
    assert cli("lock", "add", "ic", "-l", "0.9", "--api-url", url).code == 0
    (pinned,) = read("zooselect.lock").models
    assert [file.name for file in pinned.files] == PINNED
    assert all(file.md5 and not file.sha256 for file in pinned.files)
    # Once downloaded, their SHA-256 are known; nothing else changes.
    assert cli("download", "--locked", "--api-url", url).code == 0
    assert "more digests" in cli("lock", "--api-url", url).out
    (pinned,) = read("zooselect.lock").models
    assert [file.sha256 for file in pinned.files] == [sha256(FILES[name]) for name in PINNED]
    before = lock_text()
    assert cli("lock", "--api-url", url).code == 0
    assert lock_text() == before
    assert cli("lock", "--check", "--api-url", url).code == 0
    # A clone of the file checks without what was downloaded here.
    assert cli("cache", "rm", "--all").code == 0
    assert cli("lock", "--check", "--api-url", url).code == 0
    mirror({**FILES, "deployment/config.json": b'{"a": 2}\n'})
    # `serve` looks for another catalog once a second.
    deadline = time.monotonic() + 20
    while (checked := cli("lock", "--check", "--refresh", "--api-url", url, "--json")).code == 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert (checked.code, kinds(checked)) == (8, ["files"])
    assert "md5" in checked.json["drift"][0]["message"]
    process.kill()
    process.wait()


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_the_server_is_stopped(cli, mirror, serve):
    process, url = serve(mirror())
    assert cli("lock", "add", "ic", "-l", "0.9", "--api-url", url).code == 0
    before = lock_text()
    process.kill()
    process.wait()
    # What is kept proves nothing, unless it was asked for.
    for arguments in (["--check"], [], ["--upgrade"]):
        refused = cli("lock", *arguments, "--refresh", "--api-url", url)
        assert refused.code == 5
        assert "proves nothing" in refused.errors[0]
    offline = cli("lock", "--check", "--offline", "--api-url", url)
    assert offline.code == 0
    assert "its files were not checked: offline" in offline.err
    assert "an answer of" in offline.err
    assert cli("lock", "--offline", "--api-url", url).code == 0
    assert lock_text() == before


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_offline_and_nothing_kept_does_not_rewrite_what_a_server_said(cli, mirror, serve, tmp_path):
    process, url = serve(mirror(pruned=cli("resolve", "ic", "-l", "0.9").out.strip()))
    assert cli("lock", "add", "ic", "-l", "0.9", "--api-url", url).code == 0
    before = lock_text()
    assert cli("cache", "rm", "--all").code == 0
    process.kill()
    process.wait()
    outcome = cli("lock", "--offline", "--api-url", url)
    assert outcome.code == 0
    assert "answering from the catalog inside the package" in outcome.err
    assert lock_text() == before


# Downloads of what is pinned


def test_downloaded_and_not_asked_for_again(cli, mirror):
    zoo = mirror()
    cli("lock", "add", "ic", "-l", "0.9", "--catalog", zoo)
    cli("lock", "add", "ic", "-l", "0", "--catalog", zoo)
    plan = cli("download", "--locked", "ic", "-l", "0.9", "--dry-run", "--json", "--catalog", zoo)
    assert [file["name"] for file in plan.json["models"][0]["fetch"]] == PINNED
    done = cli("download", "--locked", "--catalog", zoo, "--json")
    assert done.code == 0
    assert [one["stub"] for one in done.json["models"]] == [DENSE, PRUNED]
    assert [file["name"] for file in done.json["models"][1]["files"]] == PINNED
    # Here and as pinned: nobody is asked, not even where there is nobody.
    again = cli("download", "--locked", PRUNED, "--offline", "--json")
    assert [one["fetched_bytes"] for one in again.json["models"]] == [0]


def test_another_version_that_is_here_is_replaced(cli, mirror, tmp_path):
    zoo = mirror({**FILES, "model.onnx": b"old"})
    assert cli("download", PRUNED, "--catalog", zoo).code == 0
    mirror()
    cli("lock", "add", "ic", "-l", "0.9", "--catalog", zoo)
    assert cli("download", "--locked", "--offline").code == 4
    done = cli("download", "--locked", "--catalog", zoo, "--json")
    assert done.json["models"][0]["fetched_bytes"] == len(FILES["model.onnx"])


def test_what_is_not_pinned_is_not_downloaded(cli, mirror, tmp_path):
    zoo = mirror()
    cli("lock", "add", "ic", "-l", "0.9", "--catalog", zoo)
    cli("lock", "add", "od")
    for what, message in [
        (DENSE, f"does not pin {DENSE}"),
        ("qa", "does not pin question_answering"),
        ("od", "pins no files of"),
    ]:
        refused = cli("download", "--locked", what, "--catalog", zoo, "--json")
        assert refused.code == refused.json["error"]["exit_code"] == 8
        assert message in refused.errors[0]
    mirror({**FILES, "model.onnx": b"other"})
    refused = cli("download", "--locked", PRUNED, "--catalog", zoo)
    assert refused.code == 8
    assert "model.onnx is pinned with size 32000, and has 5" in refused.errors[0]
    assert not (tmp_path / "cache" / "models").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--locked", "--only", "card"], "not by --only"),
        (["--locked", "ic", "--strict"], "not by --strict"),
        (["ic", "--file", "a.lock"], "--file names a lock file"),
        ([], "Missing argument 'STUB...|TASK'"),
    ],
)
def test_options_that_do_not_go_with_it(cli, arguments, message):
    outcome = cli("download", *arguments)
    assert outcome.code == 2
    assert message in outcome.errors[0]


@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize("states_md5", [True, False])
def test_the_bytes_are_those_pinned_whatever_the_server_states(cli, zoo, tmp_path, states_md5):
    cli("lock", "add", "ic", "-l", "0.9", "--catalog", zoo.url)
    zoo.md5 = zoo.size = states_md5
    assert cli("download", "--locked", "--api-url", zoo.url).code == 0
    assert cli("cache", "rm", "--all").code == 0
    # Other bytes of the same size; the lock's MD5 is taken out, so that the listing fits.
    zoo.files["model.onnx"] = zoo.files["model.onnx"][::-1]
    with open("zooselect.lock", "w", encoding="utf-8") as file:
        file.write(lock_of(zoo.url))
    refused = cli("download", "--locked", "--api-url", zoo.url)
    assert refused.code == 8
    assert "model.onnx is not the content pinned: its SHA-256 is another" in refused.errors[0]
    assert not list((tmp_path / "cache" / "models").rglob("model.onnx"))


def lock_of(location):
    """A lock of the server's model with SHA-256 alone."""
    files = "".join(
        f'    {{ name = "{name}", size = {len(FILES[name])}, sha256 = "{sha256(FILES[name])}" }},\n'
        for name in PINNED
    )
    pin = {
        "task": "image_classification", "optim_level": 0.9, "mode": "sparse-transfer",
        "policy": 1, "stub": V1, "exact": True, "catalog_source": "mirror",
        "catalog_location": location, "catalog_digest": "sha256:0",
    }  # fmt: skip
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in pin.items())
    head = f'[[model]]\nstub = "{V1}"\nfiles_source = "mirror"\nfiles_location = "{location}"\n'
    return f"schema = 1\n[[pin]]\n{lines}{head}files = [\n{files}]\n"


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_file_that_grew_beyond_its_pinned_size(cli, zoo):
    cli("lock", "add", "ic", "-l", "0.9", "--catalog", zoo.url)
    zoo.md5 = zoo.size = False
    zoo.files["model.onnx"] += b"more"
    refused = cli("download", "--locked", "--api-url", zoo.url)
    assert refused.code == 8
    assert "longer than the 32,000 bytes pinned" in refused.errors[0]


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_the_lock_of_a_mirror_holds_for_its_server(cli, mirror, serve):
    folder = mirror()
    cli("lock", "add", "ic", "-l", "0.9", "--catalog", folder)
    _, url = serve(folder)
    checked = cli("lock", "--check", "--api-url", url)
    assert checked.code == 0
    assert f"{url} answers, not " in checked.err
    assert cli("download", "--locked", "--api-url", url).code == 0
