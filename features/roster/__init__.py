"""Who learns and teaches where: teams, students, adults, rooms, blocks and standing rules.

A roster is a folder of CSV files and a policy: UTF-8, comma separated, one header line, ids of any text without `;` or
outer blanks (`007` and `NA` stay as they are). A list in one cell is separated by semicolons. Columns
marked `?` may be blank or left out. `features.roster.checks` says what has to hold between the files.

teams.csv: one row per team of educators who share students.
    team_id   id of the team, such as `north-7`
    school    the school it belongs to, such as `North Middle`
    name ?    what people call it, such as `Team Orion`

members.csv: one row per student of a team; a student may be in several teams.
    team_id       a team of teams.csv
    student_id    the id that the student's events carry, such as `s0412`
    from_date ?   YYYY-MM-DD, the first day in the team, such as `2026-09-07`; blank = ever since
    until ?       the last day in the team, such as `2027-06-04`; blank = open

staff.csv: one row per adult of a team. Who is in several is planned by each as if it had the adult alone; a rule
`unavailable` says in which blocks a team does not.
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

series.csv (optional): one row per group of students who stay with one adult on one unit, once a day at most.
    series_id             such as `ratios-1`
    team_id               a team of teams.csv
    students              list of student ids of the team, such as `s0412;s0417`
    staff_id              the adult of the team who leads it, such as `a.rivera`
    skills                the unit: a list of skill ids, such as `ratios;rates`
    from_date             YYYY-MM-DD, its first day, such as `2026-03-09`
    until                 its last day, or `proficient`: each student leaves when proficient in the whole unit
    block_ids ?           list of blocks of the team, such as `mon-1;wed-1`; blank = any block
    weekdays ?            instead of blocks, a list such as `mon;wed;fri`; blank = all
    sessions_per_week ?   how many are wanted, such as `3`; blank = one a day
    minutes_per_week ?    instead of sessions, how many minutes are wanted, such as `120`

demographics.csv (optional): one row per fact about a student; audits only, kept apart, never a feature.
    student_id   a student of members.csv
    column       what is known, such as `language`
    value        any text, such as `es`

ids.csv (optional): one row per id that a student has in another system, for logs that carry it (`sources` below).
    student_id   a student of members.csv
    kind         what kind of id it is, such as `username`
    other_id     such as `mia.jones`; no two students share one of a kind

names.csv (optional): display names; kept in the vault where `REGROUP_VAULT` names one, and else not read.
    student_id ?   a student, or
    staff_id ?     an adult
    name           such as `Mia Jones`

policy.toml (optional): how teams want to be planned, which the CSV files cannot say. `[default]` holds for all teams,
`[teams.t01]` for one and counts before it; all keys are optional, and what nobody says stays as the planner has it.
    preset                 `open_team_room`, `station_rotation`, `intervention_block`, `high_dosage_tutoring` or
                           `weekly_regrouping`: several of the keys below at once (`policy/presets.toml`);
                           keys that stand beside it count before it
    weights.NAME           what one unit of a term of the score is worth, 0-100; 0 switches the term off
    sizes.TYPE             group sizes of `small_group`, `tutoring` or `collaborative`: fewest and most students at a
                           table, tables that one adult may have, and whether they may support students, or only
                           introduce and extend: `{ least = 4, most = 6, tables = 3, support = false }`
    most_by_role.ROLE      most students at once with an adult of a role for whom staff.csv has no max_group
    students_per_monitor   students of independent work whom one adult may supervise
    most_social_cost       share of the need met, 0-1, that everything social together may cost
    explore_within         share, 0-0.1, that a plan's gain over a day online may lie below the best one found, so that
                           each day's plan is drawn at random among those; 0: the best, always
    crowding               `{ full = 3, loss = 0.1 }`: students whom one lead serves in full, and how much less each
                           further one makes it for all
    adult_time_days        school days within which everybody should have had adult time; 1: every day
    group_time_days        the same for a small group or tutoring
    trainees_supervised    `false` where teachers in training may have sessions without a teacher on duty
    coaching_per_week      sessions that a coach and whom they coach should share in a week
    observations_per_week  sessions of whom they coach that a coach should join to observe in a week
    regroup                `daily`, `weekly`, or for how many school days a grouping holds
    rooms.ROOM.sessions    sessions that a large room holds at once, its capacity shared; ROOM `*` is every other room
                           that holds the whole team
    blocks.BLOCK           skills or subjects that may be taught by adults then, such as `{ subjects = ["Maths"] }`
    needs_certified        list of students whose accommodations need a certified adult in adult-led sessions
    sources.SOURCE         below `[default]`: what kind of id the events of a source carry for students, such as
                           `practice-app = "username"`: a kind of ids.csv, or a column of the people's file of another
                           system, or a type of OneRoster's `userIds`; events of other sources carry the roster's ids
    skill_id               below `[default]`: which field of a CASE standard is its skill's id: `humanCodingScheme` (its
                           code), `identifier`, `abbreviatedStatement`, `alternativeLabel` or `listEnumeration`
    leader_signs           whether a day counts only once somebody with the scope `sign` has signed it (default: false)
    no_school              list of days without school, such as `["2026-11-26", "2026-12-21 to 2027-01-01"]`
    adult_exclusions       list of `{ staff_id = "b.chen", students = ["s0412"] }`: the adult never leads the students;
                           why is not asked and not stored
`blocks`, `needs_certified`, `adult_exclusions` and rooms by name belong to one team. Lists of students add to those of
a request.

Skills and prerequisites may also come as a package of 1EdTech CASE (JSON or CSV) in place of skills.csv, and alone.

Rosters of other systems (`features.roster.exports`) come as a folder, a zip archive or a CSV file: OneRoster 1.1 and
1.2, whole (bulk) or what has changed (delta); Microsoft School Data Sync 1 and 2.1; or a class list with the columns
`student`, `class` and maybe `teacher`, `school`, `grade`, `from_date`, `until`. What they cannot say stands in further
keys of policy.toml. It is stored with the roster and holds until the file says it anew; rules, series, focus and past
sessions that are stored stay as well, as far as they name people who are still there, and so do skills and
prerequisites unless there are files of them too.
    classes                list of ids of the classes whose students and adults make the team; none: no team
    school, name           of the team; without them, the school of its classes and no name
    staff.ID               what staff.csv would say of an adult: `{ role = "teacher_leader", max_group = 6 }`; a teacher
                           of a class is else a `collaborating_teacher`, an aide `support_staff`; who teaches in no
                           class of the team is in it with `without_class = true` alone
    rooms.ROOM.capacity    students that the room holds, such as `30`
    bells.NAME             blocks of the week: `{ days = ["mon", "tue"], start = "08:30", end = "09:15" }`; their ids
                           are `TEAM-mon-NAME` and so on
    student_id             which id of a person of OneRoster events carry: `sourcedId`, `identifier`, `username`,
                           `email` or `userMasterIdentifier`
    end_date               whether the date of an end is the first day after it (`exclusive`, as OneRoster has it for
                           enrollments, roles and terms) or the last day (`inclusive`, as all other shapes have it)
`bells`, `no_school`, `student_id` and `end_date` may stand below `[default]`, the last two there alone.
"""

