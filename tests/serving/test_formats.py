"""A day as a file and as a picture: what is written is read, what is wrong is named, what is drawn is complete."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.benchmarks.planner.instances.edge_cases import draw_edge_case
from experiments.benchmarks.planner.instances.team import draw_day
from features.errors import InputError
from serving import formats
from serving.__main__ import main
from serving.cli import svg
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups

HOME = Path(formats.__file__).parent
EXAMPLE = (HOME / "day.example.json").read_text()


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), rooms=st.booleans(), pins=st.integers(0, 2), more=st.booleans())
def test_what_is_written_is_read(seed, rooms, pins, more):
    problem = draw_edge_case(seed, rooms=rooms, pins=pins, more=more)

    text = formats.write_instance(problem)

    assert formats.read_instance(text) == problem
    assert formats.unpack_instance(formats.pack_instance(problem.to_json())) == problem
    assert formats.write_instance(formats.read_instance(text)) == text


def test_the_committed_schema_and_example_are_current():
    assert json.loads((HOME / "day.schema.json").read_text()) == formats.instance_schema()
    assert formats.write_instance(formats.read_instance(EXAMPLE)) == EXAMPLE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda day: day["needs"][3].update(need="much"), r"needs\[3\]\.need: .*valid number.*'much'"),
        (lambda day: day["students"][0].update(colour="red"), r"students\[0\]\.colour is no field"),
        (lambda day: day["needs"][0].update(student="Zoe"), r"needs\[0\]\.student: the id given"),
        (lambda day: day.pop("blocks"), r"blocks: Field required"),
        (lambda day: day["weights"].update(benefit=-1), r"Weights\.benefit: -1\.0"),
        (lambda day: day.update(nope=3), r"nope is no field"),
        (lambda day: day.update(format="regroup-day/9"), r"format is 'regroup-day/9'"),
        (lambda day: day["adults"][0].update(role="king"), r"effects: .*led by king"),
    ],
)
def test_what_is_wrong_is_named(change, message):
    day = json.loads(EXAMPLE)
    change(day)

    with pytest.raises(InputError, match=message) as error:
        formats.read_instance(json.dumps(day))

    assert "Zoe" not in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"format": null}'])
def test_what_is_no_instance_is_refused(text):
    with pytest.raises(InputError):
        formats.read_instance(text)


def test_the_picture_names_every_session_and_small_group():
    problem = draw_day(60, seed=1)
    plan = suggest_groups(problem, Budget(rounds=20, bound_rounds=5))

    drawn = ET.fromstring(svg.draw_day(problem, plan, svg.Labels()))

    texts = " ".join(part.text or "" for part in drawn.iter() if part.tag.endswith("text"))
    cards = [part for part in drawn.iter() if part.tag.endswith("rect")]
    assert len(cards) == 1 + len(plan.sessions)
    small = [session for session in plan.sessions if len(session.students) <= svg.FEW]
    assert all(student in texts for session in small for student in session.students)
    assert all(block.label in texts for block in problem.blocks)


def test_a_file_is_planned_from_the_command_line(tmp_path, capsys):
    source = tmp_path / "day.json"
    source.write_text(EXAMPLE)

    code = main(["plan", str(source), "--json", str(tmp_path / "plan.json"), "--svg", str(tmp_path / "day.svg")])

    plan = json.loads((tmp_path / "plan.json").read_text())
    assert code == 0
    assert "Fractions" in capsys.readouterr().out
    assert plan["bound"] >= plan["score"]["total"]
    assert (tmp_path / "day.svg").read_text().startswith("<svg")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        main(["plan", str(tmp_path / "none.json")])


def test_a_day_without_a_plan_says_why_and_what_would_be_enough(tmp_path, capsys):
    day = json.loads(EXAMPLE) | {"adults": [], "pins": [], "contacts": [], "coaching": []}
    (tmp_path / "day.json").write_text(json.dumps(day))

    with pytest.raises(InputError, match="no plan keeps every rule"):
        main(["plan", str(tmp_path / "day.json")])

    said = capsys.readouterr().out
    assert "conflict: " in said
    assert "would be enough: Bring in another teacher in " in said
