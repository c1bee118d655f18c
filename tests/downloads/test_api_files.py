"""Listings of servers that know less than ours, or speak of it less."""

import pytest

from tests.downloads.zoo_server import V1, V2
from zooselect.catalog.api import RefusedError, Rows
from zooselect.downloads.api_files import ApiFiles
from zooselect.errors import NotFoundError, ServerError, UsageError
from zooselect.net.url import parse
from zooselect.stub import Stub

URL = "http://zoo.example/base"
FILE = {"displayName": "model.onnx", "fileSize": 5, "fileType": "onnx"}
AUGMENTED = V1.replace("imagenet", "imagenet-augmented")


class Server:
    """An API that refuses fields and arguments it does not know, without naming them."""

    def __init__(self, rows, fields, arguments=("repoName", "domain")):
        self.answers = rows
        self.fields, self.arguments = {*fields}, {*arguments}
        self.asked = 0

    def rows(self, arguments, fields, *, needed=""):
        self.asked += 1
        names = {field.name for field in fields} | {one for field in fields for one in field.fields}
        if not names <= self.fields or not {*arguments} & self.arguments:
            raise RefusedError("refused")
        return Rows(self.answers(arguments), [], fields)


def listing(server, stub):
    address = parse(URL)
    return ApiFiles(server, address, client=None).listing(Stub.parse(stub))


#: What clients from 1.5 on ask for, and nothing more.
OLD = ("modelId", "repoName", "stub", "files", "displayName", "fileSize", "fileType", "downloadUrl")
ROW = {"modelId": "m1", "repoName": V2[4:], "files": [FILE]}


def test_a_v2_stub_of_a_server_of_few_words():
    found = listing(Server(lambda arguments: [ROW], OLD), V2)
    assert (found.stub, found.names) == (V2, (V2,))
    (file,) = found.files
    assert file.place == f"{URL}/v2/models/m1/files/model.onnx"


@pytest.mark.parametrize("stub", [V1, AUGMENTED])
def test_a_v1_stub_that_nobody_vouches_for(stub):
    """The row may be the one of another training scheme."""
    with pytest.raises(NotFoundError) as error:
        listing(Server(lambda arguments: [ROW], OLD), stub)
    assert V2 in error.value.hint


def test_a_v1_stub_that_the_server_knows_by_it():
    def rows(arguments):
        return [ROW] if arguments.get("stub", V1) == V1 else []

    server = Server(rows, OLD, ("repoName", "domain", "stub"))
    found = listing(server, V1)
    assert (found.stub, found.names) == (V1, (V1, V2))
    with pytest.raises(NotFoundError):
        listing(server, AUGMENTED)


@pytest.mark.parametrize(
    "name", ["labnet_v1-34-imagenet-pruned90_quantized", "labnet_v1-18-imagenet-base"]
)
def test_a_row_of_another_name_is_not_taken_for_it(name):
    """A server that takes no notice of an argument it does not know."""
    server = Server(lambda arguments: [{**ROW, "repoName": name}], OLD, ("domain", "stub"))
    with pytest.raises(NotFoundError):
        listing(server, V1)


def test_several_models_of_a_name():
    rows = [{**ROW, "stub": V1}, {**ROW, "stub": AUGMENTED}]
    with pytest.raises(UsageError) as error:
        listing(Server(lambda arguments: rows, OLD), V2)
    assert V1 in error.value.hint
    assert AUGMENTED in error.value.hint
    assert listing(Server(lambda arguments: rows, OLD), AUGMENTED).stub == AUGMENTED


def test_several_models_of_a_name_that_nothing_tells_apart():
    other = {**ROW, "modelId": "m2", "files": [{**FILE, "fileSize": 6}]}
    for rows in ([ROW, other], [other, ROW], [{**ROW, "modelId": None}, other]):
        with pytest.raises(UsageError, match="nothing tells them apart"):
            listing(Server(lambda arguments, rows=rows: rows, OLD), V2)
    for twin in (ROW, {**ROW, "modelId": "m2"}, {**other, "modelId": "m1"}):
        found = listing(Server(lambda arguments, twin=twin: [ROW, twin], OLD), V2)
        assert found.files[0].size == 5


def test_a_server_that_refuses_everything():
    server = Server(lambda arguments: [ROW], ())
    with pytest.raises(ServerError, match="refused"):
        listing(server, V2)
    assert server.asked == 3


def test_an_error_is_not_asked_again_in_another_way():
    server = Server(lambda arguments: [ROW], OLD)
    server.rows = fail = Failing()
    with pytest.raises(ServerError):
        listing(server, V2)
    assert fail.asked == 1


class Failing:
    asked = 0

    def __call__(self, *arguments, **options):
        self.asked += 1
        raise ServerError("too slow")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://a.example/x y?é=1", "http://a.example/x%20y?%C3%A9=1"),
        ("/files/a", "http://zoo.example/files/a"),
        ("http://a.example/%20?a=b&c=%2F", "http://a.example/%20?a=b&c=%2F"),
    ],
)
def test_urls(url, place):
    row = {**ROW, "files": [{**FILE, "downloadUrl": url}]}
    (file,) = listing(Server(lambda arguments: [row], OLD), V2).files
    assert file.place == place