from features.roster.command import load_roster_command
from features.roster.loading import read_roster_files
from features.roster.policy.file import ANY_ROOM
from features.roster.policy.keys import load_presets
from features.roster.queries import (
    find_gone,
    find_teams_of,
    list_teams,
    read_demographics,
    read_skills,
    read_students,
    read_team,
    students_of_schools,
)
from features.roster.records import (
    Block,
    Demographic,
    Focus,
    Member,
    PastSession,
    PolicyLayer,
    Prerequisite,
    Room,
    Roster,
    Rule,
    Series,
    Settings,
    Skill,
    SkillMap,
    Staff,
    Team,
    TeamName,
)
from features.roster.series_checks import find_misfits, find_mistakes
from features.roster.store import erase_student, forget_old_sessions, replace_recorded_sessions, save_roster

__all__ = [
    "ANY_ROOM",
    "Block",
    "Demographic",
    "Focus",
    "Member",
    "PastSession",
    "PolicyLayer",
    "Prerequisite",
    "Room",
    "Roster",
    "Rule",
    "Series",
    "Settings",
    "Skill",
    "SkillMap",
    "Staff",
    "Team",
    "TeamName",
    "erase_student",
    "find_gone",
    "find_misfits",
    "find_mistakes",
    "find_teams_of",
    "forget_old_sessions",
    "list_teams",
    "load_presets",
    "load_roster_command",
    "read_demographics",
    "read_roster_files",
    "read_skills",
    "read_students",
    "read_team",
    "replace_recorded_sessions",
    "save_roster",
    "students_of_schools",
]
