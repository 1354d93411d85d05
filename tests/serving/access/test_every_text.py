"""Every text that may be sent, in every request: one that is none or too long is refused, and nothing is kept of it."""

import copy
import json
import urllib.parse

import pytest

ODD = {"surrogate": "\ud800", "nul": "a\0b", "control": "a\x85b", "long": "x" * 10**5}
KEPT_LENGTH = 20
"""Characters of an odd text by which it would be recognized."""


def make_whole(schema, parts):
    """A value with every field that a schema has, one of each list, and free keys."""
    text = next((each for each in schema.get("examples", ()) if isinstance(each, str)), "x")
    while "$ref" in schema or "anyOf" in schema:
        schema = parts[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema["anyOf"][0]
    kind = schema.get("type")
    if "enum" in schema or "const" in schema:
        return schema.get("const") or schema["enum"][0]
    if kind == "object" and "properties" in schema:
        return {name: make_whole(each, parts) for name, each in schema["properties"].items()}
    if kind == "object":
        key = schema.get("propertyNames", {}).get("enum", ["key"])[0]
        return {key: make_whole(schema["additionalProperties"], parts)}
    if kind == "array":
        return [make_whole(schema["items"], parts)]
    if kind == "string":
        return "2026-03-16" if schema.get("format") == "date" else text
    return {"integer": 1, "number": 1.0, "boolean": True}.get(kind)


def paths_in(value, path=()):
    """The paths of all texts, and of all objects, in a value."""
    if isinstance(value, dict | list):
        yield (*path, None) if isinstance(value, dict) else ()
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths_in(each, (*path, key))
    elif isinstance(value, str):
        yield path


NAMED = {"statementId": "s1"}

VERSION = {"X-Experience-API-Version": "1.0.3"}


def refused(route):
    """The status of a request with an odd text: xAPI has one of its own for it."""
    return 400 if route.path.endswith("/statements") else 422


def replace(value, path, odd):
    """A copy with an odd text at a path; in place of a name where the path ends with null."""
    changed = at = copy.deepcopy(value)
    for key in path[:-1]:
        at = at[key]
    at[odd if path[-1] is None else path[-1]] = odd
    return changed


@pytest.fixture
def kept(district):
    """What the audit log and the spool hold of odd texts."""

    def find():
        district.app.state.audit.flush()
        with district.database.reading() as connection:
            rows = connection.exec_driver_sql("SELECT * FROM audit_log").all()
        stored = "".join(str(value) for row in rows for value in row)
        waiting = b"".join(path.read_bytes() for path in sorted((district.home / "audit").glob("*")))
        starts = {name: odd[:KEPT_LENGTH] for name, odd in ODD.items()}
        return [name for name, odd in starts.items() if odd in stored or json.dumps(odd)[1:-1].encode() in waiting]

    return find


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "surrogate" else pytest.mark.long) for name in ODD]
)
def test_no_text_of_a_body_is_taken_that_is_none(district, routes, kept, name):
    """Names of fields too, except in events of standards, of which only some fields are read."""
    client = district.client("all")
    asked = 0
    for route in routes:
        whole = None if route.body is None else make_whole(route.body, route.parts)
        address = route.address(district.north)
        is_standard = route.path.endswith(("/xapi", "/caliper", "/statements"))
        for path in paths_in(whole):
            if not path or (is_standard and path[-1] is None):
                continue
            body = json.dumps(replace(whole, path, ODD[name]))

            headers, query = VERSION | {"Content-Type": "application/json"}, NAMED if route.method == "PUT" else {}
            answer = client.request(route.method, address, content=body, headers=headers, params=query)

            told = answer.json()
            assert answer.status_code == refused(route), (route.path, path)
            assert ODD[name][:KEPT_LENGTH] not in answer.text or path[-1] is None
            if path[-1] is not None and told["rule"] == "invalid_request":
                assert any(str(path[-1]) in each["field"].split(".") for each in told["errors"]), (route.path, path)
            assert len(answer.content) < 10**5
            asked += 1
    assert asked > 100
    assert kept() == []


@pytest.mark.parametrize("name", ["nul", "control", "long"])
def test_no_text_of_an_address_or_query_is_taken_that_is_none(district, routes, kept, name):
    odd = urllib.parse.quote(ODD[name][:5000])
    contract = district.app.openapi()
    for route in routes:
        client = district.client("all")
        call = contract["paths"][route.path][route.method.lower()]
        texts = [each for each in call.get("parameters", ()) if "maxLength" in json.dumps(each["schema"])]
        for text in texts:
            if text["in"] == "header":
                continue
            named = {**district.north, text["name"]: odd} if text["in"] == "path" else district.north
            query = f"?team_id={district.north['team_id']}&{text['name']}={odd}" if text["in"] == "query" else ""

            answer = client.request(route.method, route.address(named) + query, json=[{}], headers=VERSION)

            assert answer.status_code == refused(route), (route.path, text["name"])
            assert answer.json()["errors"][0]["field"] == f"{text['in']}.{text['name']}"
    assert kept() == []
