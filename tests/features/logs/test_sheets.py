"""Sheets with a row per student are read as the answers, or the totals without answers, that they hold."""

import csv
import io
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from features.logs import open_log, suggest_mapping
from features.logs.mapped import open_mapped, open_plain
from features.logs.mapping import parse_mapping
from features.logs.totals import estimate_mastery, open_totals

AT = pd.Timestamp("2026-03-05 15:05:00", tz="UTC")
QUESTIONS = {"What is 1/2 + 1/4?": "4.NF.B.3", "Half of 8, in words": "halves", "Name 3 factors": None}


def google(heading: str, most: float) -> tuple[list[str], str]:
    return [heading, f"{heading} [Score]", f"{heading} [Feedback]"], f"{heading} [Score]"


def canvas(heading: str, most: float) -> tuple[list[str], str]:
    return [f"1001: {heading}", f"{most:g}"], f"1001: {heading}"


def moodle(heading: str, most: float) -> tuple[list[str], str]:
    return [f"{heading} /{most:.2f}"], f"{heading} /{most:.2f}"


def points(heading: str, most: float) -> tuple[list[str], str]:
    return [f"{heading} ({most:g} points)"], f"{heading} ({most:g} points)"


SHAPES = {
    google: lambda score, most: ["an answer", "" if score is None else f"{score:.2f} / {most:g}", ""],
    canvas: lambda score, most: ["an answer", "" if score is None else f"{score:g}"],
    moodle: lambda score, most: ["-" if score is None else f"{score:.2f}"],
    points: lambda score, most: ["" if score is None else f"{score:g}"],
}
ITEMS = {google: "{}", canvas: "1001: {}", moodle: "{}", points: "{}"}

students = st.lists(st.sampled_from(["1001", "007", "zoë"]), min_size=1, max_size=3, unique=True)


@given(
    shape=st.sampled_from(sorted(SHAPES, key=lambda shape: shape.__name__)),
    who=students,
    most=st.lists(st.sampled_from([1.0, 2.0, 10.0]), min_size=3, max_size=3),
    halves=st.lists(st.sampled_from([None, 0, 1, 2]), min_size=9, max_size=9),
    as_sheet=st.booleans(),
)
@settings(max_examples=25)
def test_a_sheet_with_a_column_per_question_is_read_as_its_answers(
    tmp_path_factory, write_sheets, shape, who, most, halves, as_sheet
):
    columns = [shape(heading, points) for heading, points in zip(QUESTIONS, most, strict=True)]
    scores = {
        (student, heading): None if halves[3 * row + at] is None else most[at] * halves[3 * row + at] / 2
        for row, student in enumerate(who)
        for at, heading in enumerate(QUESTIONS)
    }
    rows = [["Submitted", "Student", *(name for names, _ in columns for name in names), "Score"]]
    rows += [
        ["2026-03-05 15:05:00 UTC", student]
        + [cell for at, heading in enumerate(QUESTIONS) for cell in SHAPES[shape](scores[student, heading], most[at])]
        + ["9"]
        for student in who
    ]
    folder = tmp_path_factory.mktemp("sheet")
    if as_sheet:
        path = write_sheets(folder / "quiz.xlsx", {"Responses": rows})
    else:
        path = folder / "quiz.csv"
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        path.write_text(text.getvalue(), encoding="utf-8")
    named = {name: skill or "" for (_, name), skill in zip(columns, QUESTIONS.values(), strict=True)}
    mapping = parse_mapping(
        {
            "file": {"quiz": "May", "nulls": ["-"]},
            "columns": {"student": "Student", "time": "Submitted"},
            "questions": named,
            "correct": {"form": "score"},
        }
    )

    table = pd.concat(open_mapped(path, mapping).chunks(), ignore_index=True)

    assert len(table) == 3 * len(who)
    answers = table[table["unused"].isna()]
    assert answers["rejected"].isna().all(), answers["rejected"].unique()
    found = {
        (row.student_id, row.item_id, row.skills if isinstance(row.skills, str) else None): row.score
        for row in answers.itertuples()
    }
    assert found == {
        (student, f"May :: {ITEMS[shape].format(heading)}", skill): pytest.approx(score / points)
        for (heading, skill), points in zip(QUESTIONS.items(), most, strict=True)
        for student in who
        if (score := scores[student, heading]) is not None
    }
    assert set(table["unused"].dropna()) <= {"not_answered"}
    assert answers["occurred_at"].eq(AT).all()


LEVELS = {"3 or More Grade Levels Below": 0.1, "1 Grade Level Below": 0.4, "On Grade Level": 0.75}
FIGURES = {
    "percent": (["0", "37.5", "100"], [0.0, 0.375, 1.0], {}),
    "level": (list(LEVELS), list(LEVELS.values()), {"levels": LEVELS}),
    "scale": (["460", "480", "500"], [1 / (1 + np.e), 0.5, np.e / (1 + np.e)], {}),
}
SCALE = {"proficient": 480, "spread": 20}


