"""A table in any of the shapes that products write is read right by the mapping that is printed for it, unedited."""

import csv
import io
import tomllib

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.__main__ import main
from features.errors import InputError
from features.events.log.store import read_events
from features.home import read_home
from features.logs import open_log, suggest_mapping

NAMES = {
    "student": ["student_id", "Student ID", "userId", "Anon Student Id", "learner"],
    "time": ["time", "Completed At", "submittedAt", "timestamp", "Date"],
    "item": ["item", "Question #", "question_id", "Exercise"],
    "skills": ["skill", "Standards", "KC (Default)", "objective"],
    "score": ["correct", "Score", "Result", "isCorrect", "outcome"],
    "seconds": ["duration", "Time Spent"],
}
TIMES = {
    "iso": lambda at: f"{at:%Y-%m-%d %H:%M:%S}",
    "utc": lambda at: f"{at:%Y-%m-%dT%H:%M:%SZ}",
    "us": lambda at: f"{at.month}/{at.day}/{at.year} {at:%I:%M:%S %p}",
    "us short": lambda at: f"{at.month}/{at.day}/{at:%y %H:%M:%S}",
    "eu": lambda at: f"{at:%d.%m.%Y %H:%M:%S}",
    "slashed": lambda at: f"{at:%Y/%m/%d %H:%M:%S}",
    "month": lambda at: f"{at:%d-%b-%Y %H:%M:%S}",
    "seconds": lambda at: str(int(at.timestamp())),
    "milliseconds": lambda at: str(int(at.timestamp() * 1000)),
    "serial": lambda at: repr((at - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)),
}
OUTCOMES = {
    "zero or one": {1.0: "1", 0.0: "0"},
    "words": {1.0: "Correct", 0.0: "wrong"},
    "truth": {1.0: "TRUE", 0.0: "FALSE"},
    "tutor": {1.0: "OK", 0.0: "BUG"},
    "partial": {1.0: "1", 0.5: "0.5", 0.0: "0"},
    "percent": {1.0: "100%", 0.5: "50 %", 0.0: "0%"},
    "fractions": {1.0: "4/4", 0.5: "2/4", 0.0: "0/4"},
    "points": {1.0: "10", 0.5: "5", 0.0: "0"},
    "comma": {1.0: "1,0", 0.5: "0,5", 0.0: "0,0"},
}
DURATIONS = {
    "s": ("seconds", str),
    "ms": ("ms", lambda s: str(1000 * s)),
    "clock": ("{}", lambda s: f"{s // 60}:{s % 60:02}"),
}
CODES = ["4.NF.A.1", "4.NF.B.3", "5.OA.2"]


