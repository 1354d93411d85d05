"""What people change about whole sessions, two students who swap, who comes late, other plans, and the signature."""

import re
from dataclasses import replace

from fastapi.testclient import TestClient

from features.roster import read_team
from serving.access.caller import Caller, Scope
from serving.audit.entries import list_entries
from serving.board.day.view import list_without_adult, view_blocks
from serving.board.words import Names
from serving.plans.edits.edited_day import open_edit
from serving.schemas.edits import Edit, EditStep
from serving.schemas.sessions import SessionSeats
from serving.store.decisions import find_decision
from serving.store.forgetting import FORGOTTEN, forget_in_text
from serving.store.recommendations import find_recommendation

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (f"2026-04-{day:02d}" for day in (6, 7, 8, 9, 10))

EVERYBODY = Caller("0" * 16, frozenset(Scope))


def edited_of(board, someone):
    """The day that somebody works on."""
    return open_edit(board.database, EVERYBODY, someone.plan_id)


def led_in(edited, at=0):
    """The adult-led sessions of the first block that has two."""
    blocks = [block.id for block in edited.day.problem.blocks]
    found = [[s for s in edited.sessions if s.block == block and s.led] for block in blocks]
    return next(sessions for sessions in found if len(sessions) >= 2)[at]


def act(someone, action, **fields):
    """Sends a form about the plan of the last page."""
    return someone.send(f"/board/plans/{someone.plan_id}/{action}", **fields)


def test_two_students_change_places_and_the_page_says_so(board):
    someone = board.suggested(MONDAY)
    edited = edited_of(board, someone)
    one, other = led_in(edited, 0), led_in(edited, 1)
    student, partner = one.students[0], other.students[0]
    someone.open(f"/board/plans/{someone.plan_id}/seats?student_id={student}&block_id={one.block}")
    assert f'<option value="{partner}">Name of {partner}, now in' in someone.page.text

    act(someone, "swaps", student_id=student, other_student_id=partner, block_id=one.block)

    after = {session.id: session for session in edited_of(board, someone).sessions}
    assert partner in after[one.id].students
    assert student in after[other.id].students
    assert sorted(s for each in after.values() for s in each.students) == sorted(
        s for each in edited.sessions for s in each.students
    )
    assert f"Name of {student} and Name of {partner} changed places" in someone.page.text
    same = act(someone, "swaps", student_id=student, other_student_id=student, block_id=one.block)
    assert same.status_code == 422
    assert "only students of two sessions" in same.text


def test_who_has_no_seat_is_shown_before_the_cards_and_as_without_an_adult(board):
    edited = edited_of(board, board.suggested(MONDAY))
    session = led_in(edited)
    left = [replace(each, students=each.students[1:]) if each is session else each for each in edited.sessions]
    lost = replace(edited, day=replace(edited.day, current=tuple(left)), steps=())

    blocks = {block.block_id: block for block in view_blocks(lost, Names({session.students[0]: "Mia Ray"}))}

    assert [seat.name for seat in blocks[session.block].unseated] == ["Mia Ray"]
    others = {student for each in left if each.led for student in each.students}
    assert (session.students[0] in list_without_adult(lost)) == (session.students[0] not in others)


def test_an_adult_and_a_room_are_exchanged_so_that_none_is_in_two_places(board):
    someone = board.suggested(MONDAY)
    edited = edited_of(board, someone)
    one, other = led_in(edited, 0), led_in(edited, 1)

    act(someone, "changes", session_id=one.id, staff_id=other.adults[0], room_id=other.room)

    after = {session.id: session for session in edited_of(board, someone).sessions}
    assert (after[one.id].adults[0], after[one.id].room) == (other.adults[0], other.room)
    assert (after[other.id].adults[0], after[other.id].room) == (one.adults[0], one.room)
    assert "2 sessions at once" not in someone.page.text
    assert f"Name of {other.adults[0]}" in re.search(r"data-say>([^<]*)", someone.page.text)[1]
    refused = act(someone, "changes", session_id=one.id, staff_id="nobody")
    assert refused.status_code == 422
    assert "the day has no" in refused.text


