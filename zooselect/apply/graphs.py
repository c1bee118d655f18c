"""Questions to a graph, and nodes taken out of it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from zooselect.onnx_graph import inner_graphs

#: The nodes that use each value.
Users = defaultdict[str, list[Any]]


def users_of(graph: Any) -> Users:
    """The nodes that use each value; None for the graph's outputs and for inner graphs."""
    users: Users = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            users[name].append(node)
    for name in _wanted_elsewhere(graph):
        users[name].append(None)
    return users


def _wanted_elsewhere(graph: Any) -> set[str]:
    """Names the graph's outputs and inner graphs use."""
    wanted = {one.name for one in graph.output}
    for node in graph.node:
        for inner in inner_graphs(node):
            wanted |= {name for one in inner.node for name in one.input}
            wanted |= _wanted_elsewhere(inner)
    return wanted


def remove_nodes(graph: Any, outputs: set[str]) -> None:
    """Take away the nodes whose first output is one of these."""
    for index in reversed(range(len(graph.node))):
        if graph.node[index].output and graph.node[index].output[0] in outputs:
            del graph.node[index]