@st.composite
def tables(draw) -> tuple[list[dict], dict]:
    """Answers as they are, and how a product writes them."""
    shape = {
        "names": {key: draw(st.sampled_from(names)) for key, names in NAMES.items()},
        "time": draw(st.sampled_from(sorted(TIMES))),
        "outcome": draw(st.sampled_from(sorted(OUTCOMES))),
        "duration": draw(st.sampled_from(sorted(DURATIONS))),
        "delimiter": draw(st.sampled_from(",;\t|")),
        "separator": draw(st.sampled_from([", ", ";", "~~", " | "])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"])),
        "title": draw(st.sampled_from(["", "Report of the class\n\n", "sep=", "padded"])),
        "order": draw(st.permutations(sorted(NAMES))),
        "end": draw(st.sampled_from(["\n", "\r\n"])),
    }
    answer = st.fixed_dictionaries(
        {
            "student": st.sampled_from(["1001", "zoë", "p-ada"]),
            "minutes": st.integers(0, 500_000),
            "item": st.sampled_from(["q1", "café 2", "R1C1"]),
            "skills": st.lists(st.sampled_from(CODES), min_size=1, max_size=2, unique=True),
            "score": st.sampled_from(sorted(OUTCOMES[shape["outcome"]])),
            "seconds": st.integers(1, 600),
        }
    )
    answers = draw(st.lists(answer, min_size=3, max_size=8))
    answers.append({**answers[0], "minutes": 15_000, "item": "q9", "skills": CODES[:1]})  # the 16th, which is no month
    for score in OUTCOMES[shape["outcome"]]:
        answers.append({**answers[0], "score": score})
    return [
        row | {"at": pd.Timestamp("2025-01-06 08:00:07") + pd.Timedelta(minutes=row["minutes"])} for row in answers
    ], shape


def write(answers: list[dict], shape: dict) -> bytes:
    unit, as_duration = DURATIONS[shape["duration"]]
    cells = {
        "student": lambda row: row["student"],
        "time": lambda row: TIMES[shape["time"]](row["at"]),
        "item": lambda row: row["item"],
        "skills": lambda row: shape["separator"].join(row["skills"]),
        "score": lambda row: OUTCOMES[shape["outcome"]][row["score"]],
        "seconds": lambda row: as_duration(row["seconds"]),
    }
    names = shape["names"] | {"seconds": f"{shape['names']['seconds']} {unit.format('')}".strip()}
    text = io.StringIO()
    rows = csv.writer(text, delimiter=shape["delimiter"], lineterminator=shape["end"])
    rows.writerow([names[key] for key in shape["order"]])
    rows.writerows([cells[key](row) for key in shape["order"]] for row in answers)
    if shape["title"] == "padded":  # as a spreadsheet saves it
        shape = shape | {"title": f"Report{shape['delimiter'] * 5}\n{shape['delimiter'] * 5}\n"}
    title = f"sep={shape['delimiter']}\n" if shape["title"] == "sep=" else shape["title"]
    return (title.replace("\n", shape["end"]) + text.getvalue()).encode(shape["encoding"])


@given(table=tables())
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_the_printed_mapping_unedited_reads_the_values_back(tmp_path_factory, table):
    answers, shape = table
    path = tmp_path_factory.mktemp("log") / "answers.csv"
    path.write_bytes(write(answers, shape))

    starter = suggest_mapping(path)
    assert starter is not None
    path.with_suffix(".toml").write_text(starter, encoding="utf-8")
    rows = pd.concat(open_log(path, mapping=path.with_suffix(".toml")).chunks(), ignore_index=True)

    assert rows["rejected"].isna().all(), rows["rejected"].unique()
    assert rows["student_id"].tolist() == [row["student"] for row in answers]
    assert rows["item_id"].tolist() == [row["item"] for row in answers]
    assert rows["occurred_at"].tolist() == [row["at"].tz_localize("UTC") for row in answers]
    assert rows["score"].tolist() == [row["score"] for row in answers]
    assert rows["duration_s"].tolist() == [row["seconds"] for row in answers]
    assert [text.split("\x1f") for text in rows["skills"]] == [row["skills"] for row in answers]


def suggested(path, text: str) -> tuple[str, dict]:
    path.write_text(text, encoding="utf-8")
    starter = suggest_mapping(path)
    assert starter is not None
    return starter, tomllib.loads(starter)


def test_a_new_user_goes_from_the_printed_mapping_to_stored_events(tmp_path, monkeypatch, capsys):
    """US dates on a clock of 12 hours, codes of standards, scores of 0, 0.5 and 1, and durations as 1:30."""
    monkeypatch.setenv("REGROUP_HOME", str(tmp_path / "home"))
    path, mapping = tmp_path / "answers.csv", tmp_path / "answers.toml"
    path.write_text(
        "Report,,,,,,\n\nStudent Name,Student ID,Grade,Completed At,Question,Standard,Score,Time Spent\n"
        'Ada,1001,4,3/5/2026 9:05 AM,q1,4.NF.A.1,1,1:30\nAda,1001,4,3/5/2026 1:07 PM,q2,"4.NF.A.1, 4.NF.B.3",0.5,0:45\n'
        "Bo,1002,5,11/30/2025 12:30 AM,q1,4.NF.A.1,0,12:05\nTotal,,,,,,1.5,\n"
    )
    with pytest.raises(InputError, match="mapping"):
        main(["ingest", str(path)])
    mapping.write_text(capsys.readouterr().out)

    assert main(["ingest", str(path), "--mapping", str(mapping)]) == 0

    events = read_events(read_home()).sort_values("occurred_at")
    assert events["student_id"].tolist() == ["1002", "1001", "1001"]
    assert [f"{at:%m-%d %H:%M}" for at in events["occurred_at"]] == ["11-30 00:30", "03-05 09:05", "03-05 13:07"]
    assert events["score"].tolist() == [0, 1, 0.5]
    assert events["correct"].tolist() == [False, True, False]
    assert events["duration_s"].tolist() == [725, 90, 45]
    assert events["skills"].tolist()[2] == "4.NF.A.1\x1f4.NF.B.3"
    assert "occurred_at 2026-03-05 09:05:00 UTC" in mapping.read_text()


def test_a_date_that_may_be_read_either_way_is_refused_until_somebody_says(tmp_path):
    starter, mapping = suggested(
        tmp_path / "log.csv", "student,date,item,correct\na,3/5/2026 9:05,q,1\nb,4/5/2026 9:06,q,0\n"
    )

    assert mapping["time"]["form"] == "us or eu"
    assert 'right would be "us" for 3/31/2026 or "eu" for 31/3/2026' in starter


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("Name,SIS ID,Grade,Math Grade,When,Task\nA,1,4,1,2026-03-05,t\nA,1,4,0,2026-03-06,t\nB,2,5,0,2026-03-06,t\n",
         {"student": "SIS ID", "correct": "Math Grade", "time": "When", "item": "Task"}),
        ("row,user,day,at,problem,step,right\n1,a,2026-03-05,9:05,P,S,1\n2,a,2026-03-05,9:06,P,S,0\n",
         {"student": "user", "time": ["day", "at"], "item": ["problem", "step"], "correct": "right"}),
        ("user,last seen,title,type,seconds\na,2026-03-05 09:05:00,T,video,120\nb,2026-03-05 09:05:00,T,lesson,5\n",
         {"student": "user", "time": "last seen", "item": "title", "duration_s": "seconds", "kind": "type"}),
        ("response_id,user,time,item,correct,hints,attempt\nx,a,2026-03-05,q,1,NA,1\ny,a,2026-03-06,q,1,2,2\n",
         {"student": "user", "time": "time", "item": "item", "correct": "correct", "hints": "hints",
          "attempt": "attempt", "event_id": "response_id"}),
    ],
)  # fmt: skip
def test_columns_are_told_by_names_and_values(tmp_path, text, columns):
    assert suggested(tmp_path / "log.csv", text)[1]["columns"] == columns