def test_another_skill_breaks_the_rule_of_needs_by_name(board):
    someone = board.suggested(TUESDAY)
    edited = edited_of(board, someone)
    session = led_in(edited)
    needs = {(need.student, need.skill) for need in edited.day.problem.needs}
    skill = next(each for each in edited.day.problem.skills if any((s, each.id) not in needs for s in session.students))

    act(someone, "changes", session_id=session.id, skill_id=skill.id)

    assert next(s for s in edited_of(board, someone).sessions if s.id == session.id).skill == skill.id
    broken = someone.page.text.split('id="broken"')[1].split("</section>")[0]
    assert f"on {skill.name}, which is not among the student&#39;s needs" in broken
    assert session.id not in re.sub(r"<[^>]*>", "", broken)


def test_a_session_is_split_merged_again_and_undone(board):
    someone = board.suggested(WEDNESDAY)
    before = edited_of(board, someone)
    session = max((s for s in before.sessions if s.led), key=lambda each: len(each.students))
    leaving = session.students[:2]
    busy = {adult for s in before.sessions if s.block == session.block for adult in s.adults}
    adult = next((a.id for a in before.day.problem.adults if a.id not in busy), before.day.problem.adults[0].id)
    room = before.day.problem.rooms[0].id

    act(someone, "splits", session_id=session.id, student_id=list(leaving), staff_id=adult, room_id=room)

    after = edited_of(board, someone)
    new = next(s for s in after.sessions if s.id not in {each.id for each in before.sessions})
    assert (new.block, new.skill, new.adults, new.room) == (session.block, session.skill, (adult,), room)
    assert set(new.students) == set(leaving)
    assert "The group is split" in someone.page.text
    act(someone, "merges", session_id=new.id, into_id=session.id)
    merged = edited_of(board, someone)
    assert {s.id: set(s.students) for s in merged.sessions} == {s.id: set(s.students) for s in before.sessions}
    nobody = act(someone, "splits", session_id=session.id, staff_id=adult)
    assert nobody.status_code == 422
    assert "at least one goes and one stays" in nobody.text
    act(someone, "undo")
    act(someone, "undo")
    assert not edited_of(board, someone).steps


def test_what_the_team_wants_of_a_session_stands_on_card_and_sheet_and_in_the_decision(board):
    someone = board.suggested(WEDNESDAY)
    session = led_in(edited_of(board, someone))
    act(someone, "aims", session_id=session.id, aim="Everybody explains one step.")
    assert "Everybody explains one step." in someone.page.text

    act(someone, "suggestion")  # a new suggestion keeps it where the group is the same
    edited = edited_of(board, someone)
    same = [
        s
        for s in edited.sessions
        if (s.block, s.adults[:1], s.skill) == (session.block, session.adults[:1], session.skill)
    ]
    assert [edited.aims.get(s.id) for s in same] == ["Everybody explains one step."] * len(same)
    act(someone, "aims", session_id=led_in(edited).id, aim="A calm start.")
    plan_id = someone.plan_id
    act(someone, "decision", decision="accept")

    assert "A calm start." in someone.open(f"/board/plans/{plan_id}/sheets").text
    assert "A calm start." in find_decision(board.database, plan_id).sessions


def test_who_comes_late_has_no_seat_before_and_keeps_so_in_the_next_suggestion(board):
    someone = board.suggested(THURSDAY)
    blocks = [block.id for block in edited_of(board, someone).day.problem.blocks]
    late, away = board.team.members[0], board.team.staff[0].staff_id

    act(someone, "suggestion", late_student_id=late, late_block_id=blocks[1], staff_id=away)

    def seats():
        return {s.block for s in edited_of(board, someone).sessions if late in s.students}

    assert seats() == set(blocks[1:])
    assert f"Partly away: Name of {late}, not at" in someone.page.text
    act(someone, "suggestion", partly="0")
    assert seats() == set(blocks[1:])
    act(someone, "suggestion")
    assert seats() == set(blocks)


