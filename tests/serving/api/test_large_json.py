"""Large JSON is read as Python's own reader reads it, in small parts."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.api import large_json
from serving.api.large_json import WINDOWS, TooManyValuesError, read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=3), inner, max_size=8),
    max_leaves=40,
)


@pytest.fixture
def small_windows(monkeypatch):
    monkeypatch.setattr(large_json, "WINDOWS", (4, 12))


def outcome(read, text):
    """What a reader makes of a text; of what is no JSON, that it is none and where."""
    try:
        return repr(read(text))
    except json.JSONDecodeError as error:
        return "no JSON", error.pos
    except ValueError:
        return "no number"


@settings(max_examples=100)
@given(value=VALUES, indent=st.sampled_from([None, 1]), cut=st.integers(0, 400), mark=st.sampled_from('[]{},:"x1 \\'))
def test_it_reads_and_refuses_what_pythons_reader_does(value, indent, cut, mark):
    text = json.dumps(value, indent=indent)
    broken = text[:cut] + mark + text[cut + 1 :]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(large_json, "WINDOWS", (4, 12))

        for each in (text, text[:cut], broken, f" {text}\n"):
            assert outcome(lambda given: read_json(given, most=10**6), each) == outcome(json.loads, each)


def test_values_that_are_read_one_by_one_are_counted(small_windows):
    text = json.dumps({"events": [{"number": at} for at in range(100)]})

    assert read_json(text, most=1000) == json.loads(text)
    with pytest.raises(TooManyValuesError):
        read_json(text, most=50)


@pytest.mark.parametrize("text", ["[" * 10**6, '{"a":' * 10**6, '[{"a":' * 10**6, "[" * 10**6 + "]" * 10**6])
def test_deep_nesting_is_refused_at_once(text):
    begun = time.monotonic()

    with pytest.raises((RecursionError, json.JSONDecodeError)):
        read_json(text, most=10**6)

    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    "value",
    [
        {"events": [{"student_id": "a", "skill_ids": ["b", "c"], "score": at} for at in range(5000)]},
        [[0] * 100_000],
        {"a": {str(at): [[]] * 9 for at in range(20_000)}},
    ],
    ids=["batch", "numbers", "objects"],
)
def test_pythons_reader_never_has_much_to_do_before_other_threads_can_go_on(value, monkeypatch):
    given, read = [], large_json._read_value

    def note(text, at=0):
        found, end = read(text, at)
        given.append(end - at)
        return found, end

    monkeypatch.setattr(large_json, "_read_value", note)

    assert read_json(json.dumps(value), most=10**6) == value
    assert max(given) <= WINDOWS[-1]
