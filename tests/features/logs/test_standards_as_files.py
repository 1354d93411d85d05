"""Statements and events are read from a file in whatever way it holds them, and every one of them is counted."""

import json
import tomllib

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from features.logs import open_log
from features.logs.mapping import parse_mapping
from features.logs.standards.translation import Names, UntranslatableError, seconds_of
from features.logs.standards.xapi import translate_statement

VERBS = "http://adlnet.gov/expapi/verbs/"
FEW = settings(max_examples=25)


def statement(number: int, **changes) -> dict:
    return {
        "id": f"6F0C0000-0000-4000-8000-{number:012}",
        "actor": {"account": {"homePage": "https://lms.example", "name": "p-ada"}},
        "verb": {"id": VERBS + "answered"},
        "object": {"id": f"https://lms.example/{number}"},
        "result": {"success": True},
        "timestamp": f"2026-03-05T09:05:{number % 60:02}Z",
    } | changes


def grade(number: int) -> dict:
    attempt = {"assignee": "p-ada", "assignable": {"id": f"i{number}"}, "count": 1}
    score = {"scoreGiven": 1, "maxScore": 2}
    moment = f"2026-03-05T09:05:{number % 60:02}Z"
    return {"id": f"g{number}", "type": "GradeEvent", "action": "Graded", "actor": "a", "object": attempt} | {
        "generated": score, "eventTime": moment
    }  # fmt: skip


def read(path) -> pd.DataFrame:
    return pd.concat(open_log(path).chunks(), ignore_index=True)


SHAPES = {
    "lines": lambda documents: "\n".join(map(json.dumps, documents)) + "\n\n",
    "array": json.dumps,
    "pretty array": lambda documents: json.dumps(documents, indent=2),
    "lines of arrays": lambda documents: "\n".join(json.dumps([document]) for document in documents),
    "answer of a record store": lambda documents: json.dumps({"more": "", "statements": documents}),
    "pretty answer": lambda documents: json.dumps({"statements": documents}, indent=1),
    "answers in lines": lambda documents: "\n".join(json.dumps({"statements": [document]}) for document in documents),
    "Caliper envelope": lambda documents: json.dumps({"sensor": "s", "dataVersion": "v1p1", "data": documents}),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_the_shape_of_the_file_changes_nothing(tmp_path, shape, encoding):
    path = tmp_path / "log.json"
    for make, item in ((statement, "https://lms.example/{}"), (grade, "i{}")):
        path.write_text(SHAPES[shape]([make(number) for number in range(3)]), encoding=encoding)

        rows = read(path)

        assert rows["item_id"].tolist() == [item.format(number) for number in range(3)]
        assert rows["rejected"].isna().all()


VERB = st.sampled_from([VERBS + "attempted", VERBS + "passed", "https://w3id.org/xapi/acrossx/verbs/evaluated", "x:y"])
RESULTS = [
    ({"success": True}, 1.0, True),
    ({"success": False, "score": {"scaled": 0.5}}, 0.5, False),
    ({"score": {"raw": 3, "min": 1, "max": 5}}, 0.5, False),
    ({"score": {"raw": 4, "max": 4}, "duration": "PT12,5S"}, 1.0, True),
    ({"success": True, "duration": "P1Y"}, 1.0, True),
    ({"success": True, "duration": 7}, 1.0, True),
]


@given(verb=VERB, result=st.sampled_from(RESULTS), attempt=st.none() | st.integers(1, 99))
@FEW
def test_what_has_a_success_or_a_score_is_a_response_whatever_its_verb(verb, result, attempt):
    extensions = {"http://id.tincanapi.com/extension/attempt-id": "3f" if attempt is None else attempt}
    item = {"id": "q", "definition": {"extensions": extensions}}

    event = translate_statement(statement(1, verb={"id": verb}, result=result[0], object=item), Names(source="app"))

    assert isinstance(event, dict)
    correct = event["score"] == 1 if event["correct"] is None else event["correct"]
    assert (event["kind"], event["attempt"], correct) == ("response", attempt, result[2])
    assert event["score"] in {result[1], None}
    assert event["event_id"] == "6f0c0000-0000-4000-8000-000000000001"


def test_every_document_is_an_event_or_counted_by_its_name_or_rule(tmp_path):
    path = tmp_path / "log.jsonl"
    texts = [
        json.dumps(statement(1)),
        json.dumps(statement(2, verb={"id": VERBS + "launched"}, result=None)),
        json.dumps(statement(3, verb={"id": VERBS + "passed"}, result=None)),
        json.dumps(statement(4, object={"id": "g", "objectType": "GroupActivity"})),
        json.dumps(statement(5, actor={})),
        json.dumps(statement(6, verb={"id": VERBS + "voided"})),
        json.dumps(statement(7, timestamp="yesterday")),
        json.dumps(statement(8, timestamp="2026-03-05T09:05:08")),
        json.dumps(statement(9, actor={"account": {"homePage": "https://other.example", "name": "p-ada"}})),
        json.dumps(statement(10, actor={"mbox_sha1sum": "ab12"})),
        '{"id": "half',
        "7",
    ]
    path.write_text("\n".join(texts))
    log = open_log(path)

    rows = pd.concat(log.chunks(), ignore_index=True)

    assert rows["unused"].dropna().tolist() == ["ignored launched", "ignored group of questions", "voiding statement"]
    rules = ["no_student", "unreadable_time", "unreadable_json", "invalid_event"]
    assert rows["rejected"].dropna().tolist() == rules
    assert rows["student_id"].tolist()[9] == "ab12"
    assert [rows["kind"][2], rows["occurred_at"][7]] == ["lesson", pd.Timestamp("2026-03-05 09:05:08", tz="UTC")]
    assert any("1 times without an offset are taken as UTC" in note for note in log.notes)
    assert any("1 account names come from several home pages" in note for note in log.notes)


def checked(name="problem_check", source="server", **event) -> dict:
    return {
        "name": name, "event_type": name, "event_source": source, "username": "", "context": {"user_id": 7},
        "time": "2026-03-05T09:05:01.25+00:00", "event": {"problem_id": "b1", "attempts": 2} | event,
    }  # fmt: skip


TOLD = [("correct", None, 1.0), ("incorrect", None, 0.0), ("partially-correct", 0.5, 0.5)]


@given(answers=st.lists(st.sampled_from(TOLD), min_size=1, max_size=4), as_map=st.booleans())
@FEW
def test_a_checked_problem_of_open_edx_is_an_answer_to_each_of_its_questions(tmp_path_factory, answers, as_map):
    path = tmp_path_factory.mktemp("log") / "tracking.log"
    answers = answers if as_map else [answer for answer in answers if answer[1] is None]
    of_question = {
        f"b1_{at}_1": {"correctness": word, "npoints": points} if as_map else {"correct": word == "correct"}
        for at, (word, points, _) in enumerate(answers)
    }
    event = {"correct_map" if as_map else "submission": of_question, "grade": 1, "max_grade": 4}
    browser = checked(source="browser") | {"event": "input_b1_2_1=x"}
    path.write_text("\n".join(map(json.dumps, [browser, checked("seq_next"), checked(**event), checked("play_video")])))

    rows = read(path)

    assert rows["unused"].dropna().tolist() == ["ignored problem_check", "ignored seq_next"]
    responses = rows[rows["kind"] == "response"]
    expected = {name: score for name, (_, _, score) in zip(of_question, answers, strict=True)} or {"b1": 0.25}
    assert dict(zip(responses["item_id"], responses["score"], strict=True)) == expected
    assert (set(responses["student_id"]), set(responses["attempt"])) == ({"7"}, {2})
    assert rows["kind"].tolist()[-1] == "video"


def test_a_mapping_gives_the_source_and_removes_prefixes(tmp_path):
    path, mapping = tmp_path / "log.json", tmp_path / "log.toml"
    path.write_text(json.dumps(statement(1)))
    mapping.write_text('[file]\nformat = "xapi"\nsource = "app"\n[prefixes]\nitem_prefix = "https://lms.example/"\n')
    log = open_log(path, mapping=mapping)

    rows = pd.concat(log.chunks())

    assert (log.source, rows["item_id"].tolist()) == ("app", ["1"])
    for text, sentence in (
        ('[file]\nformat = "xapi"\n[time]\nform = "us"', r"\[time\] is not for"),
        ('[prefixes]\nitem_prefix = "x"\n', r"\[prefixes\] is for"),
    ):
        with pytest.raises(InputError, match=sentence):
            parse_mapping(tomllib.loads(text))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('[{"actor": {}, "verb": {}, "object": {}}, {"actor"', "damaged"),
        ('{"name": "x"}', "nothing that is read as such"),
        ('[\n{"actor": {}, "verb": {}, "object": {}},\n' + "[" * 100_000, "nested too deeply|damaged"),
        (b'[{"actor": {}, "verb": {}, "object": "\xff"}]', "utf-8"),
    ],
)
def test_a_file_that_is_no_list_of_statements_says_so(tmp_path, content, sentence):
    path = tmp_path / "log.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(InputError, match=sentence):
        read(path)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
