"""Each format becomes the same raw rows, and what cannot be read says what would be right."""

import csv
import re
import tomllib
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from features.logs import mapped, open_log, sniff_format
from features.logs import mapping as mapping_of_logs
from features.logs.mapping import parse_mapping
from features.logs.moments import as_dates
from features.logs.rows import RAW_TYPES, SKILL_MARK

COLUMNS = {"student": "who", "time": "at", "correct": "right", "item": "what"}
ASSISTMENTS = "order_id,user_id,problem_id,correct,attempt_count,ms_first_response,skill_id,hint_count,teacher\n"
TRANSACTION = (
    "Transaction Id\tAnon Student Id\tTime\tTime Zone\tDuration (sec)\tStudent Response Type\tProblem Name\tStep Name\t"
    "Attempt At Step\tOutcome\tKC (Fine)\tKC (Default)\tKC Category (Default)\tKC (Default)\n"
)
STEP = (
    "Anon Student Id\tProblem Name\tProblem View\tStep Name\tFirst Transaction Time\tStep Duration (sec)\t"
    "First Attempt\tHints\tKC (Area)\n"
)

ids = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda text: text.strip())


def read_mapped(path: Path, **tables) -> pd.DataFrame:
    mapping = parse_mapping({"columns": COLUMNS} | tables)
    return pd.concat(mapped.open_mapped(path, mapping).chunks(), ignore_index=True)


def read(path: Path, **options) -> pd.DataFrame:
    return pd.concat(open_log(path, **options).chunks(), ignore_index=True)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@given(who=st.lists(ids | st.sampled_from(["007", "NA", " 7 ", "null", "nan", "1e3", 'a"b', "a,b", "Zoë"]), min_size=1))
@settings(max_examples=40)
def test_ids_survive_but_for_blanks_around_them(tmp_path_factory, who):
    path = tmp_path_factory.mktemp("ids") / "log.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["who", "what", "at", "right"], *([name, name, "2024-01-01", 1] for name in who)])

    rows = read_mapped(path)

    assert rows["student_id"].tolist() == rows["item_id"].tolist() == [name.strip() for name in who]


def test_csv_tsv_and_parquet_hold_the_same_rows(tmp_path):
    table = pd.DataFrame({"who": ["1", "2"], "what": ["10", ""], "at": ["2024-01-01", ""], "right": ["1", "0"]})
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    typed = {"who": [1, 2], "what": [10.0, None], "at": pd.to_datetime(["2024-01-01", None]), "right": [True, False]}
    pd.DataFrame(typed).to_parquet(tmp_path / "a.parquet")

    from_csv, from_tsv, from_parquet = (read_mapped(tmp_path / f"a.{form}") for form in ("csv", "tsv", "parquet"))

    pd.testing.assert_frame_equal(from_csv, from_tsv)
    pd.testing.assert_frame_equal(from_csv, from_parquet)
    assert list(from_csv.columns) == list(RAW_TYPES)
    assert from_csv["item_id"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("time", "written", "moment"),
    [
        ({}, "2024-01-31T10:00:00Z", "2024-01-31 10:00"),
        ({}, "2024-01-31 10:00:00.5+02:00", "2024-01-31 08:00:00.5"),
        ({}, "2024-01-31", "2024-01-31"),
        ({"zone": "Europe/Berlin"}, "2024-01-31 10:00", "2024-01-31 09:00"),
        ({"zone": "Europe/Berlin"}, "2024-01-31 10:00Z", "2024-01-31 10:00"),
        ({"zone": "Europe/Berlin"}, "2024-10-27 02:30", "2024-10-27 00:30"),
        ({}, "2024-01-31 10:00:00 UTC", "2024-01-31 10:00"),
        ({"form": "us"}, "1/31/2024", "2024-01-31"),
        ({"form": "us", "zone": "America/Chicago"}, "3/5/2026 1:07 PM", "2026-03-05 19:07"),
        ({"form": "us", "zone": "America/Chicago"}, "11/30/25 12:30 am", "2025-11-30 06:30"),
        ({"form": "us", "zone": "America/Chicago"}, "11/30/2025 21:05:10 UTC", "2025-11-30 21:05:10"),
        ({"form": "eu", "zone": "Europe/Berlin"}, "5.3.2026 21:05", "2026-03-05 20:05"),
        ({"form": "%d-%b-%Y %Hh%M"}, "05-Mar-2026 21h05", "2026-03-05 21:05"),
        ({"form": "%Y%m%dT%H%M%z"}, "20260305T2105+0100", "2026-03-05 20:05"),
        ({"form": "serial", "zone": "Europe/Berlin"}, "46086.5", "2026-03-05 11:00"),
        ({"form": "epoch_microseconds"}, "1706695200250000", "2024-01-31 10:00:00.25"),
        ({"form": "epoch_seconds"}, "1706695200.25", "2024-01-31 10:00:00.25"),
        ({"form": "epoch_milliseconds"}, "1706695200250", "2024-01-31 10:00:00.25"),
        ({"form": "epoch_seconds", "origin": "2024-01-31"}, "90", "2024-01-31 00:01:30"),
    ],
)
def test_a_moment_is_read_in_utc(tmp_path, time, written, moment):
    path = write(tmp_path / "log.csv", f"who,what,at,right\ns,i,{written},1\n")
    origin = {"origin": tomllib.loads(f"at = {time['origin']}T00:00:00Z")["at"]} if "origin" in time else {}

    rows = read_mapped(path, time=time | origin)

    assert rows["occurred_at"].tolist() == [pd.Timestamp(moment, tz="UTC")]
    assert rows["rejected"].isna().all()


