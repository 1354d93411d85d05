"""A real hub over HTTP that misbehaves: what is read of it is the whole roster, or a refusal that changed nothing."""

import base64
import csv
import hashlib
import hmac
import io
import json
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import event, note
from hypothesis import strategies as st

from features.errors import HubError, InputError, RegroupError
from features.home import Home
from features.roster import load_roster_command, read_team
from features.roster.hub.download import download_roster
from features.roster.hub.settings import OPTIONAL, Hub, read_hub
from features.roster.hub.signing import write_base_string
from features.roster.loading import read_roster
from tests.examples import holds_for

DAY = date(2026, 9, 7)
SECRET = "top&secret"
STUDENTS, DELETED = 11, 5
OTHER_CELLS = ("Mia", "Secret-Name", "mia@secret.example", "555-0199")
"""What no reader may take: names, e-mail address, phone."""

PASSING = ("500", "503", "429", "429 moment", "close", "truncated", "broken", "error", "empty", "first", "half", "move")
"""Faults of one answer."""


def made_up_lists(students: int = STUDENTS) -> dict[str, list[dict[str, Any]]]:
    names = dict(zip(("givenName", "familyName", "email", "phone"), OTHER_CELLS, strict=True))
    people = [(f"s{at}", "student") for at in range(students)] + [("ana", "teacher")]
    people[3:3] = [(f"old{at}", "student") for at in range(DELETED)]
    return {
        "orgs": [{"sourcedId": "o1", "status": "active", "name": "North", "type": "school"}],
        "academicSessions": [{"sourcedId": "y1", "startDate": "2026-08-24", "endDate": "2027-06-05"}],
        "classes": [
            {"sourcedId": name, "title": name, "school": {"sourcedId": "o1"}, "terms": [{"sourcedId": "y1"}]}
            for name in ("c1", "c2")
        ],
        "users": [
            {
                "sourcedId": name, "status": "tobedeleted" if name.startswith("old") else "active", "enabledUser": True,
                "role": role, "grades": ["07"], **names,
            }
            for name, role in people
        ],
        "enrollments": [
            {
                "sourcedId": f"e-{name}", "status": "tobedeleted" if name.startswith("old") else "active", "role": role,
                "user": {"sourcedId": name, "type": "user"}, "class": {"sourcedId": "c1", "type": "class"},
            }
            for name, role in people
        ],
    }  # fmt: skip


@dataclass
class FakeHub:
    """A hub as a real server, and how it misbehaves.

    Attributes:
        lists: What it knows.
        largest: Records of its pages at most.
        count: What `X-Total-Count` says: `right`, `none`, `page` (records of the page), `more` (than it gives).
        link: Its link to the next page: `none`, `right`, `stuck` (always there).
        envelope: What wraps records: `name`, `bare`, `other`.
        offset: How it takes offsets: `right`, `ignored`, `clamped` (the last page again), `cut` (to whole pages),
            `unpaged` (it gives everything at once).
        hole: Id of a record whose page is always empty.
        drops: Whether it takes the deleted out of a page that it has cut, so that pages are short or empty.
        refuses: Parameters that it refuses.
        faults: What is wrong with a request, by its number.
        moves: Seed of moves.
    """

    lists: dict[str, list[dict[str, Any]]] = field(default_factory=made_up_lists)
    largest: int = 4
    count: str = "right"
    link: str = "none"
    envelope: str = "name"
    offset: str = "right"
    hole: str = ""
    drops: bool = False
    refuses: tuple[str, ...] = ()
    faults: dict[int, str] = field(default_factory=dict)
    moves: random.Random = field(default_factory=lambda: random.Random(0))
    asked: int = 0
    tokens: int = 0
    seen: list[dict[str, str]] = field(default_factory=list)

    def page(self, name: str, query: dict[str, str]) -> tuple[list[dict[str, Any]], int, int]:
        """A page, its offset, and the limit that counts."""
        records = self.lists[name]
        if self.offset == "unpaged":
            return records, 0, len(records)
        limit, offset = min(int(query["limit"]), self.largest), int(query["offset"])
        match self.offset:
            case "ignored":
                offset = 0
            case "clamped":
                offset = min(offset, max(0, len(records) - limit))
            case "cut":
                offset -= offset % limit
        page = records[offset : offset + limit]
        if self.hole in {each["sourcedId"] for each in page}:
            page = []
        if self.drops:
            page = [each for each in page if each.get("status") != "tobedeleted"]
        return page, offset, limit