FIELDS = st.sampled_from(
    ["id", "actor", "verb", "object", "result", "context", "score", "account", "name", "extensions"]
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4), max_leaves=12
)


@given(changes=st.lists(st.dictionaries(FIELDS, JSON, max_size=3), min_size=1, max_size=4))
@FEW
def test_whatever_a_part_holds_becomes_one_row_and_lines_are_read_like_an_array(tmp_path_factory, changes):
    lines, array = (tmp_path_factory.mktemp("log") / name for name in ("log.jsonl", "log.json"))
    documents = [statement(at) | change for at, change in enumerate(changes)]
    lines.write_text(SHAPES["lines"](documents))
    array.write_text(SHAPES["array"](documents))

    rows, of_array = (pd.concat(open_log(path, form="xapi").chunks()) for path in (lines, array))

    assert len(rows) == len(changes)
    pd.testing.assert_frame_equal(rows, of_array)


@given(text=st.text(max_size=12) | st.from_regex(r"P[0-9]Y?[0-9]?D?T?[0-9.,]*[HMS]?", fullmatch=True))
@FEW
def test_a_duration_is_seconds_or_absurd(text):
    seconds = seconds_of(text)

    assert seconds is not None
    assert seconds == -1 or seconds >= 0


def test_a_statement_without_a_student_is_refused_by_its_field():
    with pytest.raises(UntranslatableError) as error:
        translate_statement(statement(1, actor={"name": "Ada"}), Names(source="app"))

    assert (error.value.rule, error.value.field) == ("no_student", "actor")
