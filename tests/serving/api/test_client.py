"""A client generated from the committed contract, as another project would, against a real server process."""

import importlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from features.roster import read_roster_files, save_roster

pytestmark = pytest.mark.long

CONTRACT = Path(__file__).parents[3] / "serving/openapi.json"


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The package that the generator wrote; a warning of the generator fails."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "settings.yml").write_text("post_hooks: []\n")  # whoever keeps the client would format it
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    places = ["--path", CONTRACT, "--config", folder / "settings.yml", "--output-path", folder / "regroup_client"]
    subprocess.run([*command, *map(str, places)], check=True, timeout=120, cwd=folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield lambda name: importlib.import_module(f"regroup_client.{name}")


@pytest.fixture(scope="module")
def service(trained_school, simulated_school, give_key, tmp_path_factory):
    """The address of a server of its own process and database, and a key."""
    url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'regroup.db'}"
    save_roster(read_roster_files(simulated_school.folder / "roster"), url)
    key = give_key(url)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "REGROUP_DATABASE_URL": url}
    server = subprocess.Popen([sys.executable, "-m", "serving", "--port", str(port)], env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/readyz")
        yield address, key
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_for(address):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("the service did not start")


def test_a_generated_client_plans_reads_edits_and_decides(generated, service, trained_school):
    """Every answer comes back as the type that the contract names."""
    models, calls = generated("models"), "api.recommendations"
    asked = models.RecommendationRequest.from_dict({"team_id": trained_school.team_ids[0], "date": "2026-03-16"})
    address, key = service
    with generated("client").AuthenticatedClient(address, key, timeout=60, raise_on_unexpected_status=True) as client:
        create = generated(f"{calls}.create_recommendation")
        plan = create.sync(client=client, body=asked, idempotency_key="monday")
        again = create.sync(client=client, body=asked, idempotency_key="monday")
        read = generated(f"{calls}.read_recommendation").sync(plan.id, client=client)

        sessions = [models.SessionIn.from_dict(session.to_dict()) for session in plan.sessions]
        online = next(session for session in sessions if session.session_type == "online")
        moved = online.students.pop()
        led = next(s for s in sessions if s.block_id == online.block_id and s.session_type != "online")
        led.students.append(moved.student_id)
        judged = generated(f"{calls}.evaluate_edit").sync(
            plan.id, client=client, body=models.EvaluationRequest(sessions=sessions)
        )
        decision = models.DecisionRequest.from_dict(
            {"decision": "edited", "sessions": [session.to_dict() for session in sessions]}
        )
        decided = generated(f"{calls}.decide").sync(plan.id, client=client, body=decision)
        listed = generated(f"{calls}.list_recommendations").sync(client=client, team_id=plan.team_id)
        missing = generated(f"{calls}.read_recommendation").sync("none", client=client)

    assert isinstance(plan, models.RecommendationOut)
    assert again == read == plan
    assert [change.student_id for change in judged.changes] == [moved.student_id]
    assert [violation.to_dict() for violation in decided.violations] == [
        violation.to_dict() for violation in judged.violations
    ]
    assert [(row.id, row.decision) for row in listed.recommendations] == [(plan.id, "edited")]
    assert isinstance(missing, models.Problem)
    assert missing.rule == "unknown_recommendation"