def test_an_order_is_a_sequence_without_a_time(tmp_path):
    path = write(tmp_path / "log.csv", "who,what,at,right\ns,i,9007199254740993,1\ns,i,first,1\n")

    rows = read_mapped(path, time={"form": "order"})

    assert rows["sequence"].tolist() == [9007199254740993, pd.NA]
    assert rows["occurred_at"].isna().all()
    assert rows["rejected"].tolist()[1] == "unreadable_time"


@pytest.mark.parametrize(
    ("correct", "written", "score", "passed"),
    [
        ({}, "1", 1.0, True),
        ({"form": "bool"}, "No", 0.0, False),
        ({"form": "score", "max_score": 10, "pass_mark": 0.8}, "8", 0.8, True),
        ({"form": "score", "max_score": 10}, "8", 0.8, False),
        ({"form": "score", "max_score": 7, "pass_mark": 0.8}, "5.6", 0.8, True),
        ({"form": "score", "max_score": 7, "pass_mark": 0.8}, "85 %", 0.85, True),
        ({"form": "score", "max_score": 100, "pass_mark": 0.8}, "3/5", 0.6, False),
        ({"form": "bool"}, "right", 1.0, True),
        ({"form": "bool", "no": ["hint"]}, "Hint", 0.0, False),
        ({"form": "bool", "no": ["correct"]}, "correct", 0.0, False),
    ],
)
def test_a_score_is_a_share_and_correct_from_the_pass_mark(tmp_path, correct, written, score, passed):
    path = write(tmp_path / "log.csv", f"who,what,at,right\ns,i,2024-01-01,{written}\n")

    rows = read_mapped(path, correct=correct)

    assert rows[["score", "correct"]].to_numpy().tolist() == [[pytest.approx(score), passed]]


@pytest.mark.parametrize(
    ("duration", "written", "seconds"),
    [
        ({}, "12", 12),
        ({"unit": "ms"}, "2500", 2.5),
        ({"unit": "min"}, "1.5", 90),
        ({}, "1:30", 90),
        ({}, "1:00:05", 3605),
    ],
)
def test_a_duration_is_read_in_seconds(tmp_path, duration, written, seconds):
    path = write(tmp_path / "log.csv", f"who,what,at,right,took\ns,i,2024-01-01,1,{written}\n")

    rows = read_mapped(path, columns=COLUMNS | {"duration_s": "took"}, duration=duration)

    assert rows["duration_s"].tolist() == [seconds]


