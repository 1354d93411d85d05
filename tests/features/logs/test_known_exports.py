"""Public exports of ASSISTments and the KDD Cup are recognized by their headers, with nothing else said."""

import pandas as pd
import pytest

from features.errors import InputError
from features.logs import open_log, sniff_format
from features.logs.rows import SKILL_MARK

ASSISTMENTS_2012 = (
    "problem_log_id,skill,problem_id,user_id,assignment_id,assistment_id,start_time,end_time,problem_type,original,"
    "correct,bottom_hint,hint_count,actions,attempt_count,ms_first_response,tutor_mode,sequence_id,student_class_id,"
    "position,type,base_sequence_id,skill_id,teacher_id,school_id,overlap_time,template_id,answer_id,answer_text,"
    "first_action,problemlogid"
)
ASSISTMENTS_2015 = "user_id,log_id,sequence_id,correct"
ASSISTMENTS_2017 = (
    "studentId,MiddleSchoolId,InferredGender,SY ASSISTments Usage,AveKnow,AveCarelessness,AveCorrect,NumActions,"
    "AveResBored,AveResEngcon,AveResConf,AveResFrust,AveResOfftask,AveResGaming,action_num,skill,problemId,problemType,"
    "assignmentId,assistmentId,startTime,endTime,timeTaken,correct,original,hint,hintCount,hintTotal,scaffold,"
    "bottomHint,attemptCount"
)
KDD_CUP = (
    "Row,Anon Student Id,Problem Hierarchy,Problem Name,Problem View,Step Name,Step Start Time,First Transaction Time,"
    "Correct Transaction Time,Step End Time,Step Duration (sec),Correct Step Duration (sec),Error Step Duration (sec),"
    "Correct First Attempt,Incorrects,Hints,Corrects,KC(Default),Opportunity(Default)"
)


def write(tmp_path, header: str, *rows: dict[str, object], mark: str = ","):
    names = header.split(",")
    lines = [mark.join(names), *(mark.join(str(row.get(name, "")) for name in names) for row in rows)]
    path = tmp_path / "export.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def read(path, **said):
    log = open_log(path, **said)
    return pd.concat(log.chunks(), ignore_index=True), log.notes


def test_answers_of_2012_have_a_clock_a_score_in_parts_and_milliseconds(tmp_path):
    row = {"user_id": "64525", "problem_id": "33139", "start_time": "2012-09-28 15:11:27", "correct": 1}
    row |= {"problem_log_id": 137792159, "skill": "Rounding", "ms_first_response": 32454, "hint_count": 0}
    path = write(tmp_path, ASSISTMENTS_2012, row, row | {"correct": 0.25, "skill": "", "problem_log_id": 2})

    rows, notes = read(path, zone="America/New_York")

    assert (rows["student_id"][0], rows["item_id"][0], rows["event_key"][0]) == ("64525", "33139", "137792159")
    assert rows["occurred_at"][0] == pd.Timestamp("2012-09-28T19:11:27Z")
    assert rows["skills"].fillna("-").tolist() == ["Rounding", "-"]
    assert rows["duration_s"][0] == pytest.approx(32.454)
    assert notes[0] == "read as ASSISTments' answers of 2012"


def test_answers_of_2015_have_an_order_and_the_skill_of_their_set(tmp_path):
    answers = [("50121", 167478035, "7014", 0), ("50121", 167478043, "7014", 1)]
    rows_of = [dict(zip(ASSISTMENTS_2015.split(","), answer, strict=True)) for answer in answers]

    rows, notes = read(write(tmp_path, ASSISTMENTS_2015, *rows_of))

    assert rows["sequence"].tolist() == [167478035, 167478043]
    assert rows["skills"].tolist() == rows["item_id"].tolist() == ["7014", "7014"]
    assert rows["correct"].tolist() == [False, True]
    assert rows["occurred_at"].isna().all()
    assert notes[0] == "read as ASSISTments' answers of 2015"


def test_answers_of_2017_count_seconds_and_a_skill_that_is_none_is_none(tmp_path):
    row = {"studentId": 8, "problemId": 1, "startTime": 1096470301, "timeTaken": 37, "correct": 1, "hintCount": 0}
    path = write(
        tmp_path, ASSISTMENTS_2017, row | {"skill": "area"}, row | {"skill": "noskill", "startTime": 1096470400}
    )

    rows, notes = read(path)

    assert rows["occurred_at"][0] == pd.Timestamp("2004-09-29T15:05:01Z")
    assert rows["skills"].fillna("-").tolist() == ["area", "-"]
    assert rows["duration_s"].tolist() == [37.0, 37.0]
    assert notes[0] == "read as ASSISTments' answers of 2017"


def test_student_steps_of_the_kdd_cup_are_first_attempts_with_the_skills_of_their_model(tmp_path):
    row = {"Row": 1, "Anon Student Id": "0BrbPbwCMz", "Problem Hierarchy": "Unit ES_04, Section ES_04-1"}
    row |= {"Problem Name": "EG4-FIXED", "Problem View": 1, "Step Name": "3(x+2) = 15", "Hints": 2, "Incorrects": 2}
    row |= {"First Transaction Time": "2005-09-09 12:24:07.0", "Step Duration (sec)": "42"}
    row |= {"KC(Default)": "[SkillRule: Eliminate Parens]~~Remove constant"}
    steps = [row | {"Correct First Attempt": right, "Problem View": view} for view, right in enumerate(("0", "1", ""))]
    path = write(tmp_path, KDD_CUP, *steps, mark="\t")

    rows, notes = read(path, zone="America/New_York")

    assert sniff_format(path) == "datashop"
    assert rows["item_id"][0] == "EG4-FIXED :: 3(x+2) = 15"
    assert rows["correct"].tolist()[:2] == [False, True]
    assert rows["unused"].tolist()[2] == "no_outcome"
    assert rows["occurred_at"][0] == pd.Timestamp("2005-09-09T16:24:07Z")
    assert rows["skills"][0].split(SKILL_MARK) == ["[SkillRule: Eliminate Parens]", "Remove constant"]
    assert rows["hints"][0] == 2
    assert notes[:2] == [
        "read as DataShop's student steps of the KDD Cup 2010",
        'skills are those of the model "Default"',
    ]


def test_a_zone_is_refused_where_no_time_has_one(tmp_path):
    path = write(tmp_path, ASSISTMENTS_2015)

    with pytest.raises(InputError, match="--zone is for ASSISTments' export of 2012"):
        open_log(path, zone="America/New_York")
