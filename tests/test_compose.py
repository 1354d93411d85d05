"""The containers of `compose.yaml` may do what they need and no more."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
INSTALLATION = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = INSTALLATION["services"]
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
SECRETS = ("PASSWORD", "SECRET", "KEY")


def networks_with(name):
    return set(SERVICES[name]["networks"])


def volumes_of(name):
    return {entry.split(":")[0] for entry in SERVICES[name].get("volumes", ())}


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_writes_to_volumes_and_memory_alone_and_gains_no_right(name):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] > 0
    assert service["mem_limit"]
    assert not service.get("privileged")
    assert all(place.startswith(("/tmp:", "/var/run/postgresql:")) for place in service["tmpfs"])


@pytest.mark.parametrize("name", SERVICES)
def test_what_runs_is_built_here_or_pinned(name):
    service = SERVICES[name]

    assert "build" in service or DIGEST.search(service["image"])


def test_every_image_that_is_built_on_is_pinned_and_nothing_runs_as_root():
    stages = re.findall(r"^FROM (\S+) AS (\w+)", DOCKERFILE, re.MULTILINE)
    names = {name for _, name in stages}

    assert all(source in names or DIGEST.search(source) for source, _ in stages)
    for target in {service["build"]["target"] for service in SERVICES.values() if "build" in service}:
        stage = DOCKERFILE.split(f" AS {target}\n")[1].split("\nFROM ")[0]
        assert "\nUSER regroup\n" in stage
        assert not re.search(r"chown|COPY (?!\S*\.lock)", stage)  # the code is root's
    assert SERVICES["database"]["user"] == "999:999"


def test_the_models_are_reached_by_the_nightly_job_alone_and_with_a_password():
    server, nightly = SERVICES["mlflow"], SERVICES["nightly"]

    assert [name for name in SERVICES if networks_with(name) & networks_with("mlflow")] == ["mlflow", "nightly"]
    assert all(INSTALLATION["networks"][name]["internal"] for name in server["networks"])
    assert "ports" not in server
    assert "--app-name=basic-auth" in server["command"]
    assert server["environment"]["MLFLOW_AUTH_ADMIN_PASSWORD"] == nightly["environment"]["MLFLOW_TRACKING_PASSWORD"]
    assert volumes_of("mlflow") == {"mlflow"}
    assert not [name for name in SERVICES if name != "mlflow" and "mlflow" in volumes_of(name)]
    assert not [name for name in server["environment"] if name.startswith(("REGROUP", "PG"))]


def test_the_database_is_reached_from_inside_alone():
    assert all(INSTALLATION["networks"][name]["internal"] for name in SERVICES["database"]["networks"])
    assert "ports" not in SERVICES["database"]


def test_no_secret_has_a_default_and_none_is_in_an_address():
    values = {
        f"{name}.{variable}": str(value)
        for name, service in SERVICES.items()
        for variable, value in service.get("environment", {}).items()
    }

    secrets = {name: value for name, value in values.items() if any(word in name for word in SECRETS)}
    assert len(secrets) > 5
    assert all(re.fullmatch(r"\$\{\w+:\?set it in \.env\}", value) for value in secrets.values())
    assert not [value for name, value in values.items() if "$" in value and name not in secrets]


def test_the_list_of_erasures_is_apart_from_what_is_backed_up():
    path = re.search(r"REGROUP_ERASURES=(\S+)", DOCKERFILE)[1]

    assert path.startswith("/home/regroup/erasures/")
    for name in ("service", "nightly"):
        assert "erasures:/home/regroup/erasures" in SERVICES[name]["volumes"]


def test_what_everybody_may_reach_is_no_plain_http():
    published = [port for name, service in SERVICES.items() if name != "proxy" for port in service.get("ports", ())]

    assert all(str(port).startswith("127.0.0.1:") for port in published)