def test_words_for_nothing_decimal_commas_and_columns_that_are_one(tmp_path):
    path = write(
        tmp_path / "log.csv",
        "who;sheet;step;day;clock;right;help;tag\n"
        "s ;A;1;2024-01-31;10:00;0,5;NA;NA\nNA;A;2;2024-01-31;10:01;1,0;2;add\n",
    )
    columns = {"student": "who", "item": ["sheet", "step"], "time": ["day", "clock"], "correct": "right"}

    rows = read_mapped(
        path,
        file={"delimiter": ";", "decimal": ",", "nulls": ["NA"]},
        columns=columns | {"hints": "help", "skills": "tag"},
        correct={"form": "score"},
    )

    assert rows["item_id"].tolist() == ["A :: 1", "A :: 2"]
    assert rows["occurred_at"].tolist() == [pd.Timestamp(f"2024-01-31 10:0{minute}", tz="UTC") for minute in (0, 1)]
    assert rows["score"].tolist() == [0.5, 1.0]
    assert [rows[name].isna().tolist() for name in ("student_id", "hints", "skills")] == [
        [False, True], [True, False], [True, False],
    ]  # fmt: skip


@given(moment=st.datetimes(pd.Timestamp("2000-01-01"), pd.Timestamp("2099-12-31 23:59")), half=st.booleans())
@settings(max_examples=60)
def test_a_moment_written_as_people_do_is_read_back(moment, half):
    """In both orders of month and day, with a clock of 12 or of 24 hours."""
    moment = moment.replace(microsecond=0)
    clock = f"{moment:%I:%M:%S %p}" if half else f"{moment:%H:%M:%S}"
    us, eu = f"{moment.month}/{moment.day}/{moment.year} {clock}", f"{moment:%d.%m.%Y} {clock}"

    read_us, _ = as_dates(pa.array([us]), "UTC", month_first=True)
    read_eu, _ = as_dates(pa.array([eu]), "UTC", month_first=False)

    assert read_us[0] == read_eu[0] == pd.Timestamp(moment, tz="UTC")


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("s,i,yesterday,1,,", "unreadable_time"),
        ("s,i,2024-01-01,yes,,", "unreadable_score"),
        ("s,i,2024-01-01,0.5,,", "unreadable_score"),
        ("s,i,2024-01-01", "wrong_number_of_cells"),
    ],
)
def test_what_is_written_but_unreadable_names_its_rule(tmp_path, row, rule):
    path = write(tmp_path / "log.csv", f"who,what,at,right,try,help\n{row}\ns,i,2024-01-01,1,2,0\n")

    rows = read_mapped(path, columns=COLUMNS | {"attempt": "try", "hints": "help"})

    assert sorted(rows["rejected"].fillna("")) == ["", rule]


def test_several_skills_come_from_one_cell_or_a_list(tmp_path):
    path = write(tmp_path / "log.csv", 'who,at,right,tags\ns,2024-01-01,1,"add; carry"\n')
    listed = {"who": ["s"], "at": ["2024-01-01"], "right": [1], "tags": [["add", "carry"]]}
    pq.write_table(pa.table(listed), tmp_path / "log.parquet")
    columns = {"student": "who", "time": "at", "correct": "right", "skills": "tags"}

    from_cell = read_mapped(path, columns=columns, skills={"separator": ";"})
    from_list = read_mapped(tmp_path / "log.parquet", columns=columns)

    assert from_cell["skills"].tolist() == from_list["skills"].tolist() == [SKILL_MARK.join(["add", "carry"])]
    assert from_cell["item_id"].tolist() == ["add + carry"]


def test_an_activity_has_no_answer_whatever_is_written(tmp_path):
    path = write(tmp_path / "log.csv", "who,what,at,right,type\ns,i,2024-01-01,x,watch\ns,i,2024-01-01,1,\n")

    rows = read_mapped(path, columns=COLUMNS | {"kind": "type"}, kinds={"watch": "video", "do": "response"})

    assert rows["kind"].tolist() == ["video", "response"]
    assert rows["item_id"].isna().tolist() == rows["score"].isna().tolist() == [True, False]
    assert rows["rejected"].isna().all()


