"""What all commands share: errors, exit codes, streams, interruption."""

import contextlib
import errno
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import zooselect
from tests.examples import examples
from zooselect.cli.main import run

STUB = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/base-none"
COMMANDS = {
    "resolve": ["resolve", "ic"],
    "levels": ["levels", "ic"],
    "search": ["search"],
    "show": ["show", STUB],
}
every_command = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
posix = pytest.mark.skipif(os.name != "posix", reason="pipes and signals as POSIX has them")
full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")


def no_traceback(done):
    assert "Traceback" not in done.err
    assert "unexpected" not in done.err
    return done


# Help and version


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(cli, flag):
    done = cli(flag)
    assert (done.code, done.err) == (0, "")
    assert all(f"\n  {name} " in done.out for name in COMMANDS)
    for name in COMMANDS:
        page = cli(name, flag)
        assert (page.code, page.err) == (0, "")
        assert f"Usage: zooselect {name} " in page.out
        for option in ("--catalog", "--offline", "--json", "--quiet", "--verbose"):
            assert option in page.out


def test_every_resolve_option_is_documented(cli):
    page = cli("resolve", "--help").out
    for option in (
        "--optim-level", "--mode", "--dataset", "--architecture", "--framework", "--repo",
        "--target", "--strict", "--all-sizes", "--include-unverified", "--explain",
    ):  # fmt: skip
        assert option in page


def test_version(process):
    assert process("--version") == (0, f"zooselect {zooselect.__version__}\n", "")


# Errors


WRONG = [
    ([], 2, "UsageError", "no command given", "`zooselect --help`"),
    (["nothing"], 2, "UsageError", "No such command 'nothing'", "`zooselect --help`"),
    (["reslove"], 2, "UsageError", "No such command 'reslove'", "`zooselect resolve`?"),
    (["cache", "prnue"], 2, "UsageError", "No such command 'prnue'",
     "did you mean `zooselect cache prune`?"),
    (["--nothing"], 2, "UsageError", "No such option", "`zooselect --help`"),
    (["resolve"], 2, "UsageError", "Missing argument 'TASK'", "`zooselect resolve --help`"),
    (["resolve", "ic", "x"], 2, "UsageError", "unexpected extra argument", "`zooselect resolve"),
    (["resolve", "ic", "--nothing"], 2, "UsageError", "No such option", "`zooselect resolve"),
    (["resolve", "ic", "-l"], 2, "UsageError", "requires an argument", "--help`"),
    (["resolve", "nope"], 2, "UsageError", "unknown task 'nope'", "tasks: image_classification"),
    (["resolve", "image-clasification"], 2, "UsageError", "unknown task",
     "did you mean image_classification"),
    (["resolve", "ic", "-l", "1.0001"], 2, "UsageError", "outside 0.0 to 1.0", "0.0 to 1.0"),
    (["resolve", "ic", "--mode", "x"], 2, "UsageError", "unknown mode", "training-aware"),
    (["resolve", "ic", "--api-url", "ftp://a"], 2, "UsageError", "not a URL of a server", "http"),
    (["resolve", "ic", "--catalog", "http://"], 2, "UsageError", "names no host", "http"),
    (["resolve", "ic", "--offline", "--refresh", "--api-url", "http://a"], 2, "UsageError",
     "offline, nothing can be asked again", "--refresh"),
    (["resolve", "nope", "--mode", "one-shot"], 2, "UsageError", "unknown task", "(--model)"),
    (["resolve", "ic", "--architecture", "resnet"], 3, "NoCandidateError", "architecture 'resnet'",
     "architecture there: resnet_v1, resnet_v1-18, resnet_v1-34"),
    (["search", "--min-size", "10M", "--max-size", "5M"], 2, "UsageError", "10 M, is above",
     "turn the two round"),
    (["compare", "ic", "--plot", "no/such/folder/a.svg"], 7, "LocalFileError", "cannot write",
     "make the folder first"),
    (["resolve", "ic", "--catalog", "."], 7, "LocalFileError", "cannot read catalog",
     "a catalog file or a mirror's folder"),
    (["show", "ic"], 2, "StubError", "something is missing at its end",
     "that is a task: `zooselect resolve ic`"),
    (["show", "zoo:resnet_v1"], 2, "StubError", "missing at its end", "architecture"),
    (["show", "zoo:yolov5-s-coco-pruned85"], 3, "NotFoundError", "not in the catalog",
     "name there: zoo:cv/detection/yolov5-s/pytorch/ultralytics/coco/pruned85-none"),
    (["show", "x"], 2, "StubError", "is not a stub", "zoo:"),
    (["show", "zoo:a-b-c"], 3, "NotFoundError", "not in the catalog", "search"),
    (["resolve", "ic", "--repo", "x"], 3, "NoCandidateError", "repo 'x'", "torchvision"),
    (["resolve", "ic", "--catalog", "missing.json"], 7, "LocalFileError",
     "cannot read catalog missing.json: No such file", "embedded"),
    (["resolve", "ic", "--catalog", ""], 7, "LocalFileError", "cannot read catalog", "embedded"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "kind", "message", "hint"), WRONG)
