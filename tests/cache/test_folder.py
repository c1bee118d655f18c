"""Where the cache lies."""

import os
import subprocess
import sys
from pathlib import Path

import platformdirs

from zooselect.cache.folder import cache_folder


def test_configured(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert cache_folder("~/some where") == tmp_path / "some where"
    assert cache_folder("here") == tmp_path / "here"
    assert cache_folder("/a/../b") == Path("/b")


def test_the_place_of_the_system(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    folder = cache_folder(None)
    assert folder == platformdirs.user_cache_path("zooselect", appauthor=False)
    assert folder.is_absolute()
    assert os.listdir(tmp_path) == []


def test_platformdirs_is_imported_only_when_needed():
    script = "import sys, zooselect.cache.folder as f; f.cache_folder('/a')"
    script += "; sys.exit('platformdirs' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
