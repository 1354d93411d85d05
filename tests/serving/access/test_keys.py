"""API keys from the command that issues them to the caller that they stand for, in SQLite and in PostgreSQL."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from features.database import Database
from features.errors import InputError
from features.home import Home
from features.roster import Roster, TeamName, save_roster
from serving.__main__ import main
from serving.access import Scope
from serving.access.key_cache import KeyCache
from serving.access.keys import issue_key, make_key, parse_key
from serving.errors import NotReadyError, UnauthorizedError
from serving.store.keys import list_keys, revoke_key
from serving.store.tables import API_KEYS


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'regroup.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_postgres")
    monkeypatch.setenv("REGROUP_DATABASE_URL", url)
    with Database(url) as database:
        yield database


def find(database, key):
    keys = KeyCache(database, 60, 60)
    keys.refresh()
    return keys.find(f"Bearer {key}")


def test_a_key_is_shown_once_and_stands_for_its_caller(database, capsys):
    options = ["--name", "Plan tool", "--scope", "read", "--scope", "plan", "--school", "North", "--per-minute", "9"]
    code = main(["keys", "issue", *options])
    key = capsys.readouterr().out.strip()

    caller = find(database, key)

    assert code == 0
    assert caller.key_id == key.split("_")[1]
    assert caller.scopes == {Scope.READ, Scope.PLAN}
    assert (caller.schools, caller.per_minute) == ({"North"}, 9)
    assert caller.may_see(TeamName("t1", "North"))
    assert not caller.may_see(TeamName("t1", "South"))
    assert not caller.sees_all


def test_a_key_may_be_of_some_teams_of_a_school(database, capsys):
    team, other = TeamName("t1", "North"), TeamName("t2", "North")
    save_roster(Roster((team, other), (), (), (), ()), database)
    with pytest.raises(InputError, match=r"--team 'nowhere' is not in the roster in these schools; it has 't1', 't2'"):
        main(["keys", "issue", "--name", "x", "--scope", "read", "--school", "North", "--team", "nowhere"])
    main(["keys", "link", "--name", "Ms Rivera", "--team", team.team_id])

    caller = find(database, capsys.readouterr().out.strip().partition("#")[2])

    assert caller.teams == {team.team_id}
    assert caller.may_see(team)
    assert not caller.may_see(other)


def test_no_secret_is_kept(database):
    key = issue_key(database, "tests", [Scope.READ])

    with database.reading() as connection:
        row = connection.execute(API_KEYS.select()).one()

    assert key.secret not in str(row)
    assert key.secret not in repr(key)
    assert row.secret_hash == key.digest()


def test_an_expired_key_and_a_revoked_one_count_no_more(database, capsys):
    old = issue_key(database, "old", [Scope.READ], expires_at=datetime.now(UTC) - timedelta(seconds=1))
    lost = issue_key(database, "lost", [Scope.READ])
    kept = issue_key(database, "kept", [Scope.READ], expires_at=datetime.now(UTC) + timedelta(days=1))

    assert main(["keys", "revoke", lost.key_id]) == 0
    first = list_keys(database)[1].revoked_at
    assert revoke_key(database, lost.key_id, datetime.now(UTC))

    assert list_keys(database)[1].revoked_at == first
    assert find(database, kept.reveal()).key_id == kept.key_id
    for key in (old, lost, make_key()):
        with pytest.raises(UnauthorizedError, match="not known, was revoked or has expired"):
            find(database, key.reveal())
    main(["keys", "list"])
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("expired", "revoked", "valid"))
    assert kept.secret not in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--name", " "], "--name is blank"),
        (["--expires", "tomorrow"], "--expires 'tomorrow' is not a day; write YYYY-MM-DD"),
        (["--expires", "2020-01-01"], "--expires 2020-01-01 is past"),
        (["--expires", "9999-12-31"], "--expires '9999-12-31' is not a day"),
        (["--per-minute", "0"], "--per-minute 0 must be 1 or more"),
    ],
)
def test_a_wrong_value_is_named(options, message, tmp_path, monkeypatch):
    monkeypatch.setenv("REGROUP_HOME", str(tmp_path))

    with pytest.raises(InputError, match=message):
        main(["keys", "issue", "--scope", "read", "--name", "x", *options])


def test_a_school_that_the_roster_lacks_is_refused(trained_school):
    with pytest.raises(InputError, match="--school 'Nrth' is not in the roster; it has '"):
        main(["keys", "issue", "--name", "x", "--scope", "read", "--school", "Nrth"])


def test_a_key_of_an_adult_is_of_one_whom_the_roster_has(own_school, capsys):
    options = ["keys", "issue", "--name", "x", "--scope", "read", "--adult"]
    with pytest.raises(InputError, match="--adult 'nobody' is no adult of the roster"):
        main([*options, "nobody"])
    adult = f"{own_school.team_ids[0]}-lead"

    assert main([*options, adult]) == 0

    with Database(Home(own_school.home).database_url()) as database:
        assert find(database, capsys.readouterr().out.strip()).staff_id == adult


def test_a_key_that_is_not_there_cannot_be_revoked(database):
    with pytest.raises(InputError, match="there is no key with this id") as error:
        main(["keys", "revoke", issue_key(database, "x", [Scope.READ]).reveal()])

    assert "rg_" not in str(error.value)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "rg_x_y"])
def test_without_a_key_it_says_how_to_send_one(database, header):
    with pytest.raises(UnauthorizedError, match="Authorization: Bearer"):
        KeyCache(database, 60, 60).find(header)


def test_a_key_has_one_form_only():
    text = make_key().reveal()

    assert parse_key(text).reveal() == text
    for other in (text.upper(), text + "0", f" {text}", text.replace("_", "-"), text.replace("rg", "gr")):
        assert parse_key(other) is None


def test_keys_count_for_a_while_when_the_database_is_away(tmp_path):
    now = [0.0]
    with Database(f"sqlite:///{tmp_path / 'regroup.db'}") as database:
        key = issue_key(database, "x", [Scope.READ]).reveal()
        keys = KeyCache(database, 2, 900, clock=lambda: now[0])
        keys.refresh()
    (tmp_path / "regroup.db").write_bytes(b"no database" * 1000)

    now[0] = 900.0
    keys.refresh()

    assert keys.find(f"Bearer {key}").scopes == {"read"}
    now[0] = 900.1
    with pytest.raises(NotReadyError) as error:
        keys.find(f"Bearer {key}")
    assert error.value.rule == "keys_not_read"
    assert error.value.headers["Retry-After"]


def test_a_key_that_is_revoked_is_refused_within_the_time_set(database):
    key = issue_key(database, "x", [Scope.READ])
    keys = KeyCache(database, 0.01, 60)
    keys.start()
    assert keys.find(f"Bearer {key.reveal()}")

    revoke_key(database, key.key_id, datetime.now(UTC))

    deadline = time.monotonic() + 20
    while counts(keys, key.reveal()):
        assert time.monotonic() < deadline
    keys.stop()


def counts(keys, key):
    try:
        return keys.find(f"Bearer {key}")
    except UnauthorizedError:
        return None
