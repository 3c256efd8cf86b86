"""The API's description as one page to read: every operation with its parameters, an example to paste, and what it answers.

Made from the OpenAPI description alone, without a script and without anything fetched from elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from dubgate.certificate import refusals
from dubgate.service.docs_example import example_of, referred
from dubgate.service.problems import anchor_of

STYLE = """
:root{color-scheme:light dark;--soft:#5b6470;--line:#d9dde2;--box:#f5f6f7;--ink:#1d2329;--paper:#fff;--go:#146c43}
@media(prefers-color-scheme:dark){:root{--soft:#a3adb8;--line:#39414a;--box:#22282e;--ink:#e6eaee;--paper:#171b1f;--go:#63c795}}
*{box-sizing:border-box}body{margin:0 auto;max-width:62rem;padding:1.5rem;font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{margin:0 0 .2rem}h2{margin:2.5rem 0 .5rem;text-transform:capitalize}h3{margin:0;font-size:1.05rem}
code,pre{font:13.5px/1.5 ui-monospace,monospace}pre{background:var(--box);border:1px solid var(--line);border-radius:8px;padding:.8rem;white-space:pre-wrap;overflow-wrap:anywhere}
section{border:1px solid var(--line);border-radius:10px;padding:1rem 1.2rem;margin:1rem 0}section>p{margin:.3rem 0 .8rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}td,th{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line)}
.soft{color:var(--soft)}.verb{color:var(--go);font-weight:700}nav li{margin:.15rem 0}a{color:inherit}.wide{overflow-x:auto}
"""
POLICY = f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_CODE = re.compile(r"`([^`]+)`")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_OURS = range(200, 300)


def docs_page(schema: Mapping[str, Any]) -> str:
    """The page; everything in it is escaped."""
    info, parts = schema["info"], schema.get("components", {}).get("schemas", {})
    found = [(verb, path, op) for path, ops in schema["paths"].items() for verb, op in ops.items()]
    tags = list(dict.fromkeys(tag for _, _, op in found for tag in op.get("tags", ["more"])))
    body = [f"<h1>{escape(info['title'])} <span class=soft>{escape(info['version'])}</span></h1>"]
    body += [f"<p>{_words(text)}</p>" for text in info.get("description", "").split("\n\n")]
    body.append("<p>For machines: <a href=/openapi.json>/openapi.json</a>. A first yes or no:</p>")
    body.append(f"<pre>{escape(_FIRST)}</pre><nav><h2>Operations</h2>{_contents(found)}</nav>")
    for tag in tags:
        body.append(f"<h2 id={anchor_of('', tag)}>{escape(tag)}</h2>")
        body += [_operation(verb, path, op, parts) for verb, path, op in found if tag in op.get("tags", ["more"])]
    body += [_problems(found), _refusals()]
    return f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width,initial-scale=1'><title>dubgate: the API</title><style>{STYLE}</style><main>{''.join(body)}</main></html>"


_FIRST = """TOKEN=$(dubgate tokens new --party polyglot --scope read --by op-1 --registry consent.db)
curl -G https://gate.example.org/v1/may-publish -H "authorization: Bearer $TOKEN" -d digest=$(sha256sum dub.mov | cut -c1-64) \\
     -d territory=DE -d channel=svod -d language=de -d at=now"""


def _words(text: str) -> str:
    return _BOLD.sub(r"<b>\1</b>", _CODE.sub(r"<code>\1</code>", escape(" ".join(text.split()))))


def _contents(found: list[tuple[str, str, Any]]) -> str:
    rows = (
        f"<li><a href=#{anchor_of(verb, path)}><span class=verb>{verb.upper()}</span> <code>{escape(path)}</code></a> "
        f"<span class=soft>{_words(op.get('summary', ''))}</span></li>"
        for verb, path, op in found
    )
    return f"<ul>{''.join(rows)}</ul>"


def _operation(verb: str, path: str, op: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    head = f"<h3><span class=verb>{verb.upper()}</span> <code>{escape(path)}</code></h3>"
    told = [f"<p><b>{_words(op.get('summary', ''))}</b></p>", f"<p>{_words(op.get('description', ''))}</p>"]
    answers = {int(status): answer for status, answer in op.get("responses", {}).items()}
    good = "".join(_good(status, answer, parts) for status, answer in answers.items() if status in _OURS)
    wrong = ", ".join(str(status) for status in answers if status not in _OURS)
    also = f"<p class=soft>Problems: {wrong} (see <a href=#problems>problems</a>)</p>" if wrong else ""
    made = "".join([head, *told, _parameters(op), f"<pre>{escape(_curl(verb, path, op, parts))}</pre>", good, also])
    return f"<section id={anchor_of(verb, path)}>{made}</section>"


def _parameters(op: Mapping[str, Any]) -> str:
    rows = [
        f"<tr><td><code>{escape(p['name'])}</code></td><td class=soft>{escape(p['in'])}{', needed' if p.get('required') else ''}</td>"
        f"<td>{_words(_about(p))}</td></tr>"
        for p in op.get("parameters", ())
    ]
    return f"<div class=wide><table>{''.join(rows)}</table></div>" if rows else ""


def _about(parameter: Mapping[str, Any]) -> str:
    kind = parameter.get("schema", {})
    told = [parameter.get("description") or kind.get("description") or ""]
    told += [f"One of: {', '.join(map(str, kind['enum']))}."] if "enum" in kind else []
    shown = parameter.get("example", next(iter(kind.get("examples", ())), None))
    told += [f"For example `{shown}`."] if shown is not None else []
    return " ".join(part for part in told if part)


def _curl(verb: str, path: str, op: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    """The call with examples in it; one more line for each other form of its body."""
    given = {p["name"]: p for p in op.get("parameters", ())}
    for name, p in given.items():
        path = path.replace(f"{{{name}}}", str(p.get("example") or example_of(p.get("schema", {}), parts)))
    asked = [f"{n}={p.get('example') or example_of(p.get('schema', {}), parts)}" for n, p in given.items() if p["in"] == "query" and p.get("required")]  # fmt: skip
    head = ["curl", *([] if verb == "get" else [f"-X {verb.upper()}"]), f"'$URL{path}{'?' if asked else ''}{'&'.join(asked)}'".replace("'", '"')]  # fmt: skip
    head += ['-H "authorization: Bearer $TOKEN"'] if op.get("security") else []
    bodies = list(_bodies(op, parts))
    if not bodies:
        return " ".join(head)
    sent = [f"{' '.join(head)} -H 'content-type: application/json' -d '{bodies[0]}'"]
    return "\n".join([*sent, *(f"# or: -d '{other}'" for other in bodies[1:])])


def _bodies(op: Mapping[str, Any], parts: Mapping[str, Any]) -> Iterator[str]:
    content = op.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None:
        schema = referred(content["schema"], parts)
        for choice in schema.get("anyOf", [schema]):
            yield json.dumps(example_of(choice, parts), ensure_ascii=False)


def _good(status: int, answer: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    usual = answer.get("description", "")
    told = "" if usual == "Successful Response" else f" {_words(usual)}"
    content = answer.get("content", {}).get("application/json", {}).get("schema")
    shown = "" if not content else json.dumps(example_of(content, parts), ensure_ascii=False, indent=2)
    return f"<p><b>{status}</b>{told}</p>" + (f"<pre>{escape(shown)}</pre>" if shown not in ("", '"…"') else "")


def _problems(found: list[tuple[str, str, Any]]) -> str:
    told: dict[str, str] = {}
    for _, _, op in found:
        for status, answer in op.get("responses", {}).items():
            if int(status) not in _OURS:
                told.setdefault(status, answer.get("description", ""))
    rows = "".join(f"<tr><td><b>{s}</b></td><td>{_words(t)}</td></tr>" for s, t in sorted(told.items()))
    about = "Each is application/problem+json (RFC 9457): branch on <code>type</code>, read <code>detail</code>, do what <code>remedy</code> says, and quote <code>request_id</code> to whoever runs the service."
    return f"<h2 id=problems>Problems</h2><p>{about}</p><table>{rows}</table>"


def _refusals() -> str:
    """Every `reason` that may-publish and verify can give, in the words of the class that says it."""
    kinds = (k for k in vars(refusals).values() if isinstance(k, type) and issubclass(k, refusals.Refused))
    told = {k.reason: (k.__doc__ or "").strip().split("\n\n")[0] for k in kinds if k is not refusals.Refused}
    rows = "".join(f"<tr><td><code>{escape(r)}</code></td><td>{_words(t)}</td></tr>" for r, t in told.items())
    about = "What <code>reason</code> says where <code>GET /v1/may-publish</code> (and <code>dubgate verify</code>) refuses."
    return f"<h2 id=reasons>Reasons</h2><p>{about}</p><div class=wide><table>{rows}</table></div>"