def test_other_plans_stand_side_by_side_and_one_is_taken_over(board, monkeypatch):
    monkeypatch.setattr("serving.plans.edits.suggest.ALTERNATIVES_S", 6.0)
    someone = board.suggested(THURSDAY)

    page = act(someone, "suggestion", choice="yes")

    assert page.url.path.endswith("/alternatives")
    plan_id = page.url.path.split("/")[-2]
    others = find_recommendation(board.database, plan_id).answer.alternatives
    assert page.text.count("Use plan") == len(others)
    if not others:
        assert "No other plan is nearly as good" in page.text
        return
    someone.send(f"/board/plans/{plan_id}/alternatives", at="0")
    edited = edited_of(board, someone)
    assert {(s.block, s.skill, s.adults, s.students) for s in edited.sessions} == {
        (s.block_id, s.skill_id, tuple(s.adults), tuple(s.students)) for s in others[0].sessions
    }
    assert "The other plan is taken over" in someone.page.text


def ask_api(board, key, method, path, **body):
    """Asks the API with a key of a program."""
    client = TestClient(board.app, headers={"Authorization": f"Bearer {board.keys[key]}"})
    return client.request(method, f"/v1{path}", json=body or None)


def test_a_day_counts_once_the_leader_has_signed_it_on_the_board(board):
    team = board.signed_team
    someone = board.suggested(MONDAY, team_id=team)
    plan_id = someone.plan_id

    act(someone, "decision", decision="accept")

    assert "It counts once the team&#39;s leader has signed it" in someone.page.text
    assert "Sign the day" not in someone.page.text
    assert not [past for past in read_team(board.database, team).past_sessions if str(past.date) == MONDAY]
    said = ask_api(board, "programs", "GET", f"/recommendations?team_id={team}&date={MONDAY}").json()
    assert [row["awaits_signature"] for row in said["recommendations"]] == [True]
    assert act(someone, "signature").status_code == 403
    leader = board.person("leader")
    leader.open(board.day(MONDAY, team))
    act(leader, "signature")
    assert "The day is accepted." in leader.page.text
    held = [past for past in read_team(board.database, team).past_sessions if str(past.date) == MONDAY]
    decision = ask_api(board, "programs", "GET", f"/recommendations/{plan_id}/decision").json()
    assert len(held) == len(decision["sessions"]) > 0
    assert (decision["awaits_signature"], decision["signed_at"] is not None) == (False, True)
    board.app.state.audit.flush()
    assert [entry.action for entry in list_entries(board.database) if entry.subject == plan_id].count("sign") == 1


def test_a_decision_over_the_api_awaits_the_signature_too(board):
    team = board.signed_team
    plan = ask_api(board, "programs", "POST", "/recommendations", team_id=team, date=TUESDAY, seconds=0.5).json()
    address = f"/recommendations/{plan['id']}"

    decision = ask_api(board, "programs", "POST", f"{address}/decision", decision="accepted").json()

    assert decision["awaits_signature"] is True
    assert ask_api(board, "programs", "POST", f"{address}/signature").status_code == 403
    assert ask_api(board, "signer", "POST", f"{address}/signature").json()["signed_at"] is not None
    again = ask_api(board, "signer", "POST", f"{address}/signature")
    assert (again.status_code, again.json()["awaits_signature"]) == (200, False)
    other = ask_api(board, "programs", "POST", "/recommendations", team_id=team, date=TUESDAY, seconds=0.5).json()
    refused = ask_api(board, "signer", "POST", f"/recommendations/{other['id']}/signature")
    assert (refused.status_code, refused.json()["rule"]) == (409, "not_accepted")