def test_errors_are_one_line_and_a_hint(cli, arguments, code, kind, message, hint):
    done = cli(*arguments)
    assert (done.code, done.out) == (code, "")
    first, second = done.err.splitlines()
    assert first.startswith("error: ")
    assert message in first
    assert second.startswith("hint: ")
    assert hint in second


@pytest.mark.parametrize(("arguments", "code", "kind", "message", "hint"), WRONG)
def test_errors_as_json(cli, arguments, code, kind, message, hint):
    plain = cli(*arguments)
    done = cli(*arguments, "--json") if arguments != ["resolve", "ic", "-l"] else None
    if done is None or not arguments:
        return
    assert (done.code, done.err) == (code, plain.err)
    assert set(done.json) == {"schema", "error"}
    assert done.json["schema"] == 1
    error = done.json["error"]
    assert set(error) == {"type", "message", "hint", "exit_code"}
    assert (error["type"], error["exit_code"]) == (kind, code)
    assert "error: " + error["message"] in plain.err
    assert "hint: " + error["hint"] in plain.err


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[31mb", "a\u2028b", "a\udcffb", "a\x9bb"])
def test_errors_make_control_characters_harmless(cli, text):
    for command in (["resolve", text], ["show", text], ["resolve", "ic", "--catalog", text]):
        done = cli(*command)
        assert done.code in (2, 7)
        assert len(done.err.splitlines()) == 2
        assert done.err.replace("\n", "").isprintable()


def test_a_bug_is_one_line_too(cli, monkeypatch):
    monkeypatch.setattr("zooselect.cli.resolve.resolve", lambda *_, **__: 1 / 0)
    done = cli("resolve", "ic", "--json")
    assert done.code == 1
    assert done.errors == ["error: unexpected ZeroDivisionError: division by zero"]
    assert "ZOOSELECT_DEBUG=1" in done.json["error"]["hint"]
    monkeypatch.setenv("ZOOSELECT_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        cli("resolve", "ic")


# Catalog files


BAD_FILES = [
    (b"", "is not JSON"),
    (b"{", "is not JSON"),
    (b"\xff\xfe\x00", "is not JSON"),
    (b"[" * 100_000, "is not JSON"),
    (b"[]", "is not a JSON object"),
    (b"{}", "has schema None"),
    (b'{"schema": 2, "models": []}', "has schema 2; this version reads schema 1"),
    (b'{"schema": 1}', "has no list `models`"),
    (b'{"schema": 1, "models": {"a": 1}}', "has no list `models`"),
    (b'{"schema": 1, "models": [{"stub": "x"}, 5]}', "has 2 records, none usable (x: "),
]


@every_command
@pytest.mark.parametrize(("content", "message"), BAD_FILES)
def test_files_that_are_no_catalog(cli, catalog_file, command, content, message):
    path = catalog_file(content=content)
    done = cli(*command, "--catalog", path, "--json")
    assert done.code == 6
    assert done.errors[0].startswith(f"error: catalog {path} {message}")
    assert done.json["error"]["type"] == "IntegrityError"
    assert done.json["error"]["hint"]


@every_command
def test_unreadable_files(cli, tmp_path, command):
    # A folder is a mirror's, and this one has no catalog.
    for path, named in (("missing.json", "missing.json"), (".", "catalog.json")):
        done = cli(*command, "--catalog", tmp_path / path, "--json")
        assert done.code == 7
        assert done.errors[0].startswith(f"error: cannot read catalog {tmp_path / named}: ")
        assert done.json["error"]["type"] == "LocalFileError"


@every_command
def test_an_empty_catalog_has_nothing(cli, catalog_file, command):
    done = cli(*command, "--catalog", catalog_file([]), "--json")
    assert done.code == 3
    assert done.json["error"]["exit_code"] == 3
    assert len(done.err.splitlines()) == 2


@every_command
def test_bad_records_are_skipped_and_counted(cli, catalog_file, command):
    good = {"stub": STUB, "confidence": "high"}
    path = catalog_file([{"stub": "bad stub"}, good, 5, {**good, "confidence": "low"}])
    done = cli(*command, "--catalog", path)
    assert done.code == 0
    assert STUB in done.out
    assert done.err.splitlines()[0] == "note: 3 catalog records skipped (--verbose names them)"
    assert cli(*command, "--catalog", path, "--quiet").err == ""
    told = cli(*command, "--catalog", path, "--verbose").err
    assert "bad stub: 'bad stub' is not a stub" in told
    assert "record 3: not a JSON object" in told
    assert f"{STUB}: a second record under the same stub" in told
    answer = cli(*command, "--catalog", path, "--json").json
    assert [one["record"] for one in answer["provenance"]["skipped"]] == [
        "bad stub", "record 3", STUB,
    ]  # fmt: skip


def test_explanations_name_what_was_skipped(cli, catalog_file):
    path = catalog_file([{"stub": STUB, "confidence": 5}, {"stub": "bad"}, {"stub": "worse"}])
    done = cli("resolve", "ic", "--catalog", path, "--explain")
    assert done.out == STUB + "\n"
    assert "skipped bad: " in done.err
    assert "skipped worse: " in done.err
    words = " ".join(done.err.split())
    assert f"repaired {STUB}: field `confidence` is unreadable: 5" in words
    assert (
        "1 catalog record skipped"
        in cli("resolve", "ic", "--catalog", catalog_file([{"stub": STUB}, {"stub": "bad"}])).err
    )


@pytest.mark.parametrize("option", ["--verbose", "--explain"])
def test_what_was_skipped_cannot_write_to_the_terminal(cli, catalog_file, option):
    path = catalog_file([{"stub": STUB}, {"stub": "\x1b[2J\x07\nerror: not so"}])
    done = cli("resolve", "ic", option, "--catalog", path)
    assert done.code == 0
    assert done.err.replace("\n", "").isprintable()
    assert done.errors == []


scalar = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from([10**400, 1e308, 5e-324, -1, "\ud800", "\x1b[31m", "\n"]),
)  # fmt: skip
keys = st.sampled_from(
    ["metric", "value", "units", "suspect", "dataset", "source", "stub", "candidates", "repo",
     "path", "commit", "device", "cores"]
)  # fmt: skip
junk = st.recursive(
    scalar,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=5)),
    max_leaves=10,
)
# Often right in shape and wrong in what it holds.
rows = st.lists(st.dictionaries(keys, scalar, min_size=1, max_size=6), min_size=1, max_size=2)
field = st.one_of(scalar, rows, junk)
FIELDS = (
    "results", "throughput", "sources", "recipe_types", "parameters_millions", "onnx_size_bytes",
    "compressed_size_bytes", "sparsity_percent", "confidence", "optimization", "probable_alias",
    "ambiguous_alias", "stub_v1", "stub_v2", "architecture", "sparse_tag", "training_scheme",
    "unheard_of",
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(FIELDS), field, min_size=1, max_size=6))
@settings(max_examples=examples(80), suppress_health_check=[HealthCheck.too_slow])
def test_no_catalog_field_breaks_a_command(item):
    document = {"schema": 1, "models": [{"stub": STUB, **item}]}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "catalog.json")
        Path(path).write_text(json.dumps(document), "utf-8")
        for command in (*COMMANDS.values(), [*COMMANDS["resolve"], "--explain"]):
            for flag in ([], ["--json"]):
                out, err = io.StringIO(), io.StringIO()
                with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                    code = run([*command, *flag, "--catalog", path])
                assert code in (0, 3), err.getvalue()
                assert "Traceback" not in err.getvalue()
                lines = err.getvalue().replace("\n", "")
                assert lines.isprintable()
                if flag:
                    json.loads(out.getvalue(), parse_constant=pytest.fail)
                else:
                    assert out.getvalue().replace("\n", "").isprintable()


