"""EdNet's folder: a file per student, and what is right in another."""

from pathlib import Path

import pandas as pd
import pytest

from features.errors import InputError
from features.events.ingest import ingest_file
from features.events.log.store import read_events
from features.home import Home
from features.logs import open_log

HEADER = "timestamp,solving_id,question_id,user_answer,elapsed_time\n"
U1 = ("1565096190868,1,q1,b,38000", "1565096221062,2,q2,c,24000", "1565096293432,3,q2,a,68.5", "1565096293432,4,q3,,5")
U20 = ("1565096190868,1,q1,b,38000", "1565096190868,1,q1,b,38000", "1565096200000,2,q9,a,900")


@pytest.fixture
def ednet(tmp_path) -> Path:
    (tmp_path / "EdNet" / "KT1").mkdir(parents=True)
    (tmp_path / "EdNet" / "contents").mkdir()
    (tmp_path / "EdNet" / "contents" / "questions.csv").write_text(
        "question_id,bundle_id,explanation_id,correct_answer,part,tags,deployed_at\n"
        "q1,b1,e1,b,1,1;2;179,1558093217098\nq2,b2,e2,a,1,-1,1558093219720\nq3,b3,e3,b,1,24,1558093222784\n"
    )
    for name, rows in {"u1": U1, "u20": U20}.items():
        (tmp_path / "EdNet" / "KT1" / f"{name}.csv").write_text(HEADER + "\n".join(rows) + "\n")
    return tmp_path / "EdNet"


@pytest.mark.parametrize("inside", ["", "KT1"])
def test_answers_have_the_student_of_their_file_and_are_right_by_the_file_of_questions(ednet, inside):
    log = open_log(ednet / inside)

    rows = pd.concat(log.chunks(), ignore_index=True)

    assert rows["student_id"].tolist() == ["u1"] * 4 + ["u20"] * 3
    assert rows["occurred_at"][0] == pd.Timestamp("2019-08-06T12:56:30.868Z")
    assert rows["correct"].tolist()[:3] == [True, False, True]
    assert rows["skills"].fillna("-").tolist()[:4] == ["1\x1f2\x1f179", "-", "-", "24"]
    assert rows["duration_s"].tolist()[:3] == [38.0, 24.0, 0.0685]
    assert rows["unused"].tolist()[3] == "not_answered"
    assert log.notes[0].startswith("read as EdNet's KT1: 2 files of students, 3 questions")


def test_a_folder_is_ingested_whole_and_again_adds_nothing(ednet, tmp_path):
    home = Home(tmp_path / "home")

    first, again = (ingest_file(home, ednet, max_rejected=0.5) for _ in range(2))

    assert (first.rows_read, first.events_stored, first.events_known) == (7, 4, 1)
    assert (first.unused, first.rejected) == ({"not_answered": 1}, {"no_score": 1})
    assert (again.events_stored, again.events_known) == (0, 5)
    stored = read_events(home).sort_values(["student_id", "occurred_at"])
    assert stored["attempt"].tolist() == [1, 1, 2, 1]


def test_what_is_missing_is_said(ednet):
    (ednet / "contents" / "questions.csv").unlink()

    with pytest.raises(InputError, match="not contents/questions"):
        open_log(ednet)
    (ednet / "KT1" / "u1.csv").write_text("timestamp,action_type,item_id,source,user_answer,platform\n")
    (ednet / "contents" / "questions.csv").write_text("question_id,correct_answer,tags\n")
    with pytest.raises(InputError, match="question_id"):
        open_log(ednet)
