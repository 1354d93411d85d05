"""The lists of the roster, page by page, as far as each caller sees."""

import pytest

from features.roster import list_teams, read_team

LISTS = {
    "teams": ("team_id",), "staff": ("team_id", "staff_id"), "blocks": ("team_id", "block_id"), "skills": ("skill_id",),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_read_page_by_page_and_again_by_its_tag(district, name):
    client, key = district.client("all"), LISTS[name]
    whole = client.get(f"/v1/{name}?limit=100")
    rows, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/v1/{name}?limit=1{cursor and f'&cursor={cursor}'}").json()
        rows += page[name]
        cursor = page["next_cursor"]

    assert rows == whole.json()[name]
    assert len(rows) > 1
    ids = [tuple(row[part] for part in key) for row in rows]
    assert ids == sorted(set(ids))
    again = client.get(f"/v1/{name}?limit=100", headers={"If-None-Match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = next(each for each in LISTS if each != name)
    first = client.get(f"/v1/{other}?limit=1").json()["next_cursor"]
    assert client.get(f"/v1/{name}?cursor={first}").json()["rule"] == "bad_cursor"


@pytest.mark.parametrize("key", ["north", "north_team"])
def test_lists_hold_what_the_caller_may_know_of(district, key):
    north = district.client(key)
    team = district.north["team_id"]

    assert [row["team_id"] for row in north.get("/v1/teams").json()["teams"]] == [team]
    for name in ("staff", "blocks"):
        own = north.get(f"/v1/{name}").json()[name]
        assert {row["team_id"] for row in own} == {team}
        assert own == district.client("all").get(f"/v1/{name}?team_id={team}").json()[name]
        theirs = north.get(f"/v1/{name}?team_id={district.south['team_id']}")
        assert (theirs.status_code, theirs.json()["rule"]) == (404, "unknown_team")
    counts = north.get("/v1/teams").json()["teams"][0]
    stored = read_team(district.database._url.render_as_string(), team)
    assert (counts["students"], counts["staff"]) == (len(stored.members), len(stored.staff))
    assert len(list_teams(district.database)) == 2