def test_the_documented_mapping_is_one():
    example = re.search(r"```toml\n(.*?)```", mapping_of_logs.__doc__, re.DOTALL)[1]

    mapping = parse_mapping(tomllib.loads(example))

    assert all(vars(mapping.columns).values())
    assert mapping.skills.separator == ","


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({"colums": {}}, 'unknown table: "colums"; did you mean "columns"?'),
        ({"columns": COLUMNS | {"skill": "tag"}}, 'unknown key in [columns]: "skill"; did you mean "skills"?'),
        ({"time": {"form": "epoch"}}, '[time] form = "epoch"; did you mean "epoch_seconds"?'),
        ({"time": {"zone": "Berlin"}}, '[time] zone = "Berlin"; right would be such as "Europe/Berlin"'),
        ({"correct": {"pass_mark": "80 %"}}, "[correct] pass_mark = '80 %'; right would be a float"),
        ({"correct": {"pass_mark": 80}}, "right would be above 0 and at most 1"),
        ({"columns": {"student": "who", "item": "what"}}, "[columns] lacks time"),
        ({"columns": {"student": "a", "time": "b", "item": "c"}}, "[columns] lacks correct; only a log with kind"),
        ({"columns": COLUMNS | {"item": []}}, "[columns] item = []; right would be a str or list of str"),
        ({"time": {"form": "uk"}}, '[time] form = "uk"; did you mean "us"?'),
        ({"correct": {"form": "bool", "yes": ["OK"], "no": ["ok"]}}, "[correct] yes and no both have 'ok'"),
        ({"correct": {"yes": ["OK"]}}, '[correct] yes and no are words of form "bool", not "zero_one"'),
        ({"duration": {"unit": "hours"}}, '[duration] unit = "hours"; did you mean'),
        ({"columns": {"student": "a", "time": "b", "correct": "c"}}, "names neither item nor skills"),
        ({"file": {"encoding": "utf8000"}}, '[file] encoding = "utf8000"'),
        ({"kinds": {"watch": "film"}}, '[kinds] watch = "film"; did you mean'),
    ],
)
def test_a_wrong_mapping_says_what_would_be_right(tables, sentence):
    with pytest.raises(InputError) as error:
        parse_mapping({"columns": COLUMNS} | tables)

    assert sentence in str(error.value)


def test_a_column_that_the_file_lacks_is_named_with_the_nearest(tmp_path):
    path = write(tmp_path / "log.csv", "whom,what,at,right\ns,i,2024-01-01,1\n")

    with pytest.raises(InputError, match=r'\[columns\] student = "who".*did you mean "whom".*whom, what, at, right'):
        read_mapped(path)


def test_a_file_without_a_header_is_never_quoted(tmp_path):
    path = write(tmp_path / "log.csv", "jane@school.org,what,2024-01-01,1\n")

    with pytest.raises(InputError) as asked:
        open_log(path, form="mapped")
    with pytest.raises(InputError) as read_as_is:
        read_mapped(path)

    for error in (asked, read_as_is):
        assert "first row holds values" in str(error.value)
        assert "jane" not in str(error.value)


def test_without_a_mapping_the_error_names_the_columns_and_where_to_get_one(tmp_path):
    path = write(tmp_path / "log.csv", "user,question,created,points,colour\n")

    for form in ("mapped", None):
        with pytest.raises(InputError, match=r"begin with|prints a first one"):
            open_log(path, form=form)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("log.csv", b"", "has no rows"),
        ("log.csv", b"\x89PNG\r\n\x1a\n\x00\x00", "is a picture (PNG); export the table as CSV; right would be text"),
        ("log.csv", b"PAR1....PAR1", "is damaged"),
        ("log.parquet", b"PAR1....PAR1", "log.parquet is damaged"),
        ("log.csv", "who,what,at,right\nZoë,i,2024-01-01,1\n".encode("latin-1"), 'try [file] encoding = "cp1252"'),
        ("log.csv", "who,what,at,right\n".encode("utf-16-le"), "text in UTF-16"),
        ("log.csv", b"who,what,at,right\n" + b's,i,2024-01-01,"1\n' + b"s,i,2024-01-01,1\n" * 3, "never closed"),
    ],
)
def test_an_unreadable_file_says_what_would_be_right(tmp_path, name, content, sentence):
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(InputError) as error:
        read_mapped(path)

    assert sentence in str(error.value)
    assert "Zo" not in str(error.value)


