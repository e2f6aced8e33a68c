"""Column lineage: which columns of which delivered tables a public column is made of, read from the compiled SQL.

dbt knows which model reads which; the columns are found here by parsing what each model runs. A column counts as made
of those that its value is computed from; those that only decide which rows there are (joins, filters, grouping) are
not in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

DIALECT = "duckdb"
Column = tuple[str, str]


@dataclass
class ColumnLineage:
    """For each column of each model the columns it is directly made of; and the models whose SQL could not be read."""

    parents: dict[Column, frozenset[Column]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)

    def origins(self, relation: str, column: str) -> list[Column]:
        """The columns at the end of every chain: those of sources and seeds, or of a model that could not be read."""
        found: set[Column] = set()
        seen: set[Column] = set()
        waiting = [(relation, column)]
        while waiting:
            current = waiting.pop()
            if current in seen:
                continue
            seen.add(current)
            above = self.parents.get(current)
            if above is None:
                found.add(current)
            waiting += above or ()
        return sorted(found - {(relation, column)})


def column_lineage(manifest: Mapping[str, Any], catalog: Mapping[str, Any]) -> ColumnLineage:
    """The lineage of every model that the manifest holds compiled SQL for; types and columns come from the catalog."""
    nodes = {**manifest["nodes"], **manifest["sources"]}
    names = {
        (node["schema"], node.get("identifier") or node["alias"]): _name(node)
        for node in nodes.values()
        if node["resource_type"] in {"model", "seed", "source"}
    }
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for key, entry in {**catalog["nodes"], **catalog["sources"]}.items():
        node = nodes[key]
        columns = {column["name"]: column["type"] for column in entry["columns"].values()}
        schema.setdefault(node["schema"], {})[node.get("identifier") or node["alias"]] = columns
    result = ColumnLineage()
    for node in nodes.values():
        if node["resource_type"] != "model" or not node.get("compiled_code"):
            continue
        try:
            result.parents |= _of_model(node, names, schema)
        except SqlglotError as error:
            result.unread[node["name"]] = str(error).splitlines()[0]
    return result


def _of_model(
    node: Mapping[str, Any],
    names: Mapping[tuple[str, str], str],
    schema: dict[str, dict[str, dict[str, str]]],
) -> dict[Column, frozenset[Column]]:
    query = sqlglot.parse_one(node["compiled_code"], dialect=DIALECT)
    # The catalog names the database by its file, which has no part in where a column comes from.
    for table in query.find_all(exp.Table):
        table.set("catalog", None)
    qualified = qualify(
        query, dialect=DIALECT, schema=schema, validate_qualify_columns=False, identify=False
    )
    scope = build_scope(qualified)
    if scope is None:
        raise SqlglotError(f"{node['name']} is no query")
    found: dict[Column, frozenset[Column]] = {}
    for column in schema.get(node["schema"], {}).get(node["alias"], {}):
        top = lineage(
            column, qualified, schema=schema, scope=scope, dialect=DIALECT, trim_selects=False
        )
        found[(node["name"], column)] = frozenset(_leaves(top, names))
    return found


def _leaves(top: Node, names: Mapping[tuple[str, str], str]) -> set[Column]:
    """Columns of tables at the end of the walk; literals and clocks have none."""
    found = set()
    for node in top.walk():
        if node.downstream or not isinstance(node.expression, exp.Table):
            continue
        relation = names.get((node.expression.db, node.expression.name))
        if relation:
            found.add((relation, node.name.rsplit(".", 1)[-1].strip('"')))
    return found


def _name(node: Mapping[str, Any]) -> str:
    """What people call it: sources by schema and table, models and seeds by name."""
    if node["resource_type"] == "source":
        return f"{node['schema']}.{node['name']}"
    return node["name"]