@given(
    form=st.sampled_from(sorted(FIGURES)),
    wide=st.booleans(),
    who=students,
    chosen=st.lists(st.sampled_from([None, 0, 1, 2]), min_size=6, max_size=6),
    questions=st.sampled_from([None, 3, 40]),
)
@settings(max_examples=25)
def test_totals_are_estimates_of_mastery_and_never_answers(tmp_path_factory, form, wide, who, chosen, questions):
    texts, shares, tables = FIGURES[form]
    domains = ["Fractions", "Geometry"]
    picked = {
        (student, domain): chosen[2 * row + at] for row, student in enumerate(who) for at, domain in enumerate(domains)
    }
    cells = {key: "" if at is None else texts[at] for key, at in picked.items()}
    if wide:
        header = ["Student ID", "Date", "Fractions Score", "Geometry Score", "Questions"]
        rows = [[student, "3/5/2026", *(cells[student, domain] for domain in domains), questions] for student in who]
        tables = tables | {"domains": {"Fractions Score": "Fractions", "Geometry Score": "Geometry"}}
    else:
        header = ["Student ID", "Date", "Domain", "Figure", "Questions"]
        rows = [[student, "3/5/2026", domain, cell, questions] for (student, domain), cell in cells.items()]
    path = tmp_path_factory.mktemp("totals") / "report.csv"
    text = io.StringIO()
    csv.writer(text).writerows([["Report of May"], header, *rows, ["Average", "", "", "", ""]])
    path.write_text(text.getvalue(), encoding="utf-8")
    mapping = parse_mapping(
        {
            "columns": {"student": "Student ID", "time": "Date"} | ({} if wide else {"skills": "Domain"}),
            "time": {"form": "us", "zone": "America/Chicago"},
            "totals": {"form": form, "questions": "Questions"}
            | (SCALE if form == "scale" else {})
            | ({} if wide else {"column": "Figure"}),
        }
        | tables
    )

    table = pd.concat(open_totals(open_plain(path, mapping), mapping, mapping.totals).chunks(), ignore_index=True)

    assert "score" not in table
    good = table[table["unused"].isna()]
    assert good["rejected"].isna().all(), good["rejected"].unique()
    found = {(row.student_id, row.skill_id): (row.mastery, row.uncertainty) for row in good.itertuples()}
    expected = {}
    for key, at in picked.items():
        if at is not None:
            estimate = estimate_mastery(np.array([shares[at]]), np.array([questions or np.nan], float))
            expected[key] = tuple(pytest.approx(float(value[0]), abs=1e-9) for value in estimate)
    assert found == expected
    assert good["occurred_at"].eq(pd.Timestamp("2026-03-05 06:00", tz="UTC")).all()
    assert set(table["unused"].dropna()) <= {"total_line", "no_figure"}


def test_more_questions_and_a_smaller_error_make_an_estimate_surer():
    few, many = (estimate_mastery(np.array([0.8]), np.array([count]))[1] for count in (3.0, 40.0))

    assert many < few < 0.5
    mean, error = estimate_mastery(np.array([1.0]), np.array([np.nan]))
    assert 0.8 < mean < 1
    assert error > 0.1


def test_a_quiz_of_one_moment_takes_it_from_the_mapping(tmp_path):
    path = tmp_path / "gradebook.csv"
    path.write_text("Student,ID,Quiz 1,Quiz 2\nPoints Possible,,2,4\nAda,1001,1,4\n")
    mapping = {
        "columns": {"student": "ID"},
        "time": {"at": AT.to_pydatetime()},
        "questions": {"Quiz 1": {"skill": "a", "max_score": 2}, "Quiz 2": {"skill": "b", "max_score": 4}},
        "correct": {"form": "score"},
    }

    table = pd.concat(open_mapped(path, parse_mapping(mapping)).chunks(), ignore_index=True)

    answers = table[table["student_id"].notna()]
    assert answers["score"].tolist() == [0.5, 1.0]
    assert answers["occurred_at"].eq(AT).all()


