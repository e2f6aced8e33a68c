"""`retention`: the commands of daily work. What they do is elsewhere; here are their names, options and words."""

import contextlib
import shutil
import sys
from pathlib import Path

import click

from orchestration.connectors import CONNECTORS, connector_named
from orchestration.contract import ContractError
from orchestration.resources.dbt_manifest import ManifestError, PublicationRefusedError
from orchestration.resources.landing import DeliveryRefused
from orchestration.resources.lock import WriterBusyError
from orchestration.resources.places import landing_of, serving_of, warehouse_of
from orchestration.resources.serving import NothingPublishedError, PostgresError
from orchestration.resources.warehouse import EngineError, NoNightError
from orchestration.science.errors import DataError
from orchestration.settings import PROJECT_DIRECTORY, SettingError, Settings, from_environment

SAMPLE_DIRECTORY = PROJECT_DIRECTORY / "seeds" / "sample"
SHOWN_ROWS = 200
EXAMPLE_QUERY = (
    "select lifecycle_stage, count(*) as customers from fct_customer_segments group by all"
)
# What a person can act on; anything else is a fault of ours and keeps its stack.
EXPECTED_ERRORS = (
    ContractError,
    DataError,
    DeliveryRefused,
    ManifestError,
    NoNightError,
    NothingPublishedError,
    PostgresError,
    PublicationRefusedError,
    SettingError,
    WriterBusyError,
)
pass_settings = click.make_pass_decorator(Settings)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="retention-warehouse")
@click.pass_context
def cli(context: click.Context) -> None:
    """Orders, returns and memberships become tested retention tables, every night.

    Everything lives under RETENTION_DATA (by default data/ in the checkout).
    """
    context.obj = from_environment()


@cli.command()
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Last day of the night; by default the last complete day of the orders.",
)
@click.option("--full-refresh", is_flag=True, help="Build incremental tables from all deliveries.")
@pass_settings
def refresh(settings: Settings, as_of: object, full_refresh: bool) -> None:
    """Run one night: take the inbox, build, score, check, publish."""
    _night(settings, as_of_date=f"{as_of:%Y-%m-%d}" if as_of else None, full_refresh=full_refresh)
    click.echo(f"\nNext: {_own_name()} status")


@cli.command(
    epilog="\b\n" + "\n".join(f"{known.name}: {known.description}" for known in CONNECTORS.values())
)
@click.argument("connector", type=click.Choice(sorted(CONNECTORS)))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@pass_settings
def load(settings: Settings, connector: str, files: tuple[Path, ...]) -> None:
    """Map files of another system onto the source contract."""
    chosen = connector_named(connector)
    refused = 0
    with warehouse_of(settings, on_wait=_say_aside).lock.hold(f"load {connector}"):
        for file in files:
            try:
                for delivery in chosen.deliver(landing_of(settings), file):
                    click.echo(delivery.message)
            except DeliveryRefused as error:
                refused += 1
                click.echo(f"refused: {error}", err=True)
    if refused:
        raise click.ClickException(f"{refused} of {len(files)} files were refused")
    click.echo(f"Next: {_own_name()} refresh")


@cli.command()
@pass_settings
def status(settings: Settings) -> None:
    """Say what is published, what came in, and what was refused or set aside."""
    from orchestration import summary

    landing, serving, warehouse = landing_of(settings), serving_of(settings), warehouse_of(settings)
    _heading("Last night")
    click.echo(_last_night(settings))
    _heading("Published copy")
    click.echo("\n".join(summary.published_lines(serving)))
    _heading("Deliveries")
    click.echo(summary.delivery_lines(landing))
    waiting = [path.name for path in landing.new_files()]
    if waiting:
        click.echo(f"\nIn the inbox and not in landing: {', '.join(waiting)}")

    if writer := warehouse.lock.holder():
        click.echo(f"\nAt work now: {writer}")
    found = summary.health(warehouse, serving)
    if found:
        _heading("Refused files")
        click.echo(found.refusals())
        _heading(f"Quarantine, most frequent reasons (from {found.place})")
        click.echo(found.quarantine())
        _heading("Conservation: landed = staged + superseded + quarantined")
        click.echo(found.conservation())
        _heading("Marts without data")
        click.echo(found.marts_without_data())


