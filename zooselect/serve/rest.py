"""The REST routes of clients 1.1 to 1.4: search with pages, and a model by its stub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zooselect.serve.wire import UrlOf, rest_model
from zooselect.serve.zoo import Zoo

#: Query parameters of a search, by the argument of the later protocol each stands for.
_ARGUMENTS = {
    "domain": "domain",
    "sub_domain": "task",
    "architecture": "architecture",
    "sub_architecture": "subArchitecture",
    "framework": "framework",
    "repo": "repo",
    "dataset": "sourceDataset",
    "training_scheme": "trainingScheme",
}
_TAG = ("sparse_name", "sparse_category", "sparse_target")
_PAGE_LENGTH = 20
_LONGEST_PAGE = 1000

#: What `POST /auth` gives: public access is all there is.
TOKEN = {"token": "public"}


def search(
    zoo: Zoo, domain: str, sub_domain: str | None, parameters: Mapping[str, str], url_of: UrlOf
) -> dict[str, Any]:
    """Return the page of models a search asks for.

    Raises:
        ValueError: a page or page length that is no number from 1.
    """
    arguments: dict[str, str | bool | None] = {
        argument: parameters[name] for name, argument in _ARGUMENTS.items() if name in parameters
    }
    arguments["domain"] = domain
    if sub_domain is not None:
        arguments["task"] = sub_domain
    tag = "-".join(parameters[name] for name in _TAG if parameters.get(name))
    if tag:
        arguments["sparseTag"] = tag
    page, length = _count(parameters, "page", 1), _count(parameters, "page_length", _PAGE_LENGTH)
    start = (page - 1) * min(length, _LONGEST_PAGE)
    chosen = zoo.select(arguments)[start : start + min(length, _LONGEST_PAGE)]
    return {"models": [rest_model(zoo, model, url_of) for model in chosen]}


def model(zoo: Zoo, name: str, url_of: UrlOf) -> dict[str, Any] | None:
    """Return the model of a v1 or v2 name; None where there is none."""
    found = zoo.named(name)
    return {"model": rest_model(zoo, found[0], url_of)} if found else None


def _count(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name, str(default))
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 9 and int(text)):
        raise ValueError(f"{name} is not a number from 1")
    return int(text)
