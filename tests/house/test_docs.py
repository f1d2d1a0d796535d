"""The docs are complete: every setting, fact, command and problem code that the code knows stands in them."""

from __future__ import annotations

import ast
import importlib
import re
from dataclasses import fields
from functools import cache

from cli.__main__ import WORDS
from gateway.config import GatewaySettings
from kit.config import SIBLINGS, ServiceSettings
from kit.errors import REFUSALS
from tests.house.source import ROOT, files, strings, tree

LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)")
CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


@cache
def docs() -> str:
    """Everything written for people."""
    pages = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def mentioned(word: str) -> bool:
    return re.search(rf"(?<![\w]){re.escape(word)}(?![\w])", docs()) is not None


def settings() -> set[str]:
    kinds = [GatewaySettings, ServiceSettings]
    for service in SIBLINGS:
        app = importlib.import_module(f"services.{service}.app")
        kinds.append(getattr(app, "Settings", ServiceSettings))
    names = {field.metadata["name"] for kind in kinds for field in fields(kind)}
    return {name.replace("{SERVICE}", "<SERVICE>") for name in names}


def facts() -> set[str]:
    found = set()
    for service in SIBLINGS:
        messages = importlib.import_module(
            f"proto.{service}.v1.events_pb2"
        ).DESCRIPTOR.message_types_by_name
        parts = {
            field.message_type.name
            for message in messages.values()
            for field in message.fields
            if field.message_type
        }
        found |= set(messages) - parts
    return found


def problem_codes() -> set[str]:
    """Codes given to refusals (`code="..."`), and the general ones."""
    found = {refusal.default_code for refusal in REFUSALS} | {
        refusal.graphql_code for refusal in REFUSALS
    }
    for path in files("kit", "services", "gateway"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.keyword) and node.arg == "code":
                found |= {str(text.value) for text in strings(node.value)}
    return {code for code in found if CODE.fullmatch(code)}


def test_every_setting_is_explained() -> None:
    assert sorted(name for name in settings() if name not in docs()) == []


def test_every_fact_is_explained() -> None:
    assert sorted(name for name in facts() if not mentioned(name)) == []


def test_every_command_is_explained() -> None:
    assert sorted(name for name in WORDS if not mentioned(f"./suite {name}")) == []


def test_every_problem_code_is_explained() -> None:
    """R25: a refusal has a code that can be looked up."""
    assert sorted(code for code in problem_codes() if not mentioned(code)) == []


def anchors(text: str) -> set[str]:
    """Of the headings of a page, as they are made where it is read."""
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def test_every_link_leads_somewhere() -> None:
    pages = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("*/README.md"),
        *ROOT.glob("*/*/README.md"),
    ]
    wrong = []
    for page in pages:
        for path, anchor in LINK.findall(page.read_text(encoding="utf-8")):
            to = (page.parent / path).resolve() if path else page
            there = to.exists() and (
                not anchor or anchor in anchors(to.read_text(encoding="utf-8"))
            )
            if not there:
                wrong.append(f"{page.relative_to(ROOT)}: {path}#{anchor}")

    assert wrong == []
