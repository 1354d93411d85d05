"""The board in a real Chromium: read, move by menu and by keyboard, accept, sign out; accessible in light and dark."""

import os
import re
import shutil
import socket
import threading
import time

import pytest
import uvicorn

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed; on Debian: apt-get install chromium"),
]

WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
NEXT_MONDAY = "2026-03-23"


@pytest.fixture(scope="module")
def address(board):
    """Where the board is served, by a real server on this machine."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(board.app, lifespan="off", log_level="error", log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits_a_phone(page, address, board, scheme, tmp_path):
    page.emulate_media(color_scheme=scheme)
    sign_in(page, address, board)
    plan_id = board.suggested().plan_id
    student, team = board.team.members[0], board.team.team_id
    block = board.team.blocks[0].block_id.replace("fri", "mon")
    addresses = {
        "teams": "/board",
        "day": board.day(),
        "no_plan": board.day("2026-03-15"),
        "seats": f"/board/plans/{plan_id}/seats?student_id={student}&block_id={block}",
        "students": f"/board/students?team_id={team}",
        "student": f"/board/students/{student}",
        "sheets": f"/board/plans/{plan_id}/sheets",
        "error": "/board/day?team_id=nowhere",
        "sign_in": "/board/sign-in",
    }
    kept = os.environ.get("REGROUP_SCREENSHOTS", str(tmp_path))
    for name, where in addresses.items():
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(f"{address}{where}")
        found = axe.Axe().run(page, options=WCAG).response["violations"]

        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], name
        page.screenshot(path=f"{kept}/{name}-{scheme}.png")
        page.set_viewport_size({"width": 360, "height": 740})  # also what 200 % leaves of 720
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360, name
        page.screenshot(path=f"{kept}/{name}-{scheme}-phone.png")
