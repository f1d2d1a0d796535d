"""Plans to and from JSON, in the shape that the Hive router's planner prints as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from gateway.plan.nodes import (
    BatchFetch,
    BatchPart,
    Condition,
    Each,
    Fetch,
    Flatten,
    Key,
    Parallel,
    QueryPlan,
    RenameKey,
    RequiredField,
    RequiredOn,
    Sequence,
    SetValue,
    Subscription,
    Types,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.plan.nodes import Node, Path, Required, Requires, Rewrite, Segment

Json: TypeAlias = dict[str, Any]


def to_json(plan: QueryPlan) -> Json:
    """The plan as plain JSON data."""
    body: Json = {"kind": "QueryPlan"}
    if plan.node is not None:
        body["node"] = _WRITERS[type(plan.node)](plan.node)
    return body


def _write(node: Node) -> Json:
    return _WRITERS[type(node)](node)


def _write_fetch(node: Fetch) -> Json:
    body: Json = {"kind": "Fetch", "serviceName": node.service}
    _write_request(node, body)
    if node.requires:
        body["requires"] = [_write_required(r) for r in node.requires]
    _write_rewrites(node, body)
    return body


def _write_request(node: Fetch | BatchFetch, body: Json) -> None:
    if node.variables:
        body["variableUsages"] = list(node.variables)
    body["operationKind"] = node.kind
    if node.operation_name:
        body["operationName"] = node.operation_name
    body["operation"] = node.operation


def _write_rewrites(node: Fetch | BatchPart, body: Json) -> None:
    if node.input_rewrites:
        body["inputRewrites"] = [_write_rewrite(r) for r in node.input_rewrites]
    if node.output_rewrites:
        body["outputRewrites"] = [_write_rewrite(r) for r in node.output_rewrites]


def _write_batch(node: BatchFetch) -> Json:
    body: Json = {"kind": "BatchFetch", "serviceName": node.service}
    _write_request(node, body)
    body["entityBatch"] = {"aliases": [_write_part(part) for part in node.parts]}
    return body


def _write_part(part: BatchPart) -> Json:
    body: Json = {
        "alias": part.alias,
        "representationsVariableName": part.representations,
        "paths": [_write_path(path) for path in part.paths],
        "requires": [_write_required(r) for r in part.requires],
    }
    _write_rewrites(part, body)
    return body


def _write_condition(node: Condition) -> Json:
    body: Json = {"kind": "Condition", "condition": node.variable}
    if node.if_true is not None:
        body["ifClause"] = _write(node.if_true)
    if node.if_false is not None:
        body["elseClause"] = _write(node.if_false)
    return body


def _write_path(path: Path) -> list[Any]:
    return [_write_segment(segment) for segment in path]


def _write_segment(segment: Segment) -> str | Json:
    if isinstance(segment, Key):
        return {"Field": segment.name}
    return "@" if isinstance(segment, Each) else {"TypeCondition": list(segment.names)}


def _write_required(required: Required) -> Json:
    below = [_write_required(r) for r in required.selections]
    if isinstance(required, RequiredOn):
        return {"kind": "InlineFragment", "typeCondition": required.type, "selections": below}
    body: Json = {"kind": "Field", "name": required.name}
    if required.alias:
        body["alias"] = required.alias
    if below:
        body["selections"] = below
    return body


def _write_rewrite(rewrite: Rewrite) -> Json:
    path = [
        {"Key": s.name} if isinstance(s, Key) else {"TypenameEquals": list(s.names)}
        for s in rewrite.path
        if not isinstance(s, Each)
    ]
    if isinstance(rewrite, SetValue):
        return {"ValueSetter": {"path": path, "setValueTo": rewrite.value}}
    return {"KeyRenamer": {"path": path, "renameKeyTo": rewrite.name}}


_WRITERS: dict[type, Callable[[Any], Json]] = {
    Fetch: _write_fetch,
    BatchFetch: _write_batch,
    Flatten: lambda n: {"kind": "Flatten", "path": _write_path(n.path), "node": _write(n.node)},
    Sequence: lambda n: {"kind": "Sequence", "nodes": [_write(c) for c in n.nodes]},
    Parallel: lambda n: {"kind": "Parallel", "nodes": [_write(c) for c in n.nodes]},
    Condition: _write_condition,
    Subscription: lambda n: {"kind": "Subscription", "primary": _write_fetch(n.primary)},
}


def from_json(body: Json) -> QueryPlan:
    """Read a plan from plain JSON data; ValueError for a node this gateway does not run."""
    node = body.get("node")
    return QueryPlan(None if node is None else _read(node))


def _read(body: Json) -> Node:
    reader = _READERS.get(body.get("kind", "Fetch"))
    if reader is None:
        message = f"a plan node of kind {body.get('kind')!r} cannot be run"
        raise ValueError(message)
    return reader(body)


def _read_fetch(body: Json) -> Fetch:
    return Fetch(
        service=body["serviceName"],
        operation=body["operation"],
        kind=body.get("operationKind") or "query",
        variables=tuple(body.get("variableUsages") or ()),
        requires=_read_requires(body.get("requires")),
        input_rewrites=_read_rewrites(body.get("inputRewrites")),
        output_rewrites=_read_rewrites(body.get("outputRewrites")),
        operation_name=body.get("operationName"),
    )


def _read_batch(body: Json) -> BatchFetch:
    return BatchFetch(
        service=body["serviceName"],
        operation=body["operation"],
        parts=tuple(_read_part(part) for part in body["entityBatch"]["aliases"]),
        variables=tuple(body.get("variableUsages") or ()),
        kind=body.get("operationKind") or "query",
        operation_name=body.get("operationName"),
    )


def _read_part(body: Json) -> BatchPart:
    return BatchPart(
        alias=body["alias"],
        representations=body["representationsVariableName"],
        paths=tuple(_read_path(path) for path in body["paths"]),
        requires=_read_requires(body.get("requires")),
        input_rewrites=_read_rewrites(body.get("inputRewrites")),
        output_rewrites=_read_rewrites(body.get("outputRewrites")),
    )


def _read_path(path: list[Any]) -> Path:
    return tuple(_read_segment(segment) for segment in path)


def _read_segment(segment: str | Json) -> Segment:
    if isinstance(segment, str):
        return Each()
    if "Field" in segment or "Key" in segment:
        return Key(segment.get("Field") or segment["Key"])
    return Types(tuple(segment.get("TypeCondition") or segment["TypenameEquals"]))


def _read_requires(body: list[Any] | None) -> Requires:
    return tuple(_read_required(required) for required in body or ())


def _read_required(body: Json) -> Required:
    below = _read_requires(body.get("selections"))
    if body["kind"] == "InlineFragment":
        return RequiredOn(body["typeCondition"], below)
    return RequiredField(body["name"], body.get("alias"), below)


def _read_rewrites(body: list[Any] | None) -> tuple[Rewrite, ...]:
    return tuple(_read_rewrite(rewrite) for rewrite in body or ())


def _read_rewrite(body: Json) -> Rewrite:
    setter = body if body.get("kind") == "ValueSetter" else body.get("ValueSetter")
    if setter is not None:
        return SetValue(_read_path(setter["path"]), setter["setValueTo"])
    renamer = body["KeyRenamer"]
    return RenameKey(_read_path(renamer["path"]), renamer["renameKeyTo"])


def _read_optional(body: Json | None) -> Node | None:
    return None if body is None else _read(body)


_READERS: dict[str, Callable[[Json], Node]] = {
    "Fetch": _read_fetch,
    "BatchFetch": _read_batch,
    "Flatten": lambda b: Flatten(_read_path(b["path"]), _read(b["node"])),
    "Sequence": lambda b: Sequence(tuple(_read(c) for c in b["nodes"])),
    "Parallel": lambda b: Parallel(tuple(_read(c) for c in b["nodes"])),
    "Condition": lambda b: Condition(
        b["condition"], _read_optional(b.get("ifClause")), _read_optional(b.get("elseClause"))
    ),
    "Subscription": lambda b: Subscription(_read_fetch(b["primary"])),
}
