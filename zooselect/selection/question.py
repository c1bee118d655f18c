"""What is asked, apart from the level: one question has one ladder of answers."""

from __future__ import annotations

from typing import NamedTuple

from zooselect.task import Task


class Question(NamedTuple):
    """A task and the options that narrow what may answer it.

    Attributes:
        task: the task.
        dataset: the user's data set: one of the catalog's, or their own; None for none.
        architecture: keep records of this architecture or `architecture-sub_architecture`.
        framework, repo: keep records with exactly this framework, repository.
        target: put records made for this hardware target first (`vnni`, `4block`).
        strict: forbid every fallback.
        all_sizes: take the tiers from every size on record, not only from those that
            exist pruned and quantized.
        include_unverified: also pick records of low confidence, which may never have
            been published.
    """

    task: Task
    dataset: str | None = None
    architecture: str | None = None
    framework: str | None = None
    repo: str | None = None
    target: str | None = None
    strict: bool = False
    all_sizes: bool = False
    include_unverified: bool = False

    @property
    def filters(self) -> dict[str, str]:
        """The filters in use, by name."""
        values = {
            "architecture": self.architecture,
            "framework": self.framework,
            "repo": self.repo,
        }
        return {name: value for name, value in values.items() if value is not None}
