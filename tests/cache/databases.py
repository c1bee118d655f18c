"""Databases of answers to damage: what is in them, and ways to get at it."""

import contextlib
import sqlite3

from zooselect.cache.answers import DATABASE, FOLDER

DOCUMENTS = {
    f"key {number}": {"number": number, "models": [f"model {one}" for one in range(number * 60)]}
    for number in range(6)
}


def database_of(root):
    return root / FOLDER / DATABASE


def fill(cache):
    for key, document in DOCUMENTS.items():
        assert cache.put(key, document)


def tamper(root, statement, *values):
    """Change the database behind the back of the cache."""
    with contextlib.closing(sqlite3.connect(database_of(root))) as connection:
        count = connection.execute(statement, values).rowcount
        connection.commit()
    return count


def moved_aside(root):
    return sorted(root.glob(f"{FOLDER}.corrupt-*"))