@pytest.mark.parametrize("field", ["throughput", "sources", "evidence"])
@pytest.mark.parametrize("value", [5, True, "text", {"a": 1}, [5], [[]], [{"value": 10**400}]])
def test_fields_only_shown_are_data_too(cli, catalog_file, field, value):
    path = catalog_file([{"stub": STUB, field: value}])
    done = cli("show", STUB, "--catalog", path)
    assert (done.code, done.errors) == (0, [])
    assert done.out.startswith(STUB + "\n")


# Streams


def closed_after(arguments, read):
    """Run a command whose reader goes away after so many bytes."""
    command = [sys.executable, "-m", "zooselect", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        start = child.stdout.read(read)
        child.stdout.close()
        err = child.stderr.read().decode()
        return child.wait(timeout=60), start, err


@posix
@pytest.mark.parametrize("read", [0, 10])
@pytest.mark.parametrize("arguments", [["search", "--json"], ["search"], ["--help"]])
def test_a_reader_that_has_enough(arguments, read):
    code, start, err = closed_after(arguments, read)
    assert (code, err) == (0, "")
    assert len(start) == read


@posix
@pytest.mark.parametrize("shown", ["1", "3"])
def test_head(shown):
    done = subprocess.run(
        ["sh", "-c", '"$0" -m zooselect search --quiet | head -n "$1"', sys.executable, shown],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == int(shown)


@posix
def test_nobody_reads_stderr(process):
    """Notes for people that nobody reads take nothing from the data."""
    quiet = process("resolve", "od", "-l", "0.1", "--quiet")
    read, write = os.pipe()
    os.close(read)
    try:
        done = process("resolve", "od", "-l", "0.1", stderr=write)
    finally:
        os.close(write)
    assert done[:2] == (0, quiet.out)


@posix
@full
@pytest.mark.parametrize(
    "arguments",
    [["resolve", "ic"], ["search", "--json"], ["levels", "qa"], ["show", STUB], ["--help"],
     ["--version"]],
)  # fmt: skip
def test_a_full_disk(process, arguments):
    with open("/dev/full", "w") as device:
        done = process(*arguments, stdout=device)
    assert done.code == 7
    assert done.errors == ["error: cannot write the output: No space left on device"]
    no_traceback(done)


@posix
@full
def test_an_error_on_a_full_disk_keeps_its_code(process):
    with open("/dev/full", "w") as device:
        done = process("resolve", "nope", "--json", stdout=device)
        assert process("resolve", "nope", stderr=device).code == 2
    assert done.code == 2
    assert done.err.startswith("error: unknown task 'nope'\n")
    no_traceback(done)


@posix
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-"])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [("resolve ic", 0), ("resolve od -l 0.1", 0), ("resolve nope --json", 2), ("--version", 0)],
)
def test_streams_closed_from_the_start(tmp_path, closed, arguments, code):
    log = tmp_path / "err"
    script = f'"$0" -m zooselect {arguments} 2>"$1" {closed}'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable, log],
        stdout=subprocess.PIPE, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "Traceback" not in log.read_text("utf-8")
    assert "unexpected" not in log.read_text("utf-8")
    # Data that cannot be written is a failure; notes that cannot are none.
    allowed = {code} if ">&-" not in closed.split() else {code, 7}
    assert done.returncode in allowed