@cli.command()
@click.argument("sql")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="A table shows the first rows; csv and json give all.",
)
@pass_settings
def query(settings: Settings, sql: str, form: str) -> None:
    """Ask the published copy one SQL question, read-only."""
    from orchestration.terminal import table_text, write_csv, write_json

    limit = SHOWN_ROWS + 1 if form == "table" else None
    try:
        names, rows = serving_of(settings).query(sql, limit)
    except EngineError as error:
        raise click.ClickException(str(error)) from None
    if form == "csv":
        write_csv(names, rows, sys.stdout)
    elif form == "json":
        write_json(names, rows, sys.stdout)
    else:
        click.echo(table_text(names, rows[:SHOWN_ROWS]))
        if len(rows) > SHOWN_ROWS:
            click.echo("... and more rows: --format csv gives all of them")


@cli.command()
@pass_settings
def docs(settings: Settings) -> None:
    """Build the documentation site: tables, columns and their lineage, metrics, BI tools."""
    from orchestration.documentation.site import build

    click.echo(f"Open {build(settings, say=click.echo)} in a browser; it needs no server.")


@cli.command("publish-postgres")
@pass_settings
def publish_postgres(settings: Settings) -> None:
    """Fill the PostgreSQL copy (RETENTION_POSTGRES) with the night that is published."""
    from orchestration.resources.postgres import publish_to_postgres
    from orchestration.resources.postgres_reader import READER

    if not settings.postgres:
        raise click.ClickException(
            "RETENTION_POSTGRES is not set: give it the database to fill, such as "
            "postgresql://owner@localhost/retention or 'host=/run/postgresql dbname=retention'"
        )
    filled = publish_to_postgres(serving_of(settings), settings.postgres)
    click.echo(
        f"{filled.tables} tables, {filled.rows:,} rows as of {filled.as_of_date} in {filled.place}; "
        f"BI tools connect as {READER}, schema marts"
    )


@cli.command()
@click.option("--parts", is_flag=True, help="Also the numerators and denominators.")
@pass_settings
def metrics(settings: Settings, parts: bool) -> None:
    """List the metrics that can be asked for, with their definitions."""
    from orchestration.resources.metrics import known_metrics

    shown = [metric for metric in known_metrics(settings) if parts or not metric.is_part]
    width = max(len(metric.name) for metric in shown)
    for metric in shown:
        click.echo(f"{metric.name:<{width}}  {metric.description}")
    click.echo(
        f"\nNext: {_own_name()} mf query --metrics {shown[0].name} --group-by metric_time__month"
    )


@cli.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    epilog="For one: mf query --metrics order_count --group-by metric_time__month",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@pass_settings
def mf(settings: Settings, arguments: tuple[str, ...]) -> None:
    """Ask MetricFlow for metrics of the published copy: `mf query`, `mf list`."""
    from orchestration.metrics import COMMANDS, run_metricflow

    commands = [word for word in arguments if not word.startswith("-")]
    if commands and commands[0] not in COMMANDS:
        raise click.ClickException(
            f"mf {commands[0]} works on the project and not on the published copy; "
            f"here are {' and '.join(COMMANDS)}"
        )
    run_metricflow(settings, arguments or ("--help",))


@cli.command()
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
@click.option("--read-only", is_flag=True, help="Show everything, launch nothing.")
@pass_settings
def ui(settings: Settings, port: int, read_only: bool) -> None:
    """Serve Dagster's web pages on this machine, with the nightly schedule switched on."""
    from orchestration.servers import serve

    raise SystemExit(serve(settings, port=port, read_only=read_only, say=click.echo))


@cli.command()
@click.option("--port", type=click.IntRange(1, 65535), default=3001, show_default=True)
@pass_settings
def boards(settings: Settings, port: int) -> None:
    """Serve the boards on this machine, always from the newest published copy."""
    from orchestration.assets.boards import CHARTS_DIRECTORY, STYLE_FILE
    from orchestration.boards.server import BoardServer
    from orchestration.boards.specification import load_boards
    from orchestration.resources.boards import CopyReader

    serving = serving_of(settings)
    serving.current_file()
    style = STYLE_FILE.read_text(encoding="utf-8")
    reader = CopyReader(serving)
    try:
        server = BoardServer(
            port, load_boards(CHARTS_DIRECTORY), style, reader.opened, NothingPublishedError
        )
    except OSError as error:
        raise click.ClickException(f"port {port}: {error.strerror}; name another: --port") from None
    click.echo(f"The boards are on {server.address}; they follow every publish. Ctrl-C ends it.")
    with contextlib.suppress(KeyboardInterrupt), server:
        server.serve_forever()


