"""The description of the interface as a page: plain HTML, no script, nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

import orjson

STYLE = "/static/docs.css"


def page_of(described: dict[str, Any]) -> str:
    """Return the page of an OpenAPI document."""
    info = described["info"]
    title = escape(f"{info['title']} {info['version']}: the HTTP interface")
    sections = [_section(tag["name"], described) for tag in described["tags"]]
    schemas = described["components"]["schemas"]
    shapes = [_shape(name, schema) for name, schema in schemas.items()]
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{title}</title>",
            f'<link rel="stylesheet" href="{STYLE}">',
            "</head>",
            "<body>",
            "<main>",
            f"<h1>{title}</h1>",
            f"<p>{escape(info['description'])}</p>",
            '<p>For programs: <a href="/openapi.json">/openapi.json</a></p>',
            *sections,
            "<section>",
            "<h2>shapes</h2>",
            *shapes,
            "</section>",
            "</main>",
            "</body>",
            "</html>",
            "",
        )
    )


def _section(tag: str, described: dict[str, Any]) -> str:
    articles = [
        _article(method, path, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if tag in operation["tags"]
    ]
    return "\n".join(("<section>", f"<h2>{escape(tag)}</h2>", *articles, "</section>"))


def _article(method: str, path: str, operation: dict[str, Any]) -> str:
    name = escape(operation["operationId"])
    parts = [
        f'<article id="{name}">',
        f"<h3><code>{method.upper()} {escape(path)}</code></h3>",
        f"<p>{escape(operation['summary'])}</p>",
    ]
    if operation["parameters"]:
        parts += ["<h4>takes</h4>", "<dl>", *map(_parameter, operation["parameters"]), "</dl>"]
    if "requestBody" in operation:
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        parts += ["<h4>body</h4>", f"<p>{_linked(body)}</p>"]
    parts += ["<h4>answers</h4>", "<dl>"]
    parts += [_answer(status, answer) for status, answer in operation["responses"].items()]
    return "\n".join((*parts, "</dl>", "</article>"))


def _parameter(parameter: dict[str, Any]) -> str:
    needed = ", required" if parameter.get("required") else ""
    about = parameter.get("description") or parameter["schema"].get("description", "")
    return (
        f"<dt><code>{escape(parameter['name'])}</code> ({parameter['in']}{needed})</dt>"
        f"<dd>{escape(about)} {_schema(parameter['schema'])}</dd>"
    )


def _answer(status: str, answer: dict[str, Any]) -> str:
    shapes = [
        f"{escape(kind)} {_linked(content['schema'])}"
        for kind, content in answer.get("content", {}).items()
    ]
    told = "<br>".join(shapes) or "no body"
    return f"<dt>{status}: {escape(answer['description'])}</dt><dd>{told}</dd>"


def _linked(schema: dict[str, Any]) -> str:
    """Return a schema, or a link to one that has a name."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#shape-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_linked, schema["anyOf"]))
    return _schema(schema) if schema else ""


def _schema(schema: dict[str, Any]) -> str:
    return f"<code>{escape(orjson.dumps(_short(schema)).decode())}</code>"


def _short(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose long lists of words are cut for the eye."""
    words = schema.get("enum", [])
    shown = {name: value for name, value in schema.items() if name != "description"}
    return shown | ({"enum": [*words[:3], "…", *words[-1:]]} if len(words) > 40 else {})


def _shape(name: str, schema: dict[str, Any]) -> str:
    text = orjson.dumps(_cut(schema), option=orjson.OPT_INDENT_2).decode()
    return (
        f'<details id="shape-{escape(name)}"><summary>{escape(name)}</summary>'
        f"<pre>{escape(text)}</pre></details>"
    )


def _cut(value: Any) -> Any:
    """Return a schema with all long lists of words in it cut."""
    if isinstance(value, dict):
        return {name: _cut(inner) for name, inner in _short(value).items()}
    return [_cut(inner) for inner in value] if isinstance(value, list) else value
