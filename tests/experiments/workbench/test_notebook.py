"""The example notebook runs as it stands, and shows what it did.

Its cells are executed here one after the other without a kernel: nbclient and ipykernel would bring thirty packages, a
debugger among them, for nothing that a cell without magics needs.
"""

import ast
import json
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

NOTEBOOK = Path(__file__).parents[3] / "experiments" / "examples" / "workbench.ipynb"


@pytest.fixture(scope="module")
def cells():
    book = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return [cell for cell in book["cells"] if cell["cell_type"] == "code"]


def test_every_cell_was_executed_and_none_failed(cells):
    shown = [output for cell in cells for output in cell["outputs"]]

    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert {output["output_type"] for output in shown} == {"execute_result"}
    assert sum("image/png" in output["data"] for output in shown) == 2
    assert NOTEBOOK.stat().st_size < 150_000


@pytest.mark.long
def test_the_notebook_runs(cells, tmp_path, monkeypatch):
    monkeypatch.setenv("REGROUP_HOME", "")  # the notebook sets it, and this takes it back
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("MPLBACKEND", "agg")
    names, last = {}, []

    for cell in cells:
        tree = ast.parse("".join(cell["source"]))
        *statements, end = tree.body
        result = isinstance(end, ast.Expr)
        exec(compile(ast.Module(statements if result else tree.body, []), "<cell>", "exec"), names)
        if result:
            last.append(eval(compile(ast.Expression(end.value), "<cell>", "eval"), names))

    assert {type(result) for result in last} == {pd.DataFrame, Figure}
    assert names["found"].table["verdict"].isin(["better", "worse", "equal", "undecided"]).all()
    assert "student_id" not in {column for table in last if isinstance(table, pd.DataFrame) for column in table.columns}
