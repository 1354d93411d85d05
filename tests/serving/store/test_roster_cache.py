"""Teams are kept in memory, and every change of the roster, of whichever process, is seen with the next question."""

from datetime import date

import pytest
from fastapi.testclient import TestClient

from features.database import Database, DatabaseAwayError
from features.roster import PastSession, erase_student, read_roster_files, replace_recorded_sessions, save_roster
from serving.app import create_app
from serving.lifecycle import CircuitBreaker
from serving.store.roster_cache import RosterCache
from tests.examples import DATABASES

DAY = date(2026, 3, 16)


class CountingDatabase(Database):
    """Counts its looks, and may be away."""

    looks = 0
    away = False

    def reading(self):
        self.looks += 1
        if self.away:
            raise DatabaseAwayError("the server does not answer")
        return super().reading()


@pytest.fixture(params=DATABASES)
def url(request, simulated_school, tmp_path):
    found = f"sqlite:///{tmp_path / 'roster.db'}"
    if request.param == "postgresql":
        found = request.getfixturevalue("empty_postgres")
    save_roster(read_roster_files(simulated_school.folder / "roster"), found)
    return found


def test_a_team_is_read_once_until_something_of_it_changes(url, simulated_school):
    first, second = simulated_school.team_ids
    files = read_roster_files(simulated_school.folder / "roster")
    with CountingDatabase(url, 2) as database, Database(url) as other:
        rosters = RosterCache(database, 3600)
        before = rosters.fresh(first).team
        rosters.fresh(second)
        database.looks = 0

        assert rosters.fresh(first).team is before
        assert database.looks == 1

        with other.changing(alone=True) as connection:
            held = PastSession(DAY, first, "b", None, None, before.members[:2])
            replace_recorded_sessions(connection, first, DAY, [held])
        assert held in rosters.fresh(first).team.past_sessions
        database.looks = 0
        rosters.fresh(second)
        assert database.looks == 1  # of another team nothing changed

        erase_student(url, before.members[0])
        assert before.members[0] not in rosters.fresh(first).team.members
        save_roster(files, url)
        assert rosters.fresh(first).team.members == before.members


def test_with_the_database_away_teams_are_told_as_they_were_read_with_their_age(url, simulated_school):
    first, second = simulated_school.team_ids
    with CountingDatabase(url, 2) as database:
        rosters = RosterCache(database, 3600)
        rosters.refresh()
        student = rosters.fresh(second).team.members[0]
        database.away = True

        seen = rosters.recent(first)

        assert seen.team.team_id == first
        assert seen.stale_seconds >= 0
        assert [team.team_id for team in rosters.teams_of(student)] == [second]
        with pytest.raises(DatabaseAwayError):
            rosters.fresh(first)
        with pytest.raises(DatabaseAwayError):
            rosters.recent("nobody-asked-for-this-team")
        database.away = False
        database.looks = 0
        rosters._breaker = CircuitBreaker()
        assert rosters.recent(first).stale_seconds is None


def test_boards_forecasts_and_profiles_go_on_without_the_database_and_say_so(own_school, monkeypatch):
    monkeypatch.setenv("REGROUP_POLL_SECONDS", "3600")
    team, student = own_school.team_ids[0], own_school.student_ids[0]
    addresses = [f"/v1/teams/{team}/board", f"/v1/teams/{team}/forecasts", f"/v1/students/{student}/profile"]
    with TestClient(create_app(), headers=own_school.headers) as client:
        before = [client.get(address) for address in addresses]
        client.app.state.database.close()
        (own_school.home / "regroup.db").rename(own_school.home / "away.db")

        without = [client.get(address) for address in addresses]
        plan = client.post("/v1/recommendations", json={"team_id": team, "date": "2026-03-16"})

        assert [answer.json() for answer in without] == [answer.json() for answer in before]
        assert all(int(answer.headers["Regroup-Stale-Seconds"]) >= 0 for answer in without)
        assert not any("Regroup-Stale-Seconds" in answer.headers for answer in before)
        assert (plan.status_code, plan.headers["Retry-After"]) == (503, "30")
        (own_school.home / "away.db").rename(own_school.home / "regroup.db")
