"""The board in a real Chromium: read, move by menu and by keyboard, accept, sign out; accessible in light and dark."""

import os
import re
import shutil
import socket
import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn

from serving.access.caller import Caller, Scope
from serving.plans.edits.edited_day import open_edit
from tests.serving.board.conftest import open_board

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed; on Debian: apt-get install chromium"),
]

WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
NEXT_MONDAY = "2026-03-23"
EVERYBODY = Caller("0" * 16, frozenset(Scope))


@contextmanager
def serve(app):
    """Where an app is served, by a real server on this machine."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error", log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def address(board):
    with serve(board.app) as found:
        yield found


@pytest.fixture(params=["sqlite", "postgres"])
def served(request, tried_school, simulated_school, give_key, tmp_path):
    """A board with its address, on either kind of database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("board"), request.getfixturevalue("address")
        return
    url, roster = request.getfixturevalue("empty_postgres"), simulated_school.folder / "roster"
    with open_board(tried_school, roster, tmp_path / "home", url, give_key) as board, serve(board.app) as address:
        yield board, address


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """A page that fails the test where the browser complains or asks somebody else for something."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    assert not [text for text in said if "status of 4" not in text]
    assert all(re.match(r"http://127\.0\.0\.1:", url) for url in asked)


def sign_in(page, address, board):
    page.goto(f"{address}/board/sign-in#{board.keys['all']}")  # a link that an administrator gave
    page.wait_for_selector("text=Sign out")


def focused(page):
    return page.evaluate("document.activeElement.tagName + ' ' + document.activeElement.textContent.trim()")


def test_a_morning_by_mouse_and_keyboard(page, address, board):
    sign_in(page, address, board)
    assert "#" not in page.url
    page.goto(f"{address}{board.day(NEXT_MONDAY)}")
    page.get_by_role("button", name="Suggest groups").click()
    page.wait_for_selector("text=not accepted yet")

    page.get_by_role("link", name=re.compile("^Move ")).first.click()
    page.wait_for_selector("text=Where should")
    assert "Where should" in focused(page)
    name = re.search(r"Where should (.*) be at", page.inner_text("h1"))[1]
    page.locator(".choice").first.click()
    page.wait_for_selector("text=1 changed seat")
    assert f"{name} is now in" in page.inner_text("#said")
    assert focused(page).startswith(f"SUMMARY {name}")

    page.get_by_role("button", name="Undo").focus()  # from here on by keyboard alone
    page.keyboard.press("Enter")
    page.wait_for_selector("text=The last step is undone.")
    assert not focused(page).startswith("BODY")
    link = page.get_by_role("link", name=re.compile("^Move ")).nth(1)
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Where should")
    page.keyboard.press("Tab")
    assert focused(page).startswith("BUTTON")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=1 changed seat")
    lock = page.get_by_role("button", name=re.compile("^Lock ")).first
    lock.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("[aria-pressed=true]")
    assert "The session is locked." in page.inner_text("#said")
    assert focused(page).startswith("BUTTON Locked")

    page.get_by_label("Note, if you want").fill("As discussed.")
    page.get_by_role("button", name="Accept the day").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=with your changes")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector("text=You are signed out.")


def test_it_reads_and_changes_without_scripts(browser, address, board):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{address}/board/sign-in")
    page.fill("#key", board.keys["all"])
    page.click("text=Sign in >> nth=-1")
    page.goto(f"{address}{board.day('2026-03-24')}")
    page.click("text=Suggest groups")
    page.locator("a.move").first.click()
    page.locator(".choice").first.click()

    assert "1 changed seat" in page.content()
    page.click("text=Day sheets")
    assert page.locator(".sheet").count() >= 2
    context.close()


def test_a_report_a_goal_and_a_mark_are_written_by_keyboard_without_scripts(browser, address, board):
    done = board.suggested("2026-04-29")
    done.send(f"/board/plans/{done.plan_id}/decision", decision="accept")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{address}/board/sign-in")
    page.fill("#key", board.keys["all"])
    page.press("#key", "Enter")
    page.goto(f"{address}{board.day('2026-04-29')}")
    page.get_by_role("link", name=re.compile("^After the session")).first.press("Enter")
    page.get_by_role("checkbox").first.press("Space")
    page.get_by_label("Questions of the exit check").select_option("1")
    page.get_by_label(re.compile("^Right answers of ")).nth(1).select_option(index=2)
    page.get_by_role("button", name="Write it down").press("Enter")

    assert "It is written down." in page.content()
    assert not page.get_by_role("checkbox").first.is_checked()
    page.goto(f"{address}/board/students/{board.team.members[8]}")
    page.get_by_text("Set a goal together").press("Enter")
    page.get_by_label("About").select_option("minutes")
    page.get_by_label("The minutes").fill("60")
    page.get_by_label("Until").fill("2199-01-01")
    page.get_by_role("button", name="Set the goal").press("Enter")
    assert "60 minutes of practice a week, until" in page.content()
    page.get_by_role("button", name="I know this child").press("Enter")
    assert "by their own word" in page.content()
    page.get_by_role("button", name=re.compile("^Choose")).first.press("Enter")
    assert "Chosen last:" in page.content()
    page.get_by_text("Write down a wish").press("Enter")
    page.get_by_label("With an adult").select_option(index=1)
    page.get_by_label("Last day of the wish").fill("2199-01-01")
    page.get_by_role("button", name="Keep the wish").press("Enter")
    assert "to work with Name of" in page.content()
    page.goto(f"{address}{board.day('2026-04-29')}")
    page.get_by_role("link", name="Who asks for help").press("Enter")
    page.get_by_role("button", name=re.compile("^Asks for help")).first.press("Enter")
    assert "waits for 0 min" in page.content()
    page.get_by_role("button", name=re.compile("^End it")).press("Enter")
    assert "waited 0 min" in page.content()
    context.close()


def test_a_leader_writes_and_signs_a_timeline_by_keyboard_without_scripts(browser, address, board):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{address}/board/sign-in")
    page.fill("#key", board.keys["leader"])
    page.press("#key", "Enter")
    page.goto(f"{address}/board/week?team_id={board.team.team_id}")
    page.get_by_role("link", name="How adults grow").press("Enter")
    page.get_by_text("Write the timeline").first.press("Enter")
    page.get_by_label("Observes the coach").first.fill("2026-03-02")
    page.get_by_label("Leads up to 4 students").first.fill("2026-04-06")
    page.get_by_role("button", name="Keep the timeline").first.press("Enter")
    assert "<strong>observes the coach</strong>, now" in page.content()
    page.get_by_role("button", name=re.compile("^Sign for")).press("Enter")
    assert "<strong>leads up to 4 students</strong>, now" in page.content()
    page.get_by_text("Change the timeline").press("Enter")
    for stage in ("Observes the coach", "Leads up to 4 students"):
        page.get_by_label(stage).first.fill("")
    page.get_by_role("button", name="Keep the timeline").first.press("Enter")
    assert "<strong>leads" not in page.content()
    context.close()


class Morning:
    """Counts what a person does: each click, choice in a list, key press or text is one action."""

    def __init__(self, page):
        self.page, self.actions, self.begun = page, 0, time.monotonic()

    def click(self, what):
        self.actions += 1
        what.click()

    def choose(self, what, **option):
        self.actions += 1
        what.select_option(**option)

    def write(self, what, text):
        self.actions += 1
        what.fill(text)


def swap_first(morning, position):
    """Opens the menu of a student who has not moved, who then changes places with the first on the list."""
    page = morning.page
    morning.click(page.locator("article.card li.seat:not(.moved) a.move").nth(position))
    page.wait_for_selector("text=Or change places with somebody")
    morning.click(page.get_by_role("button", name="Change places"))
    page.wait_for_selector("text=changed places")
    assert "changed places" in page.inner_text("#said")
    assert not focused(page).startswith("BODY")


def test_a_leaders_morning_takes_two_minutes_and_25_actions(page, served):
    board, address = served
    day = "2026-04-13"
    board.suggested(day)  # the night's job or a tool has suggested the day before
    sign_in(page, address, board)
    morning = Morning(page)
    page.goto(f"{address}{board.day(day)}")
    absent = board.team.staff[-1].staff_id

    morning.click(page.get_by_role("link", name="Away, late, or suggest again…"))
    morning.click(page.get_by_label(f"Name of {absent}", exact=True))
    late = board.team.members[5]
    morning.choose(page.get_by_label("Who", exact=True), label=f"Name of {late}")
    morning.choose(page.get_by_label("there from"), index=0)
    morning.click(page.get_by_role("button", name="Suggest again", exact=True))
    page.wait_for_selector("text=This is a new suggestion.")
    assert f"Name of {late}, not at" in page.inner_text("main")
    swap_first(morning, 0)
    swap_first(morning, 3)
    if page.locator("#broken").count():  # what broke a rule is said, and its repair is one click
        page.wait_for_selector("#repair button")
        morning.click(page.locator("#repair button"))
        page.wait_for_selector("text=The repair is made.")
    # only a repair can have taken both swaps back
    ending = "with your changes" if page.locator("li.seat.moved").count() else "as suggested. To change it"
    morning.click(page.get_by_role("link", name="Accept…"))
    morning.write(page.get_by_label("Note, if you want"), "Two swaps after the call from the office.")
    morning.click(page.get_by_role("button", name="Accept the day"))
    page.wait_for_selector(f"text={ending}")
    morning.click(page.get_by_role("link", name="Day sheets"))
    page.wait_for_selector(".sheet")
    sheets = page.locator(".sheet").count()
    for form in ("A4", "Letter"):
        pages = len(re.findall(rb"/Type /Page\b", page.pdf(format=form)))
        assert pages == sheets, form
    morning.actions += 1  # the key to print

    assert morning.actions <= 25
    assert time.monotonic() - morning.begun <= 120


def test_a_broken_rule_is_said_and_repaired_by_keyboard_alone(page, served):
    board, address = served
    day = "2026-04-14"
    someone = board.suggested(day)
    plan = open_edit(board.database, EVERYBODY, someone.plan_id)
    small = max((s for s in plan.sessions if s.session_type == "small_group"), key=lambda s: len(s.students))
    lead = next(
        adult for adult in plan.day.problem.adults if adult.id != small.adults[0] and small.block in adult.blocks
    )
    sign_in(page, address, board)
    page.goto(f"{address}/board/plans/{someone.plan_id}/sessions?session_id={small.id}")

    page.get_by_label("Adult of the new group").select_option(lead.id)
    split = page.get_by_role("button", name="Split the session")
    split.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=The group is split")
    page.wait_for_selector("#broken")
    page.wait_for_selector("#repair:not(:has(a))")
    found = page.locator("#repair button")
    assert "smallest repair" in page.inner_text("#said").lower() or not found.count()
    undo = page.get_by_role("button", name="Undo the last step") if not found.count() else found
    undo.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#broken", state="detached")
    assert not focused(page).startswith("BODY")


def test_a_student_is_dragged_to_another_session(page, address, board):
    sign_in(page, address, board)
    board.suggested("2026-04-15")
    page.goto(f"{address}{board.day('2026-04-15')}")
    block = page.locator("section.block").filter(has=page.locator("article.card:nth-child(2)")).first
    seat = block.locator("article.card").nth(0).locator("li.seat").first
    name = seat.locator("summary").inner_text().split("\n")[0]

    seat.drag_to(block.locator("article.card").nth(1).locator("h3"))

    page.wait_for_selector("text=1 changed seat")
    assert "is now in" in page.inner_text("#said")
    assert name.split("  ")[0][:12] in page.inner_text("#said")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits_a_phone(page, address, board, scheme, tmp_path):
    page.emulate_media(color_scheme=scheme)
    sign_in(page, address, board)
    plan_id = board.suggested().plan_id
    student, team = board.team.members[0], board.team.team_id
    session = open_edit(board.database, EVERYBODY, plan_id).sessions[0].id
    block = board.team.blocks[0].block_id.replace("fri", "mon")
    done = board.suggested("2026-04-22")
    done.send(f"/board/plans/{done.plan_id}/decision", decision="accept")
    held = next(each.id for each in open_edit(board.database, EVERYBODY, done.plan_id).sessions if each.led)
    addresses = {
        "report": f"/board/plans/{done.plan_id}/reports?session_id={held}",
        "teams": "/board",
        "day": board.day(),
        "no_plan": board.day("2026-03-15"),
        "seats": f"/board/plans/{plan_id}/seats?student_id={student}&block_id={block}",
        "students": f"/board/students?team_id={team}",
        "student": f"/board/students/{student}",
        "session": f"/board/plans/{plan_id}/sessions?session_id={session}",
        "alternatives": f"/board/plans/{plan_id}/alternatives",
        "repair": f"/board/plans/{plan_id}/repair",
        "week": f"/board/week?team_id={team}&date=2026-03-16",
        "balance": f"/board/balance?team_id={team}&date=2026-03-14",
        "insight": f"/board/insight?team_id={team}",
        "digest": f"/board/digest?team_id={team}",
        "growth": f"/board/growth?team_id={team}",
        "help": f"/board/plans/{done.plan_id}/help",
        "calendar": f"/board/calendar?team_id={team}",
        "sheets": f"/board/plans/{plan_id}/sheets",
        "list": f"/board/plans/{plan_id}/sheets?by=student",
        "error": "/board/day?team_id=nowhere",
        "sign_in": "/board/sign-in",
    }
    kept = os.environ.get("REGROUP_SCREENSHOTS", str(tmp_path))
    for name, where in addresses.items():
        page.set_viewport_size(
            {"width": 1280, "height": 12_000}
        )  # else what is off the screen is not drawn nor looked at
        page.goto(f"{address}{where}")
        found = axe.Axe().run(page, options=WCAG).response["violations"]

        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], name
        page.screenshot(path=f"{kept}/{name}-{scheme}.png")
        page.set_viewport_size({"width": 360, "height": 740})  # also what 200 % leaves of 720
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360, name
        page.screenshot(path=f"{kept}/{name}-{scheme}-phone.png")
