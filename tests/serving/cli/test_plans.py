"""`plan` and `evaluate` as who types them sees them, on the small day beside the format."""

import json
from pathlib import Path

import pytest

from features.errors import InputError
from features.roster.people.vault import Vault
from serving import formats
from serving.__main__ import main

DAY = Path(formats.__file__).parent / "day.example.json"


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """The file of the day's plan."""
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    main(["plan", str(DAY), "--json", str(path)])
    return path


@pytest.fixture
def edited(planned, tmp_path):
    """The plan with Finn in a group of two that is full then, beside Dan, from whom he is to be kept apart."""
    plan = json.loads(planned.read_text())
    group = next(session for session in plan["sessions"] if session["skill"] == "ratios")
    online = next(s for s in plan["sessions"] if s["block"] == group["block"] and s["skill"] is None)
    group["students"].append("Finn")
    online["students"].remove("Finn")
    path = tmp_path / "edited.json"
    path.write_text(json.dumps(plan))
    return path


def run(*arguments):
    return main([*map(str, arguments)])


def test_other_plans_are_printed_and_written(tmp_path, capsys):
    path = tmp_path / "plans.json"

    code = run("plan", DAY, "--alternatives", 1, "--max-score-loss", 0.5, "--json", path)

    plans = json.loads(path.read_text())
    assert code == 0
    assert len(plans["alternatives"]) == 1
    assert plans["alternatives"][0]["plan"]["sessions"]
    assert "alternative 1:" in capsys.readouterr().out


def test_with_a_vault_the_text_and_the_picture_show_names_and_the_plan_keeps_ids(
    planned, tmp_path, capsys, monkeypatch
):
    students = {"Ada": "Mia Jones", "Ben": "Max Ito", "Cleo": "Mia Jones", "Dan": "Zoë Smith-Lee", "Eve": "Li <b>"}
    names = {("student", name): called for name, called in students.items()} | {("adult", "lead"): "Ana Teach"}
    path, picture = tmp_path / "vault.db", tmp_path / "day.svg"
    with Vault(path).replacing() as put:
        put(names.keys(), names)
    monkeypatch.setenv("REGROUP_VAULT", str(path))

    assert run("plan", DAY, "--json", tmp_path / "plan.json", "--svg", picture) == 0

    assert (tmp_path / "plan.json").read_bytes() == planned.read_bytes()
    said, drawn = capsys.readouterr().out, picture.read_text()
    assert "  Ana Teach: Zoë Smith-Lee, Li <b>\n" in said
    assert "  tutor: Mia Jones (Ada), Max Ito, Mia Jones (Cleo), Finn\n" in said
    for text in ("Ana Teach; tutoring, 2", "Zoë Smith-Lee, Li &lt;b&gt;", "tutor; 4"):
        assert f">{text}</text>" in drawn
    path.write_text("no vault")
    assert run("plan", DAY, "--svg", picture) == 0
    ended = capsys.readouterr()
    assert "no names are shown" in ended.err
    assert "Ana" not in ended.out + picture.read_text()


def test_a_plan_as_made_breaks_no_rule(planned, capsys):
    assert run("evaluate", DAY, planned) == 0
    assert "no breaches of hard rules" in capsys.readouterr().out


def test_an_edit_is_judged_and_repaired_and_the_repair_is_a_plan_again(planned, edited, tmp_path, capsys):
    repaired = tmp_path / "repaired.json"

    codes = (
        run("evaluate", DAY, edited, "--original", planned),
        run("evaluate", DAY, edited, "--repair", "--json", repaired),
        run("evaluate", DAY, repaired),
    )

    answer, out = json.loads(repaired.read_text()), capsys.readouterr().out
    assert codes == (1, 0, 0)
    assert {violation["rule"] for violation in answer["violations"]} == {"keep_apart", "group_size"}
    assert (answer["repair"]["moved"], answer["repair"]["at_least"]) == (1, 1)
    assert "the edit gains" in out
    assert "repaired by moving 1 seats (at least 1)" in out


def test_each_of_several_changes_has_its_score_impact_and_a_single_one_has_it_above(planned, edited, tmp_path, capsys):
    """Beside a single change, the impact of the whole edit would only be said again."""
    both = json.loads(edited.read_text())
    group = next(session for session in both["sessions"] if session["skill"] == "fractions")
    online = next(s for s in both["sessions"] if s["block"] == group["block"] and s["skill"] is None)
    online["students"].append(group["students"].pop())
    two_changes = tmp_path / "two.json"
    two_changes.write_text(json.dumps(both))

    run("evaluate", DAY, edited, "--original", planned)
    single = capsys.readouterr().out
    run("evaluate", DAY, two_changes, "--original", planned)
    several = capsys.readouterr().out

    assert "Finn" in single
    assert "score impact" not in single
    assert "score impact" in several


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("evaluate", DAY, "none.json"), "none.json cannot be read"),
        (("evaluate", DAY, DAY), "no list of sessions"),
        (("evaluate", DAY, "PLAN", "--original", "OTHER"), "the id given is not right"),
        (("plan", DAY, "--alternatives", "1", "--max-score-loss", "7"), "max_score_loss: 7.0 is not right"),
    ],
)
def test_what_is_wrong_is_named(planned, tmp_path, arguments, message):
    other = tmp_path / "other.json"
    other.write_text(planned.read_text().replace('"Ada"', '"Zoe"'))
    files = {"PLAN": planned, "OTHER": other}

    with pytest.raises(InputError, match=message) as error:
        run(*(files.get(argument, argument) for argument in arguments))

    assert error.value.exit_code == 2
    assert "Zoe" not in str(error.value)