@cli.command()
@pass_settings
def demo(settings: Settings) -> None:
    """Run a whole night on the sample shop and show its numbers."""
    from orchestration import summary

    copy_sample(settings)
    click.echo(
        f"The sample shop, from its files to a published copy, under {settings.data_directory}:\n"
    )
    _night(settings)
    serving = serving_of(settings)
    _heading("The shop")
    for line in summary.shop_lines(serving):
        click.echo(f"  {line}")
    _heading("Published")
    for line in summary.published_lines(serving):
        click.echo(f"  {line}")
    _heading("Next")
    retention = _own_name()
    for command, purpose in (
        (f"{retention} status", "what came in, what was set aside and why"),
        (f'{retention} query "{EXAMPLE_QUERY}"', "one question to the copy"),
        (f"{retention} load --help", "your own shop's export in place of this one"),
        (
            "make boards",
            "the boards in a browser; without a server they are in serving/boards/current",
        ),
        ("make ui", "the night in Dagster, with its schedule"),
    ):
        click.echo(f"  {command}\n      {purpose}")


@cli.command()
@click.option("--customers", type=click.IntRange(min=1), required=True, help="About how many.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--form", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
@click.option("--seed", type=int, help="Another shop with the same habits.")
def generate(customers: int, out: Path, form: str, seed: int | None) -> None:
    """Write a sample shop of any size into a folder, with its truth beside it."""
    from orchestration.science.sample_shop import Parameters, make

    named = {} if seed is None else {"seed": seed}
    parameters = Parameters(customers=customers, defects=form == "csv", **named)
    files = make(parameters, out, form)
    size = sum(file.stat().st_size for file in files)
    click.echo(f"{len(files)} files, {size / 1e6:.1f} MB, in {out}")


def main() -> None:
    """The command, with errors that a person can act on in one line and exit code 1."""
    try:
        cli()
    except EXPECTED_ERRORS as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(1) from None


def copy_sample(settings: Settings, sample: Path = SAMPLE_DIRECTORY) -> list[Path]:
    """Put the sample shop's files into the inbox, unless the folder is already another shop's."""
    files = sorted(path for path in sample.iterdir() if path.is_file() and path.suffix != ".md")
    if not files:
        raise click.ClickException(f"there is no sample shop in {sample}")
    names = {path.name for path in files}
    landing = landing_of(settings)
    delivered = {m.file for table in landing.contract for m in landing.batches(table.name)}
    foreign = sorted((delivered | {path.name for path in landing.inbox_files()}) - names)
    if foreign:
        raise click.ClickException(
            f"{settings.data_directory} holds another shop's deliveries ({foreign[0]}), and the sample "
            "shop must not mix with them: set RETENTION_DATA to an empty folder for the demo"
        )
    settings.inbox_directory.mkdir(parents=True, exist_ok=True)
    for file in files:
        target = settings.inbox_directory / file.name
        if not target.exists():
            shutil.copy2(file, target)
    return files


def _night(
    settings: Settings, *, as_of_date: str | None = None, full_refresh: bool = False
) -> None:
    from orchestration.night import run_night

    result = run_night(settings, as_of_date=as_of_date, full_refresh=full_refresh)
    if result.is_success:
        return
    click.echo("\nThe night failed.\n", err=True)
    for reason in result.reasons:
        click.echo(f"  {reason}", err=True)
    if result.notice:
        click.echo(f"\n{_standing(settings)}\nNotice: {result.notice}", err=True)
    click.echo(f"Log: {result.log_file}", err=True)
    raise SystemExit(1)


def _standing(settings: Settings) -> str:
    from orchestration.notices import what_stands

    return what_stands(serving_of(settings))


def _last_night(settings: Settings) -> str:
    if not (settings.dagster_directory / "dagster.yaml").exists():
        return "there was none yet: run `retention refresh`"
    from orchestration.night import last_night

    return last_night(settings)


def _own_name() -> str:
    """What to type for this command: its name where the shell finds it, else its path from here."""
    if shutil.which("retention"):
        return "retention"
    own = Path(sys.executable).with_name("retention")
    return str(own.relative_to(Path.cwd())) if own.is_relative_to(Path.cwd()) else str(own)


def _say_aside(text: str) -> None:
    click.echo(text, err=True)


def _heading(text: str) -> None:
    click.echo(f"\n{text}\n{'-' * len(text)}")


if __name__ == "__main__":
    main()
