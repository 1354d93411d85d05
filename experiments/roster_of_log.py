"""A roster for a log that came without one: teams of 60, with the adults, rooms and blocks that a team has."""

from pathlib import Path

from features.home import Home

TEAM_SIZE = 60

STAFF = (
    ("leader", "teacher_leader", ""),
    ("teacher", "collaborating_teacher", ""),
    ("support", "support_staff", ""),
    ("trainee", "teacher_in_training", "leader"),
)
ROOMS = (("commons", 60), ("east", 12), ("west", 12), ("nook", 4))
BLOCKS = (("09:00", "09:45"), ("10:00", "10:45"), ("11:00", "11:45"), ("13:00", "13:45"))
DAYS = ("mon", "tue", "wed", "thu", "fri")


def write_roster(home: Home, folder: Path) -> None:
    """Writes roster files for every student of the event log, the most recently active in the first team.

    Args:
        home: Whose event log names the students.
        folder: Where the CSV files go.
    """
    import pandas as pd  # noqa: PLC0415 - takes seconds, and a demo shows its first line before

    from features.events.store import read_events  # noqa: PLC0415

    events = read_events(home, columns=["student_id", "occurred_at", "sequence"])
    last = events.groupby("student_id").max()
    order = last.sort_values(["occurred_at", "sequence"], ascending=False, kind="stable").index
    folder.mkdir(parents=True)
    team = pd.Series([f"team-{at // TEAM_SIZE + 1}" for at in range(len(order))], dtype="str")
    teams = team.unique()
    tables = {
        "teams": pd.DataFrame({"team_id": teams, "school": "the log's school"}),
        "members": pd.DataFrame({"team_id": team, "student_id": order}),
        "staff": pd.DataFrame(
            [
                (f"{team_id}-{name}", team_id, role, f"{team_id}-{coach}" if coach else "")
                for team_id in teams
                for name, role, coach in STAFF
            ],
            columns=["staff_id", "team_id", "role", "coach"],
        ),
        "rooms": pd.DataFrame(
            [(f"{team_id}-{name}", team_id, capacity) for team_id in teams for name, capacity in ROOMS],
            columns=["room_id", "team_id", "capacity"],
        ),
        "blocks": pd.DataFrame(
            [
                (f"{team_id}-{day}-{at + 1}", team_id, day, start, end)
                for team_id in teams
                for day in DAYS
                for at, (start, end) in enumerate(BLOCKS)
            ],
            columns=["block_id", "team_id", "weekday", "start", "end"],
        ),
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
