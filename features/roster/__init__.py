"""Who learns and teaches where: teams, students, adults, rooms, blocks and standing rules.

A roster is a folder of CSV files: UTF-8, comma separated, one header line, ids of any text without `;` or
outer blanks (`007` and `NA` stay as they are). A list in one cell is separated by semicolons. Columns
marked `?` may be blank or left out. `features.roster.checks` says what has to hold between the files.

teams.csv: one row per team of educators who share students.
    team_id   id of the team, such as `north-7`
    school    the school it belongs to, such as `North Middle`
    name ?    what people call it, such as `Team Orion`

members.csv: one row per student; a student is in one team.
    team_id      a team of teams.csv
    student_id   the id that the student's events carry, such as `s0412`

staff.csv: one row per adult; an adult is in one team.
    staff_id      such as `a.rivera`
    team_id       a team of teams.csv
    role          `teacher_leader`, `collaborating_teacher`, `support_staff` or `teacher_in_training`; or a role of
                  the school's own, such as `reading coach`, for which may_lead must be filled in
    may_lead ?    list of `small_group`, `tutoring`, `collaborative`, `online`; blank = what the role leads
                  (`records.ROLE_MAY_LEAD`), such as `tutoring;small_group`
    skills ?      list of skill ids the adult may teach, such as `fractions;ratios`; blank = all
    max_group ?   most students at once, a whole number of 1 or more, such as `6`; blank = no own bound
    certified ?   `yes` or `no`: may take students whose accommodations need a certified adult; blank = `no`
    coach ?       the staff_id of the colleague of the same team who coaches this adult, such as `b.chen`

rooms.csv: one row per room of a team.
    room_id    such as `r12`
    team_id    a team of teams.csv
    capacity   students it holds, a whole number of 1 or more, such as `30`

blocks.csv: one row per weekly period of a team; those of one day do not overlap.
    block_id   such as `mon-1`
    team_id    a team of teams.csv
    weekday    `mon`, `tue`, `wed`, `thu`, `fri`, `sat` or `sun`
    start      HH:MM, 24 hours, the school's wall clock, such as `09:05`
    end        HH:MM, after start, such as `09:50`

rules.csv (optional): one row per standing rule.
    rule_id      such as `rule-3`
    team_id      a team of teams.csv
    kind         `keep_together`, `keep_apart` (two or more students), `pinned` (students to an adult, block
                 or skill) or `unavailable` (students or an adult)
    students ?   list of student ids of the team, such as `s0412;s0417`
    staff_id ?   an adult of the team, such as `a.rivera`
    block_id ?   a block of the team, such as `mon-1`; blank = every block
    skill_id ?   such as `fractions`

skills.csv (optional): one row per skill; with it, every skill id in the other files must be one of these.
    skill_id    the id that the log uses, such as `fractions`
    name ?      such as `Add fractions`
    grade ?     such as `7`
    subject ?   such as `Mathematics`

prerequisites.csv (optional): one row per skill that has to be ready before another; no circles.
    skill_id            such as `ratios`
    requires_skill_id   such as `fractions`

focus.csv (optional): one row per skill of a team's current unit.
    team_id    a team of teams.csv
    skill_id   such as `fractions`
    weight     0-1, how much the unit is about it, such as `0.8`

past_sessions.csv (optional): one row per session that really happened.
    date         YYYY-MM-DD, the school's own day, 1990-01-01 to 2199-12-31, such as `2026-03-09`
    team_id      a team of teams.csv
    block_id     such as `mon-1`
    staff_id ?   who led it, such as `a.rivera`
    skill_id ?   what it was about, such as `fractions`
    students     list of student ids, such as `s0412;s0417`

demographics.csv (optional): one row per fact about a student; audits only, kept apart, never a feature.
    student_id   a student of members.csv
    column       what is known, such as `language`
    value        any text, such as `es`
"""

from features.roster.loading import load_roster_command, read_roster_files
from features.roster.queries import (
    find_team_of,
    list_teams,
    read_demographics,
    read_skills,
    read_team,
    students_of_schools,
)
from features.roster.records import (
    Block,
    Demographic,
    Focus,
    Member,
    PastSession,
    Prerequisite,
    Room,
    Roster,
    Rule,
    Skill,
    SkillMap,
    Staff,
    Team,
    TeamName,
)
from features.roster.store import erase_student, replace_recorded_sessions, save_roster

__all__ = [
    "Block",
    "Demographic",
    "Focus",
    "Member",
    "PastSession",
    "Prerequisite",
    "Room",
    "Roster",
    "Rule",
    "Skill",
    "SkillMap",
    "Staff",
    "Team",
    "TeamName",
    "erase_student",
    "find_team_of",
    "list_teams",
    "load_roster_command",
    "read_demographics",
    "read_roster_files",
    "read_skills",
    "read_team",
    "replace_recorded_sessions",
    "save_roster",
    "students_of_schools",
]