def test_a_quotation_mark_inside_a_cell_or_a_line_break_in_quotes_is_fine(tmp_path):
    path = write(
        tmp_path / "log.csv", 'who,what,at,right\n"s\n1",5" pipe,2024-01-01,1\n\n"s ""2""",6" pipe,2024-01-01,1\n'
    )

    rows = read_mapped(path)

    assert rows["student_id"].tolist() == ["s\n1", 's "2"']
    assert rows["item_id"].tolist() == ['5" pipe', '6" pipe']


def test_a_zone_is_for_times_that_name_none_and_what_was_assumed_is_said(tmp_path):
    path = write(tmp_path / "steps.txt", STEP + "s\tP\t1\tS\t2026-03-05 09:05:00\t6\tcorrect\t0\tadd\n")
    local = write(tmp_path / "log.csv", "who,what,at,right\ns,i,2026-03-05 09:05,1\n")
    log = mapped.open_mapped(local, parse_mapping({"columns": COLUMNS}))
    list(log.chunks())

    assert read(path, zone="America/Chicago")["occurred_at"][0] == pd.Timestamp("2026-03-05 15:05", tz="UTC")
    assert ["taken as UTC" in " ".join(open_log(path, zone=zone).notes) for zone in (None, "UTC")] == [True, False]
    assert ["taken as UTC" in note for note in log.notes] == [True]
    with pytest.raises(InputError, match=r'--zone "Chicago"; right would be such as'):
        open_log(path, zone="Chicago")


def test_what_stands_around_a_table_is_no_row_of_it(tmp_path):
    path = write(
        tmp_path / "log.csv",
        "Report;of\n\nwho;what;at;right\ns;i;2026-03-05;1\n;;;\nTotal;;;1\nMade by the office\ns;i\n",
    )

    rows = read_mapped(path)

    assert rows["unused"].dropna().tolist() == ["blank", "total_line", "text_line"]
    assert rows["rejected"].dropna().tolist() == ["wrong_number_of_cells"]
    assert len(rows) == 5


