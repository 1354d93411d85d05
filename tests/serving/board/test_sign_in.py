"""Who may see the board: no session, wrong school, expired link, forged form; every route is walked."""

import re
import time
from datetime import UTC, datetime

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from features.errors import InputError
from serving.__main__ import main
from serving.access.sessions import IDLE_S, LONGEST_S, BoardSession
from serving.board.signed_in import COOKIE
from serving.store.keys import list_keys, revoke_key

MONDAY = "2026-03-16"

OPEN = {"/board/sign-in", "/board/static/{name}", "/board/calendar/{address}"}


@pytest.fixture(scope="module")
def asked(board):
    """A request to every route that is not open, about what is there: method and address."""
    plan_id = board.suggested().plan_id
    ids = {"recommendation_id": plan_id, "student_id": board.team.members[0]}
    query = {
        "/board/day": f"?team_id={board.team.team_id}",
        **{
            f"/board/{page}": f"?team_id={board.team.team_id}"
            for page in ("students", "week", "balance", "insight", "digest", "growth", "calendar")
        },
        "/board/plans/{recommendation_id}/seats": f"?student_id={board.team.members[0]}&block_id=t01-mon-1",
        **{f"/board/plans/{{recommendation_id}}/{page}": "?session_id=none" for page in ("sessions", "reports")},
    }
    found = []
    for route in iter_route_contexts(board.app.routes):
        if f"{route.path}/".startswith("/board/") and route.path not in OPEN:
            address = route.path_format.format(**ids) + query.get(route.path, "")
            found += [(method, address) for method in sorted(route.methods - {"HEAD"})]
    assert len(found) >= 30
    return found


def cookie_of(board, key, **changes):
    """The cookie of a session of a key, with other times."""
    stored = next(each for each in list_keys(board.database) if each.key_id == board.keys[key].split("_")[1])
    now = int(time.time())
    session = BoardSession(stored.key_id, changes.get("begun", now), changes.get("seen", now), "0" * 32)
    return session.to_cookie(changes.get("secret_hash", stored.secret_hash))


@pytest.mark.parametrize("cookie", [None, "forged", "other_hash", "idle", "old", "expired", "unknown"])
def test_every_route_sends_who_is_not_signed_in_to_sign_in(board, asked, cookie):
    now = int(time.time())
    cookies = {
        None: None,
        "forged": cookie_of(board, "all")[:-1] + "x",
        "other_hash": cookie_of(board, "all", secret_hash=b"0" * 32),
        "idle": cookie_of(board, "all", seen=now - IDLE_S - 5),
        "old": cookie_of(board, "all", begun=now - LONGEST_S - 5),
        "expired": cookie_of(board, "expired"),
        "unknown": cookie_of(board, "all").replace(board.keys["all"].split("_")[1], "0" * 16),
    }
    for method, address in asked:
        client = TestClient(board.app, follow_redirects=False)
        if cookies[cookie] is not None:
            client.cookies.set(COOKIE, cookies[cookie], path="/board")

        answer = client.request(method, address)

        assert answer.status_code == 303, (method, address)
        assert answer.headers["location"].startswith("/board/sign-in")
        assert not set(board.team.members) & set(re.findall(r"[\w.-]+", answer.text))


def test_a_form_that_no_page_of_the_session_sent_changes_nothing(board, asked):
    someone = board.person()
    someone.open(board.day())
    token, before = someone.read("csrf"), someone.page.text
    forged = [
        ({"csrf": "0" * 64}, {}),
        ({}, {}),
        ({"csrf": token}, {"Origin": "https://evil.example"}),
        ({"csrf": token}, {"Sec-Fetch-Site": "cross-site"}),
    ]

    for method, address in asked:
        for fields, headers in forged if method == "POST" else []:
            answer = someone.client.post(address, data=fields | {"version": "0"}, headers=headers)

            assert answer.status_code == 403, address
    assert strip(someone.open(board.day()).text) == strip(before)


def strip(text):
    return re.sub(r'nonce="[^"]*"', "", text)