# Interruption


@posix
@pytest.mark.parametrize("flag", [[], ["--json"]])
def test_interrupted(tmp_path, flag):
    fifo = tmp_path / "catalog.json"
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "zooselect", "resolve", "ic", "--catalog", fifo, *flag]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        writer = _reader_waits(fifo, child)
        try:
            # A signal between the check for one and the read that blocks is not seen until
            # the next, so it is sent until the child has gone.
            for _ in range(60):
                child.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(timeout=1)
                    break
            out, err = child.communicate(timeout=60)
        finally:
            os.close(writer)
    assert (child.returncode, err) == (130, "error: interrupted\n")
    if flag:
        assert json.loads(out)["error"] == {
            "type": "Interrupted", "message": "interrupted", "hint": "", "exit_code": 130,
        }  # fmt: skip
    else:
        assert out == ""


def _reader_waits(fifo, child):
    """Open a pipe for writing once its reader is there."""
    for _ in range(6000):
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO or child.poll() is not None:
                raise
            time.sleep(0.01)
    raise AssertionError("the command never opened its catalog")


def test_interrupted_before_it_began(process, tmp_path):
    """Ctrl-C while modules are still being imported."""
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")
    done = process("resolve", "ic", env={"PYTHONPATH": str(tmp_path)})
    assert done == (130, "", "error: interrupted\n")


# Places that can show little


ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["resolve", "ic", "--dataset", "caf\u00e9", "--explain"], 0),
        (["resolve", "ic", "--dataset", "caf\u00e9", "--json"], 0),
        (["resolve", "caf\u00e9"], 2),
        (["show", "caf\u00e9", "--json"], 2),
        (["levels", "ic"], 0),
        (["resolve", "--help"], 0),
        (["resolve", "ic", "--catalog", "caf\u00e9.json"], 7),
    ],
)
def test_ascii_only(process, arguments, code):
    done = no_traceback(process(*arguments, env=ASCII, encoding="ascii"))
    assert done.code == code
    assert done.out or done.err


def test_a_malformed_catalog_in_an_ascii_terminal(process, catalog_file):
    path = catalog_file(content=b"[]", name="caf\u00e9.json")
    done = no_traceback(process("search", "--catalog", path, env=ASCII, encoding="ascii"))
    assert done.code == 6


def test_no_colour_where_there_is_no_terminal(process):
    for command in COMMANDS.values():
        done = process(*command, env={"FORCE_COLOR": "", "TERM": "xterm-256color"})
        assert done.code == 0
        assert "\x1b" not in done.out + done.err
