"""Part `board`: the board of 120 students over real HTTP and in a real Chromium: first paint, moves, scripts."""

import csv
import random
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.service.load import Connection, Response
from experiments.benchmarks.service.processes import ServerError, run_service
from experiments.benchmarks.service.school import School, issue_key, run_step
from features.console import OUT

STUDENTS = 120
"""Students of the team whose board is measured: two simulated teams as one."""

FIRST_DAY = date(2026, 3, 16)
"""A Monday, the first that is tried: a school that was kept may have plans of it, of a team as it was then."""

WEEKS = 40
"""Mondays that are tried."""

GOALS = {"first_paint_ms": 200.0, "move_p95_ms": 150.0, "script_kb": 60.0}
"""At most."""

PAINTS = 10
"""Times that the page of the day is opened in a browser that has nothing cached."""

OF_ONE_TEAM = ("teams", "blocks", "rules", "focus", "past_sessions")
"""Files of which the second team's rows are left out; its people and rooms join the first team."""

PAINTED = """() => new Promise((done) => {
  const look = () => {
    const found = performance.getEntriesByName("first-contentful-paint")[0];
    if (found) done(found.startTime); else setTimeout(look, 5);
  };
  look();
})"""


def measure_board(school: School, moves: int, log: Path) -> dict[str, Any]:
    """The figures of the board of one team; those of a browser are null where there is no Chromium.

    Args:
        school: A trained school of two teams or more.
        moves: Moves that are measured, each undone again.
        log: Where the server writes.

    Raises:
        ServerError: A command or the server failed.
    """
    environment, team = _join_teams(school)
    key = issue_key(environment, ["board"])
    with run_service(environment, 1, log) as server:
        person = Person(Connection(server.port))
        person.send("POST", "/board/sign-in", key=key)
        day, page = _suggest_day(person, team)
        timed = _measure_moves(person, page, moves)
        browser = _measure_browser(f"http://127.0.0.1:{server.port}", key, day, max(5, moves // 4))
    took = np.array(timed["moves"])
    figures: dict[str, Any] = {
        "students": STUDENTS,
        "moves": len(took),
        "move_p50_ms": float(np.quantile(took, 0.5)),
        "move_p95_ms": float(np.quantile(took, 0.95)),
        "move_p95_interval_ms": _bootstrap(took),
        "seats_p95_ms": float(np.quantile(timed["seats"], 0.95)),
        "first_paint_ms": None,
        "script_kb": None,
        **browser,
        "wrong": person.failed,
    }
    table = make_table(f"the board, {STUDENTS} students", ["what"], ["measured", "goal"])
    for name, most in GOALS.items():
        value = figures[name]
        table.add_row(name, "no Chromium here" if value is None else f"{value:.1f}", f"≤ {most:g}")
    print_tables(table)
    return figures


@dataclass
class Person:
    """Somebody at a browser without scripts, whose requests are timed.

    Attributes:
        connection: To the server.
        cookie: Of the session; empty before it began.
        ms: What the last request took with the page that followed it, in milliseconds.
        failed: Requests that were not answered with a page.
    """

    connection: Connection
    cookie: str = ""
    ms: float = field(default=0.0)
    failed: int = 0

    def send(self, method: str, path: str, **fields: str) -> str:
        """Sends a request and reads the page, where it is sent on to another one, that."""
        begun = time.perf_counter()
        answer = self._send(method, path, fields)
        if answer.status == HTTPStatus.SEE_OTHER:
            answer = self._send("GET", answer.headers["location"], {})
        self.ms = 1000 * (time.perf_counter() - begun)
        self.failed += answer.status != HTTPStatus.OK
        return answer.body.decode()

    def _send(self, method: str, path: str, fields: Mapping[str, str]) -> Response:
        headers = {"Cookie": self.cookie} if self.cookie else {}
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = self.connection.send(method, path, headers, urlencode(fields).encode() if fields else b"")
        cookie = answer.headers.get("set-cookie", "")
        if cookie:
            self.cookie = cookie.partition(";")[0]
        return answer


def _join_teams(school: School) -> tuple[dict[str, str], str]:
    """A copy of the school's home in which the first two teams are one; its environment and the team's id."""
    first, second = school.team_ids[:2]
    home, roster = school.folder / "board-home", school.folder / "board-roster"
    environment = school.environment | {"REGROUP_HOME": str(home)}
    for folder in (home, roster):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(school.home, home)
    shutil.copytree(school.folder / "log" / "roster", roster)
    for path in roster.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        if not rows or "team_id" not in rows[0]:
            continue
        kept = [row for row in rows if row["team_id"] != second or path.stem not in OF_ONE_TEAM]
        kept = [row | {"team_id": first} if row["team_id"] == second else row for row in kept]
        if path.stem == "members":
            joined = [row for row in kept if row["team_id"] == first][:STUDENTS]
            kept = [*joined, *(row for row in kept if row["team_id"] != first)]
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(kept)
    run_step(environment, "features", "roster", str(roster), "--yes")
    return environment, first


def _suggest_day(person: Person, team: str) -> tuple[str, str]:
    """The address of the first Monday that had no plan, and its page with one.

    Raises:
        ServerError: Every Monday has one.
    """
    for monday in (FIRST_DAY + timedelta(weeks=week) for week in range(WEEKS)):
        day = f"/board/day?team_id={quote(team)}&date={monday}"
        page = person.send("GET", day)
        if "Suggest groups" in page:
            form = {"csrf": _read(page, "csrf"), "team_id": team, "date": str(monday)}
            return day, person.send("POST", "/board/plans", **form)
    raise ServerError(f"the school has plans of {WEEKS} Mondays from {FIRST_DAY} on; name another folder with --keep")


def _measure_moves(person: Person, page: str, moves: int) -> dict[str, list[float]]:
    """Milliseconds of so many moves, each with the page that says its impact, and of the menus of seats before them."""
    plan = re.search(r"/board/plans/([0-9a-f]{32})/", page)
    if plan is None:
        raise ServerError("the board has no plan of the day")
    address, csrf = f"/board/plans/{plan[1]}", _read(page, "csrf")
    links = sorted(set(re.findall(r'seats\?student_id=([^&"]*)&amp;block_id=([^"]*)"', page)))
    chance = random.Random(1)  # noqa: S311 - no secret
    timed: dict[str, list[float]] = {"moves": [], "seats": []}
    for student, block in chance.choices(links, k=moves):
        menu = person.send("GET", f"{address}/seats?student_id={student}&block_id={block}")
        timed["seats"].append(person.ms)
        sessions = re.findall(r'name="session_id" value="([^"]*)"', menu)
        if not sessions:
            continue
        seat = {"student_id": student, "block_id": block, "session_id": chance.choice(sessions)}
        page = person.send("POST", f"{address}/moves", csrf=csrf, version=_read(menu, "version"), **seat)
        timed["moves"].append(person.ms)
        if "All changes together" not in page:
            person.failed += 1
        person.send("POST", f"{address}/undo", csrf=csrf, version=_read(page, "version"))
    return timed


def _measure_browser(address: str, key: str, day: str, moves: int) -> dict[str, Any]:
    """First paint, kilobytes of scripts, and moves from the click to what the live region says."""
    with _open_chromium() as chromium:
        if chromium is None:
            return {}
        paints, scripts = [], 0
        for _ in range(PAINTS):
            with chromium.new_context() as context:
                page = context.new_page()
                page.goto(f"{address}/board/sign-in#{key}")
                page.wait_for_selector("text=Sign out")
                cookies = context.cookies()
            with chromium.new_context() as context:  # with the session alone, and nothing cached
                context.add_cookies(cookies)
                page = context.new_page()
                sizes: list[int] = []
                page.on("response", lambda answer, sizes=sizes: _note_script(answer, sizes))
                page.goto(f"{address}{day}")
                paints.append(page.evaluate(PAINTED))
                scripts = sum(sizes)
        with chromium.new_context() as context:
            context.add_cookies(cookies)
            clicks = list(_click_moves(context.new_page(), f"{address}{day}", moves))
    return {
        "first_paint_ms": float(np.median(paints)),
        "first_paint_worst_ms": float(max(paints)),
        "script_kb": scripts / 1000,
        "move_in_browser_p95_ms": float(np.quantile(clicks, 0.95)),
    }


def _click_moves(page: Any, address: str, moves: int) -> Iterator[float]:  # noqa: ANN401 - of playwright
    """Yields milliseconds from the click on a seat to the page that says what it does; each move is undone."""
    page.goto(address)
    for at in range(moves):
        page.locator("a.move:visible").nth(at).click()
        page.wait_for_selector("text=Where should")
        page.evaluate("document.getElementById('said').textContent = ''")
        begun = time.perf_counter()
        page.locator(".choice").first.click()
        page.locator("#said", has_text="All changes together").wait_for(state="attached")
        yield 1000 * (time.perf_counter() - begun)
        page.get_by_role("button", name="Undo", exact=True).click()
        page.wait_for_selector("text=The last step is undone.")


def _note_script(answer: Any, sizes: list[int]) -> None:  # noqa: ANN401 - of playwright
    if answer.request.resource_type == "script":
        sizes.append(len(answer.body()))


@contextmanager
def _open_chromium() -> Iterator[Any]:
    """A Chromium; null where there is none, or nothing that drives it."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - a tool of developers
    except ImportError:
        path = None
    if path is None:
        OUT.print("no Chromium or no playwright here: nothing is measured in a browser", style="dim")
        yield None
        return
    with sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def _bootstrap(took: "np.ndarray[Any, np.dtype[np.float64]]") -> list[float]:
    """95 % interval of the 95th percentile, by resampling."""
    draws = np.random.default_rng(0).choice(took, (2000, len(took)))
    return [float(each) for each in np.quantile(np.quantile(draws, 0.95, axis=1), [0.025, 0.975])]


def _read(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    if found is None:
        raise ServerError(f"the board answered with a page without {name}")
    return found[1]
