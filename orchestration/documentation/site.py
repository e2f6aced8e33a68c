"""The documentation site in the data folder: pages that need no server and load nothing from elsewhere.

docs/index.html            where to begin
docs/metrics.html          the metric dictionary
docs/marts_<family>.html   a family of tables: a question it answers, its SQL, and every column with what it is made of
docs/bi.html               how BI tools connect
docs/dbt.html              dbt's own pages in one file: every model, its code, its tests, and the graph
"""

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from orchestration.documentation.lineage import ColumnLineage, column_lineage
from orchestration.resources.dbt_manifest import ManifestError, dbt_executable, night_variables
from orchestration.resources.places import warehouse_of
from orchestration.settings import PROJECT_DIRECTORY, Settings

FAMILY_PAGES = Path("docs/marts")
_SHORT = {"clv": "CLV", "kpi": "KPI"}
# Further pages of the checkout, by their name on the site.
PAGES = {"metrics": Path("docs/metrics.md"), "bi": Path("docs/bi.md")}
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 72rem; margin: 0 auto; padding: 1rem; }
nav { border-bottom: 1px solid #ccc; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; list-style: none; margin: 0; padding: 0 0 0.6rem; }
nav a[aria-current] { color: #1a1a1a; font-weight: 600; text-decoration: none; }
main { overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; overflow-wrap: normal; }
th, td { border: 1px solid #ccc; padding: 0.3rem 0.5rem; text-align: left; vertical-align: top; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.85rem; }
pre { background: #f4f4f4; padding: 0.75rem; overflow-x: auto; }
summary { cursor: pointer; font-weight: 600; padding: 0.25rem 0; }
/* A link to a table opens it, so its mark is inside; the name above stays in sight. */
details > div { scroll-margin-top: 2.5rem; }
a { color: #0a4f9c; }
"""


def build(settings: Settings, say: Callable[[str], None] = lambda text: None) -> Path:
    """Build the site from the project and the warehouse as they are; returns its first page."""
    site = settings.data_directory / "docs"
    site.mkdir(parents=True, exist_ok=True)
    say("dbt compiles the models and reads their columns ...")
    manifest, catalog = _dbt_docs(settings, site)
    say("following every column to where it came from ...")
    lineage = column_lineage(manifest, catalog)
    for model, reason in sorted(lineage.unread.items()):
        say(f"  {model} is not in the column lineage: {reason}")
    write_pages(site, manifest, lineage)
    return site / "index.html"


def write_pages(site: Path, manifest: Mapping[str, Any], lineage: ColumnLineage) -> None:
    """Every page but dbt's own."""
    families = _families(manifest)
    links = {"index": "Start", "metrics": "Metrics", "bi": "BI tools", "dbt": "Models"}
    links |= {f"marts_{family}": _title(family) for family in families}
    for name, source in PAGES.items():
        _write(site, name, _rendered(source, links), links)
    for family, models in families.items():
        words = _rendered(FAMILY_PAGES / f"{family}.md", links)
        tables = "".join(_table(model, lineage) for model in models)
        _write(site, f"marts_{family}", f"{words}<h2>Columns</h2>{tables}", links)
    _write(site, "index", _start(families), links)


def _dbt_docs(settings: Settings, site: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """dbt's pages in one file, and the manifest and catalog behind them."""
    warehouse = warehouse_of(settings)
    variables = night_variables(settings, warehouse.night().as_of_date)
    # A target of its own: what the night keeps in the other one stays as the night left it.
    target = site / "dbt_target"
    with warehouse.lock.hold("docs"):
        finished = subprocess.run(
            [
                *(
                    dbt_executable(),
                    "docs",
                    "generate",
                    "--static",
                    "--vars",
                    json.dumps(variables),
                ),
                # Compiling the tests takes longer than all the models and shows nothing.
                *("--exclude", "resource_type:test", "resource_type:unit_test"),
            ],
            cwd=PROJECT_DIRECTORY,
            env={**os.environ, **settings.environment(), "DBT_TARGET_PATH": str(target)},
            capture_output=True,
            text=True,
            check=False,
        )
    if finished.returncode != 0:
        raise ManifestError(
            "dbt could not write its pages; its own words:\n\n"
            + "\n".join((finished.stdout + finished.stderr).splitlines()[-30:])
        )
    (target / "static_index.html").replace(site / "dbt.html")
    found = tuple(
        json.loads((target / f"{name}.json").read_text()) for name in ("manifest", "catalog")
    )
    shutil.rmtree(target)
    return found[0], found[1]


def _families(manifest: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """The public models of each folder below models/marts, by name; folders in the order of the flow."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    for model in sorted(models, key=lambda model: model["original_file_path"]):
        if model["original_file_path"].startswith("models/marts/"):
            found.setdefault(Path(model["original_file_path"]).parent.name, []).append(model)
    flow = [group["name"] for group in manifest["groups"].values()]
    place = {family: flow.index(models[0]["config"]["group"]) for family, models in found.items()}
    return dict(sorted(found.items(), key=lambda item: place[item[0]]))


def _table(model: Mapping[str, Any], lineage: ColumnLineage) -> str:
    rows = "".join(
        "<tr>"
        f"<td><code>{html.escape(name)}</code></td><td>{html.escape(column['data_type'] or '')}</td>"
        f"<td>{_inline(column['description'])}</td>"
        f"<td>{_made_of(lineage, model['name'], name)}</td></tr>"
        for name, column in model["columns"].items()
    )
    return (
        f"<details><summary>{model['name']}</summary><div id='{model['name']}'>{_markdown(model['description'])}"
        f"{_scrolled('Columns of ' + model['name'])}<table><tr><th>column</th><th>type</th><th>what it says</th>"
        f"<th>made of</th></tr>{rows}</table></div></div></details>"
    )


def _scrolled(label: str) -> str:
    """The opening of a box that scrolls sideways; the keyboard reaches it, so it has a name."""
    return f"<div class='scroll' tabindex='0' role='group' aria-label='{html.escape(label)}'>"


def _made_of(lineage: ColumnLineage, model: str, column: str) -> str:
    """The delivered columns at the end, and the nearest ones on the way."""
    if (model, column) not in lineage.parents:
        return "not known"
    origins = _listed(lineage.origins(model, column))
    nearest = _listed(sorted(lineage.parents[model, column]))
    if not nearest:
        return "counts rows, or is written in the SQL"
    return f"{origins or 'counts rows'}<br><small>by way of {nearest}</small>"


def _listed(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(
        f"<code>{html.escape(relation)}.{html.escape(name)}</code>" for relation, name in columns
    )


def _start(families: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    items = "".join(
        f"<li><a href='marts_{family}.html'>{_title(family)}</a>: "
        + ", ".join(f"<a href='marts_{family}.html#{m['name']}'>{m['name']}</a>" for m in models)
        + "</li>"
        for family, models in families.items()
    )
    return (
        "<h1>Retention warehouse</h1><p>What the tables of the published copy say, and what they are made of.</p>"
        f"<ul>{items}</ul><p><a href='metrics.html'>What each number means</a>, and who means something else by it. "
        "<a href='bi.html'>How BI tools connect</a>. <a href='dbt.html'>All models with their code, tests and "
        "graph</a> (dbt's own pages).</p>"
    )


def _write(site: Path, name: str, content: str, links: Mapping[str, str]) -> None:
    menu = "".join(
        f"<li><a href='{page}.html'{' aria-current=page' if page == name else ''}>{title}</a></li>"
        for page, title in links.items()
    )
    (site / f"{name}.html").write_text(
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{html.escape(links[name])} - retention warehouse</title><style>{STYLE}</style></head>"
        f"<body><nav aria-label='Pages'><ul>{menu}</ul></nav><main>{content}</main></body></html>\n",
        encoding="utf-8",
    )


def _rendered(file: Path, links: Mapping[str, str]) -> str:
    """A page of the checkout; its links lead to pages of the site, or are no links where it has no such page."""

    def on_the_site(link: re.Match[str]) -> str:
        stem, words = Path(link["page"]).stem, link["words"]
        page = next((name for name in (stem, f"marts_{stem}") if name in links), None)
        return f'<a href="{page}.html">{words}</a>' if page else words

    source = (PROJECT_DIRECTORY / file).read_text(encoding="utf-8")
    text = _markdown(re.sub(r"\A<!--.*?-->\s*", "", source))
    return re.sub(r'<a href="(?P<page>[^":]+\.md)">(?P<words>.*?)</a>', on_the_site, text)


def _title(family: str) -> str:
    return _SHORT.get(family, family.replace("_", " ").capitalize())


def _markdown(text: str) -> str:
    text = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    text = text.replace("<pre>", "<pre tabindex='0'>")
    return text.replace("<table>", f"{_scrolled('Table')}<table>").replace(
        "</table>", "</table></div>"
    )


def _inline(text: str) -> str:
    return MarkdownIt("commonmark", {"html": False}).renderInline(text)
