"""Skills and prerequisites of a framework of standards: a 1EdTech CASE package as JSON, or its rows as CSV.

A standard is a skill. Its id is its code (`humanCodingScheme`) unless people choose another field, and its name is the
code and the statement, so that people recognize it. Headings (domains, clusters) are no skills. Who precedes or is
required for another becomes its prerequisite; `isChildOf` tells headings, and grades that a parent has.

Source:
    1EdTech, CASE 1.0 and 1.1 (https://www.imsglobal.org/spec/CASE/v1p1): CFPackage, CFItem, CFAssociation; types of
    associations beyond the list of the standard begin with `ext:`.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from features.roster.files.cells import parse_id, parse_text
from features.roster.files.sheets import Findings, Row
from features.roster.policy.keys import SKILL_IDS
from features.roster.records import Prerequisite, Skill

HEADINGS = frozenset({
    "category", "cluster", "conceptualcategory", "course", "domain", "grade", "gradeband", "gradelevel", "heading",
    "strand", "subdomain", "subject", "substrand", "topic", "unit",
})  # fmt: skip
"""Types of what only groups standards, in small letters without blanks."""

BEFORE = frozenset(
    {"precedes", "isprerequisiteof", "isprerequisitefor", "prerequisiteof", "isrequiredfor", "isrequiredby"}
)
"""Types of associations whose origin has to be ready before the destination."""

AFTER = frozenset({"requires", "hasprerequisite", "isprecededby", "follows", "dependson", "buildson"})
"""Types of associations whose destination has to be ready before the origin."""

CHILD = "ischildof"

LONGEST_STATEMENT = 100
"""Characters of a statement in a name; what is longer is cut after a word."""

LONGEST_HEADER = 1 << 14
"""Bytes of a file that are looked at to see what it is."""

Item = Mapping[str, Any]
"""A standard, as JSON has it or a line of CSV, its keys in small letters without blanks."""


@dataclass(frozen=True)
class Framework:
    """What a file says: standards, and who is what to whom as (type, origin, destination) by `identifier`."""

    items: tuple[Item, ...]
    links: tuple[tuple[str, str, str], ...]
    subject: str | None = None


def is_case_csv(data: bytes) -> bool:
    """Whether the first line of a CSV file names columns of standards or their associations."""
    headers = {_plain(cell) for cell in data[:LONGEST_HEADER].split(b"\n", 1)[0].decode("utf-8", "replace").split(",")}
    return "fullstatement" in headers or {"associationtype", "originnodeidentifier"} <= headers


def read_case(
    files: Mapping[str, bytes], findings: Findings, id_field: str = SKILL_IDS[0]
) -> tuple[list[Row], list[Row]]:
    """The skills and prerequisites of all files together.

    Args:
        files: Packages as JSON, or rows as CSV, by name.
        findings: Gets every problem, and warnings of what was left out.
        id_field: The field of a standard whose value events carry, one of `SKILL_IDS`; standards without one have
            their `identifier`.
    """
    frameworks = {}
    for name, data in files.items():
        findings.labels[name] = name
        found = _read_json(data, name, findings) if name.lower().endswith(".json") else _read_csv(data, name, findings)
        if found is not None:
            frameworks[name] = found
    items = {item["identifier"]: item for framework in frameworks.values() for item in framework.items}
    # spreadsheets name standards by their codes too
    named = {str(item.get("humancodingscheme") or key): key for key, item in items.items()} | {
        key: key for key in items
    }
    links = [
        (kind, named.get(origin, origin), named.get(destination, destination))
        for framework in frameworks.values()
        for kind, origin, destination in framework.links
    ]
    parents = {origin: parent for kind, origin, parent in links if kind == CHILD and parent in items}
    headings = {key for key, item in items.items() if _is_heading(item, key in parents.values())}
    ids: dict[str, str] = {}
    skills: dict[str, Row] = {}
    for name, framework in frameworks.items():
        for at, item in enumerate(framework.items):
            key = item["identifier"]
            if key in headings or key in ids:
                continue
            text = str(item.get(_plain(id_field)) or "").strip() or key
            try:
                ids[key] = parse_id(text)
            except ValueError as error:
                findings.add(name, str(error), None, f"CFItems[{at}].{id_field}")
                continue
            if ids[key] in skills:
                findings.add(name, f"{ids[key]!r} is of two standards; choose another skill_id", None, id_field)
                continue
            lineage = [items[each] for each in _climb(key, parents)]
            grade = next((each for each in map(_read_grade, lineage) if each), None)
            subject = next((each for each in map(_read_subject, lineage) if each), framework.subject)
            skills[ids[key]] = Row(None, Skill(ids[key], _read_name(item), grade, subject))
    return list(skills.values()), _read_prerequisites(links, ids, items, headings, findings)


def _read_prerequisites(
    links: Iterable[tuple[str, str, str]],
    ids: Mapping[str, str],
    items: Mapping[str, Item],
    headings: set[str],
    findings: Findings,
) -> list[Row]:
    found: dict[Prerequisite, Row] = {}
    left: Counter[str] = Counter()
    for kind, origin, destination in links:
        if kind not in BEFORE | AFTER:
            continue
        first, then = (origin, destination) if kind in BEFORE else (destination, origin)
        if first in ids and then in ids and first != then:
            record = Prerequisite(ids[then], ids[first])
            found[record] = Row(None, record)
        else:
            elsewhere = {first, then} - items.keys()
            left["of other files" if elsewhere else "of headings" if headings & {first, then} else "of itself"] += 1
    if headings:
        kinds = Counter(str(items[key].get("cfitemtype") or "without a type") for key in items if key in headings)
        named = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(3))
        findings.warnings.append(f"standards: {len(headings)} headings ({named}) are no skills and were left out")
    for why, count in left.items():
        findings.warnings.append(f"standards: {count} prerequisites {why} were left out")
    return list(found.values())


def _read_json(data: bytes, name: str, findings: Findings) -> Framework | None:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        findings.add(name, "is not JSON; export the CASE package again")
        return None
    body = body.get("CFPackage", body) if isinstance(body, dict) else None
    items = body.get("CFItems") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(items, list):
        findings.add(name, "is no CASE package; one has CFDocument, CFItems and CFAssociations")
        return None
    document = body.get("CFDocument")
    of_document = {_plain(key): value for key, value in document.items()} if isinstance(document, dict) else {}
    links = body.get("CFAssociations")
    return _make_framework(items, links if isinstance(links, list) else [], name, findings, _read_subject(of_document))


def _read_csv(data: bytes, name: str, findings: Findings) -> Framework | None:
    try:
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    except (csv.Error, UnicodeDecodeError):
        findings.add(name, "is not CSV in UTF-8; export it again")
        return None
    lines = [{_plain(key or ""): value for key, value in row.items()} for row in rows]
    links = [line for line in lines if line.get("associationtype")]
    links += [
        {"associationtype": CHILD, "originnodeidentifier": line.get("identifier"), "destinationnodeidentifier": parent}
        for line in lines
        if (parent := line.get("ischildof"))
    ]
    return _make_framework([line for line in lines if line.get("fullstatement")], links, name, findings, None)


def _make_framework(
    items: Iterable[object], links: Iterable[object], name: str, findings: Findings, subject: str | None
) -> Framework:
    found = []
    for at, item in enumerate(items):
        plain = {_plain(str(key)): value for key, value in item.items()} if isinstance(item, dict) else {}
        key = plain.get("identifier") or plain.get("humancodingscheme")
        if isinstance(key, str) and key.strip():
            found.append(plain | {"identifier": key.strip()})
        else:
            findings.add(name, "is blank; every standard needs one", None, f"CFItems[{at}].identifier")
    named = []
    for link in links:
        plain = {_plain(str(key)): value for key, value in link.items()} if isinstance(link, dict) else {}
        ends = (_read_node(plain, "origin"), _read_node(plain, "destination"))
        named.append((_plain(str(plain.get("associationtype") or "")).removeprefix("ext"), *ends))
    return Framework(tuple(found), tuple(named), subject)


def _read_node(link: Item, end: str) -> str:
    """The `identifier` of what a link begins or ends with; empty where it says none."""
    node = link.get(f"{end}nodeuri") or link.get(f"cf{end}nodeuri") or link.get(f"{end}nodeidentifier")
    if isinstance(node, dict):
        node = node.get("identifier") or node.get("uri")
    return str(link.get(f"{end}nodeidentifier") or node or "").strip().rstrip("/").rpartition("/")[2]


def _is_heading(item: Item, has_children: bool) -> bool:
    kind = _plain(str(item.get("cfitemtype") or ""))
    return kind in HEADINGS or (not kind and has_children and not item.get("humancodingscheme"))


def _climb(key: str, parents: Mapping[str, str]) -> Iterable[str]:
    """The standard and what it is a part of, upwards; a circle ends where it closes."""
    seen: dict[str, None] = {}
    while key and key not in seen:
        seen[key] = None
        key = parents.get(key, "")
    return seen


def _read_name(item: Item) -> str | None:
    code = " ".join(str(item.get("humancodingscheme") or "").split())
    statement = " ".join(str(item.get("abbreviatedstatement") or item.get("fullstatement") or "").split())
    if len(statement) > LONGEST_STATEMENT:
        statement = statement[:LONGEST_STATEMENT].rpartition(" ")[0].rstrip(",;:") + " …"
    return parse_text(f"{code} {statement}".strip().replace("\0", "")) or None


def _read_grade(item: Item) -> str | None:
    """`4` of `["04"]`, `9-12` of `["09", "10", "11", "12"]`, else all with commas."""
    value = item.get("educationlevel")
    levels = [
        str(level).strip() for level in (value if isinstance(value, list) else str(value or "").split(",")) if level
    ]
    levels = [level.lstrip("0") or "0" for level in levels if level]
    numbers = [int(level) for level in levels if level.isascii() and level.isdigit()]
    if len(numbers) == len(levels) > 1 and all(later == earlier + 1 for earlier, later in pairwise(numbers)):
        return f"{numbers[0]}-{numbers[-1]}"
    return ", ".join(levels) or None


def _read_subject(item: Item) -> str | None:
    value = item.get("subject") or item.get("subjecturi")
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, dict):
        first = first.get("title")
    return str(first).strip() or None if first else None


def _plain(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())