def test_another_school_is_answered_as_what_does_not_exist(board, asked):
    stranger = board.person("elsewhere")
    token = re.search(r'name="csrf" value="([^"]*)"', stranger.open("/board").text)[1]
    for method, address in asked:
        if address in {"/board", "/board/sign-out"}:
            continue
        fields = {"csrf": token, "version": "0", "decision": "accept", "locked": "yes", "session_id": "x"}
        fields |= {
            "student_id": board.team.members[0],
            "block_id": "t01-mon-1",
            "team_id": board.team.team_id,
            "date": MONDAY,
        }
        fields |= {"other_student_id": board.team.members[1], "staff_id": "x", "into_id": "y", "at": "0"}
        fields |= {
            "feed_id": "0" * 16,
            "happened": "done",
            "kind": "habit",
            "until": MONDAY,
            "goal_id": "0" * 32,
            "request_id": "0" * 32,
            "reached": "no",
            "known": "no",
        }
        fields |= {"skill_id": "x", "habit": "x", "observer_id": "x", "observed_id": "y", "aim": "x"}
        fields |= {"wish_id": "0" * 32, "stage": "own_groups"}
        if address.endswith("/wishes"):  # a wish names one thing
            del fields["skill_id"], fields["other_student_id"]
        answer = stranger.client.request(method, address, data=fields if method == "POST" else None)

        assert answer.status_code == 404, address
        assert not re.search(r"Name of", answer.text)
    assert board.team.team_id not in stranger.open("/board").text


def test_keys_and_links_that_do_not_open_the_board_are_told_so(board):
    client = TestClient(board.app, follow_redirects=False)
    sent = [board.keys["expired"], board.keys["programs"], "rg_" + "0" * 16 + "_" + "0" * 64, "nonsense", ""]

    answers = [client.post("/board/sign-in", data={"key": key}) for key in sent]

    assert [answer.status_code for answer in answers] == [403] * 5
    assert not [answer for answer in answers if "set-cookie" in answer.headers]
    assert "for programs" in answers[1].text
    assert all("expired, was revoked, or is not whole" in answers[at].text for at in (0, 2, 3, 4))


def test_a_link_signs_one_adult_in_until_it_is_revoked(board, capsys, monkeypatch):
    monkeypatch.setenv("REGROUP_DATABASE_URL", f"sqlite:///{board.home / 'regroup.db'}")
    assert main(["keys", "link", "--name", "Ms Rivera", "--address", "https://board.example/"]) == 0
    link = capsys.readouterr().out.strip()
    board.app.state.board._keys.refresh()
    client = TestClient(board.app)

    page = client.post("/board/sign-in", data={"key": link})

    assert link.startswith("https://board.example/board/sign-in#rg_")
    assert page.status_code == 200
    assert "Ms Rivera" in page.text
    revoke_key(board.database, link.split("_")[1], datetime.now(UTC))
    board.app.state.board._keys.refresh()
    assert client.get("/board").url.path == "/board/sign-in"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--days", "0"], "--days 0"),
        (["--school", "Nowhere"], "not in the roster"),
        (["--address", "x"], "--address"),
        (["--adult", "nobody"], "is no adult of the roster"),
    ],
)
def test_a_link_with_wrong_options_is_refused(board, monkeypatch, options, why):
    monkeypatch.setenv("REGROUP_DATABASE_URL", f"sqlite:///{board.home / 'regroup.db'}")

    with pytest.raises(InputError, match=why):
        main(["keys", "link", "--name", "x", *options])


def test_the_cookie_is_for_this_site_alone_and_ends_with_signing_out(board):
    client = TestClient(board.app, follow_redirects=False, base_url="https://testserver")

    answer = client.post("/board/sign-in", data={"key": board.keys["all"]}, headers={"X-Forwarded-Proto": "https"})

    said = answer.headers["set-cookie"].lower()
    assert all(word in said for word in ("httponly", "samesite=strict", "secure", "path=/board"))
    someone = board.person()
    someone.open("/board")
    assert "You are signed out" in someone.send("/board/sign-out").text
    assert someone.open("/board").url.path == "/board/sign-in"


def test_pages_load_run_and_are_framed_by_nothing_else(board):
    someone = board.suggested()
    for address in ("/board/sign-in", "/board", board.day(), "/board/day?team_id=none"):
        answer = someone.open(address)
        policy = answer.headers["content-security-policy"]

        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:|src=\"http", answer.text)
        nonces = set(re.findall(r'nonce="([^"]+)"', answer.text))
        assert len(nonces) == 1
        assert f"'nonce-{nonces.pop()}'" in policy


def test_scripts_are_small_and_ours(board):
    client = TestClient(board.app)
    names = ("board.js", "htmx.min.js", "hx-csp.min.js")

    sizes = [len(client.get(f"/board/static/{name}").content) for name in names]

    assert sum(sizes) <= 60_000
    assert client.get("/board/static/board.css").headers["content-type"].startswith("text/css")
    assert client.get("/board/static/nothing.js").status_code == 404
    assert client.get("/board/static/..%2f__init__.py").status_code == 404
