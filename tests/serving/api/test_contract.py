"""The contract that callers generate clients from: current, whole, and every field of a plan explained."""

import json
from pathlib import Path

import pytest

CONTRACT = json.loads((Path(__file__).parents[3] / "serving/openapi.json").read_text(encoding="utf-8"))
PARTS = CONTRACT["components"]["schemas"]
CALLS = [
    (f"{method.upper()} {path}", call) for path, calls in CONTRACT["paths"].items() for method, call in calls.items()
]


def names_in(node):
    """The parts that a piece of the contract refers to."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].removeprefix("#/components/schemas/")
        for value in node.values():
            yield from names_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from names_in(value)


def parts_of(prefix):
    """All parts that the calls under an address use, directly or not."""
    waiting = [name for path, calls in CONTRACT["paths"].items() if path.startswith(prefix) for name in names_in(calls)]
    found = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += names_in(PARTS[name])
    return found


def refers(schema):
    """Whether a value is another part, so that it needs no example."""
    kinds = schema.get("anyOf", [schema])
    return any("$ref" in kind or "$ref" in kind.get("items", {}) for kind in kinds)


def test_every_field_of_plans_has_its_meaning_and_an_example():
    unexplained, bare = set(), set()
    for part in sorted(parts_of("/v1/recommendations")):
        for name, schema in PARTS[part].get("properties", {}).items():
            if not schema.get("description"):
                unexplained.add(f"{part}.{name}")
            if "examples" not in schema and not refers(schema):
                bare.add(f"{part}.{name}")

    assert (unexplained, bare) == (set(), set())


@pytest.mark.parametrize(("name", "call"), CALLS, ids=[name for name, _ in CALLS])
def test_every_call_has_a_name_a_sentence_and_its_errors(name, call):
    """Whatever has a body, or an address with an id, can be refused; errors are problem documents."""
    errors = {status: answer for status, answer in call["responses"].items() if int(status) >= 400}

    assert call["operationId"].isidentifier()
    assert call["summary"].endswith(".")
    assert call["description"].startswith(call["summary"])
    assert "422" in errors
    assert "{" not in name or "404" in errors
    assert all(list(answer["content"]) == ["application/problem+json"] for answer in errors.values())


def test_names_of_calls_are_unique():
    names = [call["operationId"] for _, call in CALLS]

    assert len(names) == len(set(names))


BATCHES = {"EventBatch.events", "Envelope.data", "POST /v1/events/xapi", "POST /v1/events/xapi/statements"}
"""Lists of events, whose length `REGROUP_EVENTS_PER_BATCH` bounds."""


def texts_of(schema, where):
    """Every text, list and object of free keys in what a caller may send, and where it is; each part once."""
    waiting, seen = [(where, schema)], set()
    while waiting:
        where, schema = waiting.pop()
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/components/schemas/")
            if name not in seen:
                seen.add(name)
                waiting.append((name, PARTS[name]))
            continue
        yield where, schema
        waiting += [(where, kind) for key in ("anyOf", "oneOf", "allOf") for kind in schema.get(key, ())]
        waiting += [(f"{where}.{name}", each) for name, each in schema.get("properties", {}).items()]
        waiting += [(f"{where}[]", schema[key]) for key in ("items", "additionalProperties") if schema.get(key)]


def is_bounded(schema):
    """Whether a text has an end and no control characters, and a list or an object of free keys an end."""
    if schema.get("type") == "string":
        return (
            "enum" in schema
            or "const" in schema
            or schema.get("format") == "date"
            or {"maxLength", "pattern"} <= {*schema}
        )
    if schema.get("type") == "array":
        return "maxItems" in schema
    if schema.get("type") == "object" and schema.get("additionalProperties"):
        names = schema.get("propertyNames", {})
        return "enum" in names or ("maxProperties" in schema and "maxLength" in names)
    return True


def test_every_text_that_comes_in_has_bounds():
    sent = {
        (where, json.dumps(schema))
        for name, call in CALLS
        for at, part in [
            *((f"{name} {each['name']}", each["schema"]) for each in call.get("parameters", ())),
            (name, call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})),
        ]
        for where, schema in texts_of(part, at)
    }

    assert len(sent) > 200
    assert {where for where, schema in sent if not is_bounded(json.loads(schema))} == BATCHES
