"""What MLflow's pages show of a night beside its figures: data sets without their rows, and descriptions."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

DESCRIPTION = "mlflow.note.content"
"""The tag that MLflow shows as the description of a run, in Markdown."""

SOURCE_NAME = "mlflow.source.name"
SOURCE = {SOURCE_NAME: "python -m training nightly", "mlflow.source.type": "JOB"}
"""The tags of a run that say what made it."""

KINDS = {
    "trained": "Trained on this installation's own log.",
    "prior": "Prior model: rules learned elsewhere, which serve until the own log can teach better ones.",
}
"""What a registered version is, as its description says it."""

MEANINGS = {
    "regroup-struggle": "Probability that a student, going on, does not meet the mastery rule of a skill in time.",
    "regroup-mastery": "Probability that a student's next first attempt on a skill is correct.",
}
"""What a registered model forecasts, as its description says it."""


def describe_data(path: str, version: str, blocks: Mapping[str, Mapping[str, int]]) -> "list[DatasetInput]":
    """The event log as a data set of MLflow for each block of time, without rows or ids.

    Args:
        path: Where the event log is, a Delta Lake table.
        version: Its version, and that of the items' skills.
        blocks: Counts of students and rows by name of the block.
    """
    from mlflow.entities import Dataset, DatasetInput, InputTag  # noqa: PLC0415 - takes seconds

    source = json.dumps({"path": path, "delta_table_version": int(version.split(".", maxsplit=1)[0])})
    return [
        DatasetInput(
            Dataset(
                name=f"event log, {block}",
                digest=version,
                source_type="delta_table",
                source=source,
                schema=None,
                profile=json.dumps(counts),
            ),
            [InputTag("mlflow.data.context", block)],
        )
        for block, counts in blocks.items()
    ]
