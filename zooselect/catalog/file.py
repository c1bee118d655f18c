"""Catalogs in files of the user's own, a mirror's among them."""

from __future__ import annotations

import hashlib
import os

from zooselect.catalog.catalog import Catalog
from zooselect.catalog.parse import load_json, parse_document
from zooselect.catalog.provenance import Provenance
from zooselect.errors import LocalFileError

#: What a mirror's catalog is called.
CATALOG = "catalog.json"


def file_catalog(path: str | os.PathLike[str]) -> Catalog:
    """Read a `schema: 1` JSON file, or the `catalog.json` of a mirror's folder.

    Raises:
        LocalFileError: the file cannot be read.
        IntegrityError: it is no catalog, or of its records not one is usable.
    """
    location = os.fspath(path)
    mirror = os.path.isdir(location)
    if mirror:
        location = os.path.join(location, CATALOG)
    try:
        with open(location, "rb") as file:
            content = file.read()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise LocalFileError(
            f"cannot read catalog {ascii(location)[1:-1]}: {reason}",
            hint=f"give a catalog file or a mirror's folder, which has a {CATALOG};"
            " or none for the embedded catalog",
        ) from error
    parsed, compiled = parse_document(load_json(content, location), location)
    return Catalog.from_records(
        parsed.records,
        Provenance(
            source="mirror" if mirror else "file",
            location=location,
            digest="sha256:" + hashlib.sha256(content).hexdigest(),
            compiled=compiled,
            skipped=parsed.skipped,
            repaired=parsed.repaired,
        ),
    )
