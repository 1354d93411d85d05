"""`/docs`: the contract as one page to read, without scripts and with nothing from elsewhere: it needs no internet.

Programs, and pages that also send requests, read the contract itself at `/openapi.json`.
"""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

Schema = Mapping[str, Any]

STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}td,th{border:1px solid #ccc;padding:.3rem .5rem;
text-align:left;vertical-align:top}code{background:#f2f2f2;padding:0 .2rem}h3{margin-top:2.5rem}"""

HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "X-Frame-Options": "DENY"}
"""A page of ours loads nothing, runs nothing, and is shown in no other page."""

BOUNDS = {
    "minLength": "length ≥ {}",
    "maxLength": "length ≤ {}",
    "minItems": "elements ≥ {}",
    "maxItems": "elements ≤ {}",
    "maxProperties": "keys ≤ {}",
    "minimum": "≥ {}",
    "maximum": "≤ {}",
    "exclusiveMinimum": "> {}",
    "exclusiveMaximum": "< {}",
}
"""How the page writes the bounds of a JSON schema."""


def add_docs(app: FastAPI, path: str) -> None:
    """Answers an address with the page of the application's contract, which is made once."""

    @cache
    def page() -> str:
        return render_docs(app.openapi())

    @app.get(path, include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(page(), headers=HEADERS)


def render_docs(contract: Schema) -> str:
    """The page of a contract: its calls by tag, and the parts that bodies and answers consist of."""
    calls = [(method, path, call) for path, each in contract["paths"].items() for method, call in each.items()]
    info, parts = contract["info"], contract["components"]["schemas"]
    keys = contract["components"].get("securitySchemes", {}).values()
    to_contract = '<p>The same for programs: <a href="openapi.json">openapi.json</a>.</p>'
    links = (f'<li><a href="#{call["operationId"]}">{_call_name(method, path)}</a>' for method, path, call in calls)
    return "".join(
        (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>',
            f"<style>{STYLE}</style><h1>{escape(info['title'])}</h1>{_prose(info.get('description', ''))}",
            *(_prose(key.get("description", "")) for key in keys),
            f"{to_contract}<ul>{''.join(links)}</ul><h2>Calls</h2>",
            *(_render_call(*each) for each in calls),
            "<h2>Parts</h2>",
            *(_render_part(name, part) for name, part in sorted(parts.items())),
            "</html>",
        )
    )


def _render_call(method: str, path: str, call: Schema) -> str:
    scopes = [scope for need in call.get("security", ()) for each in need.values() for scope in each]
    parameters = [
        (each["name"], each["in"], _type(each["schema"]), _need(each["required"]), _prose(each.get("description", "")))
        for each in call.get("parameters", ())
    ]
    body = call.get("requestBody", {}).get("content", {})
    answers = [
        (
            status,
            _prose(answer["description"]),
            *(_type(kind.get("schema", {})) for kind in answer.get("content", {}).values()),
        )
        for status, answer in sorted(call["responses"].items())
    ]
    return "".join(
        (
            f'<h3 id="{call["operationId"]}">{_call_name(method, path)}</h3>{_prose(call["description"])}',
            f"<p>Needs a key with the scope {', '.join(map(_code, scopes))}.</p>" if scopes else "",
            _table(("parameter", "in", "type", "", "meaning"), parameters),
            *(f"<p>Body: {_type(kind['schema'])}</p>" for kind in body.values()),
            _table(("status", "meaning", "answer"), answers),
        )
    )


def _render_part(name: str, part: Schema) -> str:
    needed = part.get("required", ())
    fields = [
        (field, _type(schema), _need(field in needed), _prose(schema.get("description", "")), _example(schema))
        for field, schema in part.get("properties", {}).items()
    ]
    return "".join(
        (
            f'<h3 id="{name}">{name}</h3>{_prose(part.get("description", ""))}',
            _table(("field", "type", "", "meaning", "example"), fields) if fields else f"<p>{_type(part)}</p>",
        )
    )


def _type(schema: Schema) -> str:
    """A type in words, with links to parts."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    if choices := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return " or ".join(_type(choice) for choice in choices)
    if values := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return " or ".join(_code(value) for value in values)
    kind = {"array": "list", "null": "null"}.get(schema.get("type", ""), schema.get("format") or schema.get("type"))
    inner = schema.get("items") or schema.get("additionalProperties")
    words = [f"{kind or 'anything'} of {_type(inner)}" if isinstance(inner, Mapping) else kind or "anything"]
    return ", ".join(
        words + [escape(text.format(schema[bound]), quote=False) for bound, text in BOUNDS.items() if bound in schema]
    )


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table whose first column is names; nothing without rows."""
    lines = [f"<tr><td>{_code(name)}<td>{'<td>'.join(cells)}" for name, *cells in rows]
    return f"<table><tr><th>{'<th>'.join(heads)}{''.join(lines)}</table>" if lines else ""


def _prose(text: str) -> str:
    """Paragraphs, with code where the text has backticks."""
    paragraphs = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False)).split("\n\n")
    return "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs if paragraph)


def _code(value: object) -> str:
    return f"<code>{escape(str(value), quote=False)}</code>"


def _example(schema: Schema) -> str:
    return _code(json.dumps(schema["examples"][0], ensure_ascii=False)) if "examples" in schema else ""


def _need(needed: object) -> str:
    return "required" if needed else ""


def _call_name(method: str, path: str) -> str:
    return f"{method.upper()} {_code(path)}"