def test_of_two_accepted_plans_the_one_signed_last_is_the_day(board):
    team = board.signed_team
    asked = {"team_id": team, "date": THURSDAY, "seconds": 0.5}
    ids = [ask_api(board, "programs", "POST", "/recommendations", **asked).json()["id"] for _ in range(3)]
    for plan_id in ids:
        ask_api(board, "programs", "POST", f"/recommendations/{plan_id}/decision", decision="accepted")

    for plan_id, replaces in [(ids[1], None), (ids[0], ids[1]), (ids[2], ids[0])]:
        signed = ask_api(board, "signer", "POST", f"/recommendations/{plan_id}/signature").json()
        assert signed["replaces"] == replaces


def test_the_leader_who_accepts_signs_at_once(board):
    leader = board.suggested(WEDNESDAY, key="leader", team_id=board.signed_team)
    plan_id = leader.plan_id

    act(leader, "decision", decision="accept")

    decision = find_decision(board.database, plan_id)
    assert (decision.awaits_signature, decision.signed_by) == (False, board.keys["leader"].split("_")[1])
    assert "Accepted</strong> as suggested" in leader.page.text


def test_what_is_changed_on_the_board_is_the_decision_and_history_that_the_api_would_keep(board):
    asked = {"team_id": board.team.team_id, "date": FRIDAY, "seed": 3}
    ours, theirs = (ask_api(board, "programs", "POST", "/recommendations", **asked).json()["id"] for _ in range(2))
    ours, theirs = theirs, ours  # the board works on the newer one
    someone = board.suggested(FRIDAY)
    assert someone.plan_id == ours
    edited = edited_of(board, someone)
    one, other = led_in(edited, 0), led_in(edited, 1)
    act(someone, "swaps", student_id=one.students[0], other_student_id=other.students[0], block_id=one.block)
    act(someone, "changes", session_id=one.id, staff_id=other.adults[0])
    act(someone, "splits", session_id=other.id, student_id=[one.students[0]], staff_id=edited.day.problem.adults[0].id)
    act(someone, "aims", session_id=one.id, aim="Listen to each other.")
    bodies = [each.model_dump(mode="json") for each in edited_of(board, someone).steps[-1].sessions]

    act(someone, "decision", decision="accept", note="As we said.")
    on_board, held = find_decision(board.database, ours), held_on(board, FRIDAY)
    sent = {"decision": "edited", "sessions": bodies, "note": "As we said."}
    answer = ask_api(board, "programs", "POST", f"/recommendations/{theirs}/decision", **sent)

    assert answer.status_code == 200, answer.text
    over_api = find_decision(board.database, theirs)
    assert on_board.content == over_api.content
    assert held == held_on(board, FRIDAY)
    assert over_api.replaces == ours
    board.app.state.audit.flush()
    decided = {entry.subject: entry for entry in list_entries(board.database) if entry.action == "decide"}
    assert decided[ours].team_id == decided[theirs].team_id == board.team.team_id


def held_on(board, day):
    """What counts as held on a day."""
    past = read_team(board.database, board.team.team_id).past_sessions
    return sorted((p.block_id, p.staff_id or "", p.skill_id or "", p.students) for p in past if str(p.date) == day)


def test_an_aim_goes_with_a_student_who_is_erased():
    session = SessionSeats(
        id="s", block_id="b", session_type="online", skill_id=None, adults=["a"], room_id=None, students=["s1", "s2"]
    )
    step = EditStep(action="aim", sessions=[session.model_copy(update={"aim": "s1 explains"}), session], locked=[])
    swap = step.model_copy(update={"action": "swap", "student_id": "s3", "other_student_id": "s1"})

    left = Edit.model_validate_json(forget_in_text(Edit, Edit(steps=[step, swap]).model_dump_json(), ["s1"]))

    assert [each.action for each in left.steps] == ["aim"]
    assert [each.aim for each in left.steps[0].sessions] == [FORGOTTEN, None]
