"""Kept answers: whole, or not there."""

from tests.catalog.test_answer import ANSWER
from zooselect.catalog.asked import Asked, FilesAt
from zooselect.catalog.kept import KeptAnswers


class Place:
    source, location, key = "mirror", "http://zoo", "http://zoo"
    files = FilesAt("http", "http://zoo")


def test_there_and_back(tmp_path):
    kept = KeptAnswers(tmp_path)
    assert kept.load(Place, Asked()) is None
    kept.save(Place, ANSWER)
    assert KeptAnswers(tmp_path).load(Place, Asked()) == ANSWER


def test_nothing_is_made_by_looking(tmp_path):
    KeptAnswers(tmp_path / "cache").load(Place, Asked())
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_kept_is_no_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    kept = KeptAnswers(tmp_path / "file")
    kept.save(Place, ANSWER)
    kept.save(Place, ANSWER._replace(models=[float("nan")]))
    assert kept.load(Place, Asked()) is None