def test_absent_paths_and_folders_say_so(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        open_log(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="is a folder"):
        open_log(tmp_path)


def test_another_encoding_is_read_when_named(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes("who,what,at,right\nZoë,i,2024-01-01,1\n".encode("latin-1"))

    rows = read_mapped(path, file={"encoding": "latin-1"})

    assert rows["student_id"].tolist() == ["Zoë"]


def test_a_format_is_told_from_its_header(tmp_path):
    assert sniff_format(write(tmp_path / "a.csv", "\ufeff" + ASSISTMENTS)) == "assistments"
    assert sniff_format(write(tmp_path / "b.txt", TRANSACTION)) == "datashop"
    assert sniff_format(write(tmp_path / "c.txt", STEP)) == "datashop"
    with pytest.raises(InputError, match="mapped, assistments, datashop"):
        sniff_format(write(tmp_path / "d.csv", "who,what\n"))


def test_an_assistments_row_is_a_first_response(tmp_path):
    path = tmp_path / "export.csv"
    rows = "7,01,p,0,14,19813,10.0,3,Zoë\n8,01,p,1,1,-5,,0,Zoë\n"
    path.write_bytes((ASSISTMENTS + rows).encode("latin-1"))

    first, second = read(path).to_dict("records")

    assert (first["student_id"], first["item_id"], first["event_key"], first["sequence"]) == ("01", "p", "7", 7)
    assert (first["attempt"], first["hints"], first["correct"], first["skills"]) == (1, 3, False, "10")
    assert first["duration_s"] == pytest.approx(19.813)
    assert pd.isna(first["occurred_at"])
    assert pd.isna(second["skills"])


def test_datashop_after_a_spreadsheet_is_read_and_says_which_skills(tmp_path):
    """Commas and quoted cells, dates with the month first, blank rows, and models that are no skills."""
    header = TRANSACTION.replace("KC (Fine)", "KC (Single-KC)").replace("(Default)", "(Standards)").replace("\t", ",")
    line = 't1,s,3/1/2024 9:05,UTC,6,ATTEMPT,P,"EAT, SHARE",1,OK,Single-KC,add,x,\n'
    path = write(tmp_path / "export.csv", "\ufeff" + header + line + "," * 13 + "\n")

    log = open_log(path)
    first, blank = pd.concat(log.chunks()).to_dict("records")

    assert (first["item_id"], first["correct"], first["skills"]) == ("P :: EAT, SHARE", True, "add")
    assert first["occurred_at"] == pd.Timestamp("2024-03-01 09:05", tz="UTC")
    assert blank["unused"] == "blank"
    assert log.notes[1:] == ['skills are those of the model "Standards"; --kc-model names another of Single-KC']


def test_datashop_transactions_become_attempts_and_first_hints(tmp_path):
    lines = [
        "t1\ts\t2024-02-16 05:34:51\tUS/Eastern\t.\tATTEMPT\tP\tS\t1\tCORRECT\tf\tadd\tx\tcarry",
        "t2\ts\t2024-02-16 05:35:51\tGMT\t4\tHINT_REQUEST\tP\tS2\t1\tHINT\tf\tadd\tx\t",
        "t3\ts\t2024-02-16 05:36:51\tGMT\t4\tHINT_REQUEST\tP\tS2\t2\tHINT\tf\tadd\tx\t",
        "t4\ts\t2024-02-16 05:36:51\tGMT\t4\tHINT_REQUEST\tP\t\t\t\t\t\t\t",
        't5\ts\t2024-02-16 05:37:51\t\t4\tATTEMPT\tP"\tS2\t3\tINCORRECT\tf\tadd\tx\t',
        "t6\ts\t2024-02-16 05:37:51\tMars\t4\tATTEMPT\tP\tS2\t4\tCORRECT\tf\tadd\tx\t",
        "t7\ts\t2024-02-16 05:37:51\tUTC\t4\tATTEMPT\tP\tS2\t5\t\tf\tadd\tx\t",
    ]
    path = write(tmp_path / "export.txt", TRANSACTION + "\n".join(lines) + "\n")

    rows = read(path).set_index("event_key")

    used = rows[rows["unused"].isna() & rows["rejected"].isna()]
    assert used.index.tolist() == ["t1", "t2", "t5"]
    assert used["correct"].tolist() == [True, False, False]
    assert used["attempt"].tolist() == [1, 1, 3]
    assert used["hints"].tolist() == [0, 1, pd.NA]
    assert used["item_id"].tolist() == ["P :: S", "P :: S2", 'P" :: S2']
    assert used["skills"].tolist() == ["add\x1fcarry", "add", "add"]
    assert used["occurred_at"].iloc[0] == pd.Timestamp("2024-02-16 10:34:51", tz="UTC")
    assert pd.isna(used["duration_s"].iloc[0])
    assert rows["unused"].dropna().to_dict() == {"t3": "hint_request", "t4": "hint_request", "t7": "no_outcome"}
    assert rows["rejected"].dropna().to_dict() == {"t6": "unknown_time_zone"}
    assert read(path, kc_model="Fine")["skills"].iloc[0] == "f"
    with pytest.raises(InputError, match=r'--kc-model "Rough": export\.txt has Fine, Default'):
        open_log(path, kc_model="Rough")


def test_a_datashop_step_is_its_first_attempt(tmp_path):
    lines = [
        "s\tP\t1\tS\t2024-02-16 05:34:51\t.\tcorrect\t0\tadd~~carry",
        "s\tP\t2\tS\t2024-02-16 05:34:51\t3\thint\t2\tadd",
        "s\tP\t3\tS\t2024-02-16 05:34:51\t3\t\t2\tadd",
    ]
    path = write(tmp_path / "export.txt", STEP + "\n".join(lines) + "\n")

    rows = read(path)

    assert rows["correct"].tolist()[:2] == [True, False]
    assert rows["hints"].tolist()[:2] == [0, 2]
    assert rows["attempt"].tolist()[:2] == [1, 1]
    assert rows["skills"].tolist()[0] == "add\x1fcarry"
    assert rows["event_key"].nunique() == 3
    assert rows["unused"].dropna().tolist() == ["no_outcome"]
