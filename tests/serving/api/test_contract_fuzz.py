"""What the contract allows and what it forbids, sent to the real application: every answer is as the contract says."""

import json
import shutil
from itertools import cycle
from pathlib import Path
from urllib.parse import quote

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.specs.openapi import checks

from serving.api.problems import PROBLEM
from serving.app import create_app
from serving.settings import Settings

EXAMPLES = pytest.mark.parametrize("examples", [2, pytest.param(60, marks=pytest.mark.long)])
"""Of each call and kind, every day and at length."""

BRIEF_S = 0.05
"""For a search, so that most of the time is not the planner's."""

CONFORM = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]

CONTRACT = schemathesis.openapi.from_path(
    Path(__file__).parents[3] / "serving/openapi.json",
    config=SchemathesisConfig(
        projects=ProjectsConfig(default=ProjectConfig(generation=GenerationConfig(with_security_parameters=False)))
    ),
)
CALLS = {each.label: each for each in (result.ok() for result in CONTRACT.get_all_operations())}
FORBIDS = [label for label, call in CALLS.items() if call.body or call.query]
"""Calls to which something can be sent that the contract forbids; an id in an address is any text."""

ODD_TEXTS = st.one_of(
    st.text(st.characters(categories=["Cs", "Cc", "Co", "L"]), min_size=1, max_size=8),
    st.sampled_from(["\ud800", "\udfff a", "\0", "a\0b", "x" * 10**6]),
)
"""Lone surrogates, NUL and other control characters, and a million characters."""

MOST_IN_ADDRESS = 2**14
"""Characters of one text in an address, as many as servers read."""

ALIKE = settings(
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def school(trained_school, tmp_path_factory):
    """A client of a service of a school that may be changed, and ids that there are."""
    home = tmp_path_factory.mktemp("fuzzed") / "home"
    shutil.copytree(trained_school.home, home)
    app = create_app(Settings(REGROUP_HOME=home, MLFLOW_TRACKING_URI=trained_school.mlruns_uri, per_minute=10**6))
    with TestClient(app, headers=trained_school.headers, raise_server_exceptions=False) as client:
        body = {"team_id": trained_school.team_ids[0], "date": "2026-03-16", "seconds": BRIEF_S}
        plan = client.post("/v1/recommendations", json=body).json()
        yield (
            client,
            {
                "team_id": trained_school.team_ids[0],
                "student_id": trained_school.student_ids[0],
                "recommendation_id": plan["id"],
            },
        )


@EXAMPLES
@pytest.mark.parametrize(
    ("label", "kind"),
    [(label, GenerationMode.POSITIVE) for label in CALLS]
    + [pytest.param(label, GenerationMode.NEGATIVE, marks=pytest.mark.long) for label in FORBIDS],
    ids=[f"{label} allowed" for label in CALLS] + [f"{label} forbidden" for label in FORBIDS],
)
def test_answers_are_as_the_contract_says(school, label, kind, examples):
    """No answer is a mistake of the service, every refusal is a problem document, and bodies have their shape."""
    client, ids = school
    with_ids = cycle([True, False])

    @settings(ALIKE, max_examples=examples)
    @given(case=CALLS[label].as_strategy(kind))
    def ask(case):
        if next(with_ids):
            put_ids(case, ids)
        if label == "POST /v1/recommendations" and isinstance(case.body, dict):
            case.body["seconds"] = BRIEF_S

        response = case.call(app=client.app, headers=dict(client.headers))

        assert response.status_code < 500, response.content
        case.validate_response(response, checks=CONFORM)
        require_problem(response)

    ask()


@EXAMPLES
@pytest.mark.parametrize("label", [label for label in CALLS if " /v1/" in label])
def test_no_text_makes_the_service_fail(school, label, examples):
    """Whatever stands in place of any text of a request that the contract allows, or of the name of a field."""
    client, ids = school

    @settings(ALIKE, max_examples=4 * examples)
    @given(case=CALLS[label].as_strategy(), data=st.data())
    def ask(case, data):
        put_ids(case, ids)
        if label == "POST /v1/recommendations" and isinstance(case.body, dict):
            case.body["seconds"] = BRIEF_S
        put_odd_text(case, data.draw)
        names = {name: quote(str(value), safe="") for name, value in case.path_parameters.items()}
        body = json.dumps(case.body) if isinstance(case.body, dict | list) else None

        response = client.request(
            case.method,
            case.path.format(**names),
            params=case.query,
            content=body,
            headers={"Content-Type": "application/json"},
        )

        assert response.status_code < 500, response.content
        assert len(response.content) < 10**6
        if response.status_code >= 400:
            assert (response.headers["content-type"], response.json()["status"]) == (PROBLEM, response.status_code)

    ask()


@pytest.mark.parametrize("label", [label for label in CALLS if " /v1/" in label])
def test_nobody_is_answered_without_a_key(school, label):
    """Not even what is wrong with the request."""

    @settings(ALIKE, max_examples=3)
    @given(case=CALLS[label].as_strategy())
    def ask(case):
        response = case.call(app=school[0].app)

        assert response.status_code == 401
        case.validate_response(response, checks=CONFORM)
        require_problem(response)

    ask()


def require_problem(response):
    """An answer that refuses names its rule and, where the request is not well formed, each field that is not."""
    if response.status_code >= 400:
        told = json.loads(response.content)
        assert response.headers["content-type"] == [PROBLEM]
        assert told["status"] == response.status_code
        assert told["type"] == f"urn:regroup:problem:{told['rule']}"
        assert told["detail"]
        if told["rule"] == "invalid_request":
            assert told["errors"]
            assert all(each["field"] and each["message"] for each in told["errors"])


def put_ids(case, ids):
    """Puts ids that there are into the address, the query and the body."""
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, dict):
            part.update({name: value for name, value in ids.items() if name in part})


def put_odd_text(case, draw):
    """Puts an odd text in place of one value, or of one name of a field, of the body, or of one text of the address."""
    odd = draw(ODD_TEXTS)
    in_body = list(places_in(case.body))
    in_address = [
        (part, name) for part in (case.path_parameters, case.query) if isinstance(part, dict) for name in part
    ]
    if in_body and (not in_address or draw(st.booleans())):
        holder, key = draw(st.sampled_from(in_body))
        if isinstance(holder, dict) and draw(st.booleans()):
            holder[odd] = holder.pop(key)
        else:
            holder[key] = odd
    elif in_address:
        part, name = draw(st.sampled_from(in_address))
        part[name] = odd[:MOST_IN_ADDRESS].encode(errors="replace").decode()  # an address has bytes of UTF-8


def places_in(value):
    """Every field and element of a body: what holds it, and its name or index."""
    if isinstance(value, dict | list):
        for key, each in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from places_in(each)
