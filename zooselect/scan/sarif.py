"""A scan as SARIF 2.1.0, the format code hosts show findings from (OASIS standard)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from zooselect.scan.names import AMBIGUOUS, MISSPELT, UNKNOWN
from zooselect.scan.scan import Finding, Scan

#: What is reported, and how grave it is; a known stub is no finding.
_LEVELS = {UNKNOWN: "error", MISSPELT: "error", AMBIGUOUS: "warning"}
_RULES = {
    UNKNOWN: "No model of the catalog has this stub.",
    MISSPELT: "No model of the catalog has this stub, and one has nearly this one.",
    AMBIGUOUS: "This v2 stub may mean any of several models.",
}


def sarif(scan: Scan, version: str) -> dict[str, Any]:
    """Return a scan as a SARIF document.

    Args:
        scan: the scan.
        version: of the tool.
    """
    driver = {
        "name": "zooselect",
        "version": version,
        "rules": [
            {
                "id": f"{status}-stub",
                "shortDescription": {"text": text},
                "defaultConfiguration": {"level": _LEVELS[status]},
            }
            for status, text in _RULES.items()
        ],
    }
    notes = [
        {
            "level": "note",
            "message": {"text": reason},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(path)}}}],
        }
        for path, reason in scan.notes
    ]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
                "results": [_result(one) for one in scan.findings if one.status in _LEVELS],
            }
        ],
    }


def _result(finding: Finding) -> dict[str, Any]:
    hint = f" ({finding.hint})" if finding.hint else ""
    return {
        "ruleId": f"{finding.status}-stub",
        "ruleIndex": list(_RULES).index(finding.status),
        "level": _LEVELS[finding.status],
        "message": {"text": f"{finding.status} stub {finding.at.text}{hint}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(finding.file)},
                    "region": {
                        "startLine": finding.at.line,
                        "startColumn": finding.at.column,
                        "endColumn": finding.at.column + finding.at.length,
                    },
                }
            }
        ],
    }


def _uri(path: str) -> str:
    """A path as a URI: relative as it was named, or `file:` for an absolute one."""
    if os.path.isabs(path):
        return Path(path).as_uri()
    return quote(os.fsencode(os.path.normpath(path).replace(os.sep, "/")))