class Handler(BaseHTTPRequestHandler):
    """Answers as the server's hub says."""

    server: Any

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def do_POST(self) -> None:
        """Hands out a token to whoever has the secret, in the form alone."""
        hub: FakeHub = self.server.hub
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if form.get("client_secret") != [SECRET]:
            self.answer(401, b"{}")
            return
        hub.tokens += 1
        self.answer(200, json.dumps({"access_token": f"token-{hub.tokens}", "token_type": "bearer"}).encode())

    def do_GET(self) -> None:
        """Answers with a page or with one record, or with what is wrong this time."""
        hub: FakeHub = self.server.hub
        hub.asked += 1
        fault = hub.faults.get(hub.asked, "")
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        hub.seen.append(query)
        if not self.knows_caller():
            self.answer(401, b"")
            return
        name, _, key = parts.path.removeprefix("/ims/oneroster/v1p1/").partition("/")
        found = [each for each in hub.lists.get(name, ()) if each["sourcedId"] == unquote(key)]
        if name not in hub.lists or (key and not found):
            self.answer(404, b"")
        elif key:
            self.answer(200, json.dumps({name[:-1]: found[0]}).encode())
        elif any(query.get(part) for part in hub.refuses):
            self.answer(400, b"")
        elif fault[:3].isdigit():
            moment = formatdate(usegmt=True) if fault.endswith("moment") else "7"
            self.answer(int(fault[:3]), b"", {"Retry-After": moment} if fault.startswith("429") else {})
        elif fault == "late":
            self.server.released.wait(5)
        elif fault != "close":
            self.answer_page(hub, name, query, fault)

    def answer_page(self, hub: FakeHub, name: str, query: dict[str, str], fault: str) -> None:
        """Answers with a page."""
        records = hub.lists[name]
        if fault == "move":
            records.insert(0, records.pop(hub.moves.randrange(len(records))))
        page, offset, limit = hub.page(name, query)
        page = {"empty": [], "first": records[: len(page)], "half": page[::2]}.get(fault, page)
        body: Any = {"name": {name: page}, "bare": page, "other": {"data": page, "page": 1}}[hub.envelope]
        data = json.dumps({"imsx_codeMajor": "failure"} if fault == "error" else body).encode()
        kept = [each for each in records if not hub.drops or each.get("status") != "tobedeleted"]
        counts = {"right": len(kept), "page": len(page), "more": len(records) + 1}
        headers = {"X-Total-Count": str(counts[hub.count])} if hub.count in counts else {}
        if hub.link == "stuck" or (hub.link == "right" and offset + limit < len(records)):
            headers["Link"] = f'<https://inside.example/{name}?limit={limit}&offset={offset + limit}>; rel="next"'
        self.answer(200, data[:-4] if fault == "broken" else data, headers, truncated=fault == "truncated")

    def answer(
        self, status: int, data: bytes, headers: dict[str, str] | None = None, *, truncated: bool = False
    ) -> None:
        """Writes the answer."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if truncated else data)

    def knows_caller(self) -> bool:
        """Whether the request is signed with the secret, or has the newest token."""
        said = self.headers["Authorization"] or ""
        if said.startswith("Bearer "):
            return said.removeprefix("Bearer ") in {"handed-out", f"token-{self.server.hub.tokens}"}
        signed = {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', said)}
        given = signed.pop("oauth_signature", "")
        text = write_base_string("GET", f"http://{self.headers['Host']}{self.path}", signed)
        digest = hmac.new(b"top%26secret&", text.encode(), hashlib.sha256).digest()
        return signed.get("oauth_consumer_key") == "we" and base64.b64decode(given) == digest


@contextmanager
def serving(hub: FakeHub) -> Iterator[str]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.hub, server.released, server.daemon_threads = hub, threading.Event(), True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def download(hub: FakeHub, **settings: Any) -> tuple[dict[str, bytes], list[float]]:
    waits: list[float] = []
    with serving(hub) as address:
        base = f"{address}/ims/oneroster/v1p1"
        known = {"client_id": "we", "client_secret": SECRET, "page_size": 5, "timeout": 20.0, "absent": OPTIONAL}
        asker = Hub(base, **known | settings)
        return dict(download_roster(asker, waits.append)), waits


def read_ids(files: dict[str, bytes], name: str = "users.csv") -> list[str]:
    """The ids of those who are not deleted, sorted."""
    rows = csv.DictReader(io.StringIO(files[name].decode()))
    return sorted(row["sourcedId"] for row in rows if row["status"] != "tobedeleted")


EVERYBODY = sorted([f"s{at}" for at in range(STUDENTS)] + ["ana"])


def test_what_is_signed_is_what_the_standard_signs():
    """The example of RFC 5849, section 3.4.1.1, whose form is a query here."""
    said = {
        "oauth_consumer_key": "9djdj82h48djs9d2", "oauth_token": "kkk9d7dh3k39sjv7",
        "oauth_signature_method": "HMAC-SHA1", "oauth_timestamp": "137131201", "oauth_nonce": "7d8f3e4a",
    }  # fmt: skip

    found = write_base_string("POST", "HTTP://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b&c2&a3=2+q", said)

    assert found == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26"
        "c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26"
        "oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    )


@pytest.mark.parametrize(
    "style",
    [
        {}, {"count": "none"}, {"count": "page"}, {"count": "none", "link": "right"}, {"link": "stuck"},
        {"count": "none", "link": "stuck"}, {"envelope": "bare"}, {"envelope": "other", "count": "none"},
        {"offset": "clamped"}, {"offset": "clamped", "count": "none"}, {"offset": "cut"},
        {"offset": "unpaged", "count": "none"}, {"offset": "unpaged"}, {"largest": 1, "count": "none"},
        {"refuses": ("sort",)}, {"hole": "s9", "count": "none"},
        {"drops": True, "count": "none"}, {"drops": True, "count": "none", "largest": 1, "link": "right"},
    ],
    ids=str,
)  # fmt: skip
def test_a_hub_with_ways_of_its_own_is_read_whole_or_refused(style):
    hub = FakeHub(**style)
    if "hole" in style:  # of a page that is always empty
        with pytest.raises(HubError, match=r"lacks some that it knows by id|was another each of 4 times"):
            download(hub)
        return

    files, _ = download(hub)

    assert read_ids(files) == EVERYBODY
    assert read_ids(files, "enrollments.csv") == [f"e-{name}" for name in EVERYBODY]


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_costs_nobody(fault):
    hub = FakeHub(count="none", faults=dict.fromkeys((2, 5, 9), fault))

    files, waits = download(hub)

    assert read_ids(files) == EVERYBODY
    if fault == "429":
        assert waits == [7.0, 7.0, 7.0]


def test_a_list_that_begins_again_for_once_has_not_ended():
    faults = {**dict.fromkeys((1, 2, 3), "500"), 5: "empty", 6: "first", 12: "first"}

    files, _ = download(FakeHub(count="none", largest=2, faults=faults))

    assert read_ids(files, "enrollments.csv") == [f"e-{name}" for name in EVERYBODY]


def test_a_record_that_only_a_page_that_does_not_join_shows_is_there():
    """Two readings that lose the same one are believed."""
    files, _ = download(FakeHub(count="none", drops=True, faults={1: "500", 2: "500", 8: "empty", 24: "half"}))

    assert read_ids(files, "enrollments.csv") == [f"e-{name}" for name in EVERYBODY]


@holds_for(
    12,
    600,
    st.dictionaries(st.integers(1, 40), st.sampled_from(PASSING), max_size=12),
    st.fixed_dictionaries(
        {
            "count": st.sampled_from(["right", "none", "page", "more"]),
            "link": st.sampled_from(["none", "right", "stuck"]),
            "envelope": st.sampled_from(["name", "bare", "other"]),
            "offset": st.sampled_from(["right", "ignored", "clamped", "cut", "unpaged"]),
            "hole": st.sampled_from(["", "", "s9"]),
            "drops": st.booleans(),
            "largest": st.sampled_from([2, 4, 50]),
            "refuses": st.sampled_from([(), ("sort",)]),
            "moves": st.integers(0, 99).map(random.Random),
        }
    ),
)
def test_whatever_a_hub_does_the_roster_is_whole_or_refused(faults, style):
    note(f"{faults} {style}")
    hub = FakeHub(faults=faults, **style)

    said, files = "", {}
    try:
        files, _ = download(hub)
    except RegroupError as error:
        said = str(error)

    event("refused" if said else "whole")
    assert not any(cell in said for cell in (*OTHER_CELLS, SECRET))
    if said:
        assert "nothing was changed" in said or "only its first page" in said
        return
    assert read_ids(files) == EVERYBODY
    assert read_ids(files, "enrollments.csv") == [f"e-{name}" for name in EVERYBODY]


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("REGROUP_DATABASE_URL", "REGROUP_HUB_TOKEN", "REGROUP_HUB_CLIENT_ID", "REGROUP_HUB_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "policy.toml").write_text('[teams.t1]\nclasses = ["c1"]\n', encoding="utf-8")
    (tmp_path / "hub.toml").write_text('token = "handed-out"\npage_size = 5\n', encoding="utf-8")
    (tmp_path / "hub.toml").chmod(0o600)
    return Home(tmp_path / "var")


def test_a_hub_is_loaded_as_an_export_is_and_a_broken_one_changes_nothing(home, capsys):
    hub = FakeHub()
    policy, file = home.root.parent / "policy.toml", home.root.parent / "hub.toml"
    with serving(hub) as address:
        load_roster_command(address, home, policy=policy, hub=file, as_of=DAY)
        before = read_team(home.database_url(), "t1")
        assert set(before.members) == {f"s{at}" for at in range(STUDENTS)}
        assert [adult.role for adult in before.staff] == ["collaborating_teacher"]
        assert "OneRoster 1.1" in capsys.readouterr().out
        stored = (home.root / "regroup.db").read_bytes()
        assert not any(cell.encode() in stored for cell in OTHER_CELLS[1:])

        hub.lists["users"][3]["status"] = "deleted?"
        with pytest.raises(InputError, match=r"users.csv line 5, status: 'deleted\?' is not a status"):
            load_roster_command(address, home, hub=file, as_of=DAY)
        hub.lists = made_up_lists(3)
        with pytest.raises(InputError, match="8 of the 11 students who are stored are not in this roster"):
            load_roster_command(address, home, hub=file, as_of=DAY)
        hub.lists["users"] = []
        with pytest.raises(HubError, match="the hub gave no users"):
            load_roster_command(address, home, hub=file, as_of=DAY)

    assert read_team(home.database_url(), "t1") == before


def test_a_late_answer_is_asked_again():
    files, waits = download(FakeHub(faults={2: "late"}), timeout=0.5)

    assert read_ids(files) == EVERYBODY
    assert waits == [1.0]


def test_a_hub_that_stays_away_is_refused_after_some_tries():
    with pytest.raises(HubError, match="/enrollments answered 500, 5 times; nothing was changed"):
        download(FakeHub(faults=dict.fromkeys(range(3, 8), "500")))


def test_a_token_of_oauth_2_is_fetched_and_renewed():
    hub = FakeHub()
    with serving(hub) as address:
        settings = Hub(
            f"{address}/ims/oneroster/v1p1", client_id="we", client_secret=SECRET, token_url=f"{address}/token",
            scope="roster",
        )  # fmt: skip
        download_roster(settings)
        assert hub.tokens == 1
        with pytest.raises(InputError, match="answered 401: who asks is not known"):
            download_roster(Hub(settings.base, client_id="we", client_secret="no", token_url=settings.token_url))


def test_roles_of_1_2_are_read_whatever_the_path_says():
    hub = FakeHub()
    for user in hub.lists["users"]:
        user["roles"] = [{"roleType": "primary", "role": user.pop("role"), "org": {"sourcedId": "o1"}}]

    files, _ = download(hub)
    found = read_roster(files, "hub", None, DAY, b'[teams.t1]\nclasses = ["c1"]\n')

    assert (len(found.roster.members), len(found.roster.staff)) == (STUDENTS, 1)


@pytest.mark.parametrize(
    ("address", "said", "base"),
    [
        ("https://hub.example", "", "https://hub.example/ims/oneroster/v1p1"),
        ("https://hub.example/", 'version = "v1p2"', "https://hub.example/ims/oneroster/rostering/v1p2"),
        ("https://hub.example/x/v1p2/", "", "https://hub.example/x/v1p2"),
        ("https://hub.example", 'base_path = "/api/or"', "https://hub.example/api/or"),
    ],
)
def test_the_lists_lie_where_the_address_or_the_file_says(tmp_path, address, said, base):
    file = tmp_path / "hub.toml"
    file.write_text(said, encoding="utf-8")

    hub = read_hub(address, file, {"REGROUP_HUB_CLIENT_ID": "we", "REGROUP_HUB_CLIENT_SECRET": SECRET})

    assert hub.base == base
    assert SECRET not in repr(hub)
    assert hub.scope.startswith(f"https://purl.imsglobal.org/spec/or/{hub.version}/scope/roster-core.readonly ")


@pytest.mark.parametrize(
    ("address", "said", "message"),
    [
        ("http://hub.example", 'token = "t"', "write https://"),
        ("https://we:hidden@hub.example", 'token = "t"', "write credentials in a file"),
        ("https://hub.example?key=hidden", 'token = "t"', "write credentials in a file"),
        ("https://", 'token = "t"', "is no address"),
        ("https://hub.example", "", "nobody says who asks the hub; set REGROUP_HUB_TOKEN"),
        ("https://hub.example", 'client_id = "hidden"', "nobody says who asks"),
        ("https://hub.example", 'clientid = "hidden"', "did you mean client_id?"),
        ("https://hub.example", "token = 5", "token: is not text"),
        ("https://hub.example", 'token = "t"\nabsent = ["users"]', "no roster is whole without others"),
        ("https://hub.example", 'token = "t"\npage_size = 0', "write a whole number from 1 to 10000"),
        ("https://hub.example", 'token = "hidden', "is not TOML"),
    ],
)
def test_a_wrong_setting_is_named_and_no_secret_shown(tmp_path, address, said, message):
    file = tmp_path / "hub.toml"
    file.write_text(said, encoding="utf-8")

    with pytest.raises(InputError) as caught:
        read_hub(address, file, {})

    assert message in str(caught.value)
    assert "hidden" not in str(caught.value)