ROW = {"student": "a", "time": "b"}


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({"columns": ROW | {"item": "c"}, "questions": {"q": "s"}}, "[columns] item is of one answer"),
        ({"columns": ROW, "questions": {"q": 3}}, '[questions] "q" = 3; right would be a str or table'),
        ({"columns": ROW, "questions": {"q": {"max": 3}}}, 'did you mean "max_score"?'),
        ({"columns": ROW, "questions": {"q": {"max_score": 0}}}, "max_score = 0; right would be above 0"),
        ({"columns": {"student": "a"}, "questions": {"q": "s"}}, "[columns] lacks time"),
        ({"columns": ROW, "totals": {"form": "percent"}}, "either column"),
        ({"columns": ROW, "totals": {"form": "percent", "column": "c"}}, "[columns] skills is needed"),
        ({"columns": ROW, "totals": {"form": "level"}, "domains": {"c": "d"}}, "needs a table [levels]"),
        ({"columns": ROW, "totals": {"form": "scale"}, "domains": {"c": "d"}}, "needs proficient"),
        ({"columns": ROW | {"correct": "x"}, "totals": {"form": "percent"}}, "the file has none"),
        ({"columns": ROW, "domains": {"c": "d"}}, "which is missing"),
        ({"columns": ROW, "totals": {"form": "pct"}, "domains": {"c": "d"}}, 'did you mean "percent"?'),
    ],
)
def test_a_mapping_of_a_sheet_that_says_too_little_or_too_much_says_what_is_right(tables, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        parse_mapping(tables)


def test_a_word_that_no_level_has_and_a_percent_above_all_are_rejected(tmp_path):
    (tmp_path / "a.csv").write_text("who,at,of,how\ns,2026-03-05,Ratios,Below\ns,2026-03-05,Halves,130\n")
    columns = '[columns]\nstudent = "who"\ntime = "at"\nskills = "of"\n[totals]\ncolumn = "how"\nform = '
    for form, rule in (('"level"\n[levels]\nbelow = 0.2\n', "unknown_level"), ('"percent"\n', "unreadable_figure")):
        (tmp_path / "a.toml").write_text(columns + form)

        rows = pd.concat(open_log(tmp_path / "a.csv", mapping=tmp_path / "a.toml").chunks())

        assert rule in rows["rejected"].tolist()


FORM = (
    '"Timestamp","Username","Total score","Your name","Your name [Score]","Your name [Feedback]",'
    '"Add 1/2 and 1/4 (4.NF.B.3)","Add 1/2 and 1/4 (4.NF.B.3) [Score]","Half of 8","Half of 8 [Score]"\n'
    '"2026/03/05 9:05:12 AM CST","ada","1.00 / 2","Ada","-- / 0","","3/4","1.00 / 1","5","0.00 / 1"\n'
)
QUIZ = (
    "name,id,sis_id,submitted,attempt,1001: Half of 8?,1.0,1002: Name 3 factors,1.0,n correct,score\n"
    'Ada,77,ada,2026-03-05 15:05:12 UTC,1,4,1.0,"2,4",0.0,1,1.0\n'
)
MOODLE = (
    '"First name","Email address",State,Completed,"Time taken","Grade/2.00","Q. 1 /1.00","Q. 2 /1.00"\n'
    'Ada,ada,Finished,"16 March 2026 9:15 AM","10 mins",1.00,1.00,0.00\n"Overall average",,,,,1.00,1.00,0.00\n'
)
DIAGNOSTIC = (
    "Last Name,Student ID,Subject,Completion Date,Overall Placement,Number Scale Score,Number Placement,"
    "Algebra Scale Score,Algebra Placement\nL,ada,Math,1/20/2026,On Level,455,On Level,420,2 Grade Levels Below\n"
)
PRACTICE = (
    "Student name,Student ID,Grade,Skill code,Skill name,SmartScore,Questions answered,Last practiced\n"
    "Ada,ada,4,D.1,Add fractions,85,32,3/31/2026\n"
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (FORM, {("Add 1/2 and 1/4 (4.NF.B.3)", "4.NF.B.3"): 1.0, ("Half of 8", None): 0.0}),
        (QUIZ, {("1001: Half of 8?", None): 1.0, ("1002: Name 3 factors", None): 0.0}),
        (MOODLE, {("export :: Q. 1", None): 1.0, ("export :: Q. 2", None): 0.0}),
        (DIAGNOSTIC, {(None, "Number"): 0.75, (None, "Algebra"): 0.2}),
        (PRACTICE, {(None, "Add fractions"): 0.85}),
    ],
)
def test_the_printed_mapping_of_a_sheet_reads_it_unedited(tmp_path, text, found):
    path = tmp_path / "export.csv"
    path.write_text(text, encoding="utf-8")

    starter = suggest_mapping(path)
    assert starter is not None
    path.with_suffix(".toml").write_text(starter, encoding="utf-8")
    rows = pd.concat(open_log(path, mapping=path.with_suffix(".toml")).chunks(), ignore_index=True)

    rows = rows[rows["unused"].isna()]
    assert rows["rejected"].isna().all(), rows["rejected"].tolist()
    assert rows["student_id"].eq("ada").all()
    if "score" in rows:
        named = rows[["item_id", "skills"]].astype(object).where(rows[["item_id", "skills"]].notna(), None)
        assert dict(zip(named.itertuples(index=False, name=None), rows["score"], strict=True)) == found
        assert str(rows["occurred_at"].iloc[0]) in {"2026-03-05 15:05:12+00:00", "2026-03-16 09:15:00+00:00"}
    else:
        counts = rows["questions"].to_numpy(np.float64, na_value=np.nan)
        shares = np.array([found[None, skill] for skill in rows["skill_id"]])
        assert rows["mastery"].tolist() == estimate_mastery(shares, counts)[0].tolist()


def test_a_scale_score_waits_for_what_nobody_can_guess(tmp_path):
    path = tmp_path / "map.csv"
    path.write_text("StudentID,TestStartDate,Goal,GoalRitScore,GoalStdErr\nada,1/15/2026,Algebra,201,4.2\n")

    starter = suggest_mapping(path)

    assert starter is not None
    assert 'skills = "Goal"' in starter
    assert 'error = "GoalStdErr"' in starter
    assert "needs proficient" in starter
