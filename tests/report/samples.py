"""Catalogs for the page: a hostile one, a large one; and the data of a page read back."""

import json
import re
from html import unescape

from zooselect.catalog.catalog import Catalog
from zooselect.catalog.file import file_catalog

RESNET = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/"

#: Texts that would do something where they are taken for markup, script or style.
HOSTILE = (
    "</script><script>window.hit=1</script>",
    "<!--<script>window.hit=1",
    "<img src=x onerror=window.hit=1>",
    "\"'><svg onload=window.hit=1>",
    "&lt;b&gt;\u2028\u2029]]>",
    "@@script@@ @@data@@ \\1 \\g<0>",
    "javascript:window.hit=1",
    "\ud800 lone",
    "\x00\x1b[31m\u202e",
)


def data_of(content):
    """The data of a page."""
    found = re.findall(rb'<script type="application/json" id="data">(.*?)</script>', content, re.S)
    assert len(found) == 1
    return json.loads(found[0])


def words_of(content):
    """The words of a page, without its data, styles and scripts."""
    text = re.sub(r"<(style|script).*?</\1>", " ", content.decode(), flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]*>", "", text)).split())


def hostile(folder):
    """A catalog file whose every free text means ill."""
    models = []
    for number, text in enumerate(HOSTILE):
        models.append(
            {
                "stub": f"{RESNET}pruned{80 + number}_quant-none",
                "confidence": "high",
                "note": text,
                "status_note": {"text": text},
                "recipe_types": [text],
                "results": [
                    # The highest counts, so that each is what some page says of a pick.
                    {
                        "metric": "top1_accuracy", "value": 70 + number, "units": text,
                        "dataset": text, "source": text,
                    },
                    {"metric": text, "value": 1, "units": text, "suspect": text, "source": text},
                ],
                "sources": [{"repo": text, "path": text, "commit": text}],
                "evidence": text,
                text: text,
            }
        )  # fmt: skip
    document = {"schema": 1, "compiled": HOSTILE[0], "models": [*models, {"stub": HOSTILE[0]}]}
    path = folder / "hostile.json"
    path.write_text(json.dumps(document))
    return path


def one_by_one(folder):
    """The hostile catalog's models, each as a catalog of its own."""
    document = json.loads(hostile(folder).read_text())
    for number, model in enumerate(document["models"][: len(HOSTILE)]):
        path = folder / f"{number}.json"
        path.write_text(json.dumps({"schema": 1, "compiled": HOSTILE[number], "models": [model]}))
        yield file_catalog(path)


def large(count):
    """A catalog of many models of one task."""
    from zooselect.catalog.parse import parse_models
    from zooselect.catalog.provenance import Provenance

    models = [
        {
            "stub": f"{RESNET.replace('50', str(number))}pruned{number % 99}_quant-none",
            "parameters_millions": 1 + number,
            "confidence": "high",
            "results": [{"metric": "top1_accuracy", "value": number % 90}],
        }
        for number in range(count)
    ]  # fmt: skip
    parsed = parse_models(models)
    assert not parsed.skipped
    return Catalog.from_records(parsed.records, Provenance("file", "large", "sha256:0"))
