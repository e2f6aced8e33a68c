"""The command line: its words, its refusals, and the tables it prints. Whole nights are in tests/integration."""

import io
import json
import socket
from datetime import date
from decimal import Decimal

import pytest
from click.testing import CliRunner

from orchestration import servers
from orchestration.cli import cli, copy_sample, main
from orchestration.night import run_config
from orchestration.resources.dbt_manifest import PublicTable
from orchestration.resources.places import serving_of
from orchestration.resources.warehouse import Night, open_engine
from orchestration.settings import from_environment
from orchestration.terminal import TerminalProgress, table_text, write_csv, write_json


@pytest.fixture
def data(tmp_path, monkeypatch):
    """An empty data folder that the commands work on."""
    monkeypatch.setenv("RETENTION_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def published(data):
    """A published copy with 1,000 orders of 2 each."""
    warehouse = data / "warehouse.duckdb"
    data.mkdir(parents=True)
    with open_engine(warehouse) as connection:
        connection.execute(
            "create schema marts; create table marts.fct_orders as select"
            " range as order_id, cast(2 as decimal(18, 2)) as net_amount from range(1000)"
        )
    tables = [PublicTable("fct_orders", ("order_id", "net_amount"))]
    folder = serving_of(from_environment({"RETENTION_DATA": str(data)}))
    folder.publish(warehouse, tables, Night("run", date(2025, 12, 31), "UTC"))
    return folder


def run(*arguments: str):
    return CliRunner().invoke(cli, arguments)


@pytest.mark.parametrize(
    "command", ["refresh", "load", "status", "query", "metrics", "ui", "demo", "generate"]
)
def test_every_command_explains_itself(data, command):
    outcome = run(command, "--help")
    assert outcome.exit_code == 0
    assert "Usage: " in outcome.output


def test_an_unknown_setting_ends_the_command_in_one_line(data, monkeypatch, capsys):
    monkeypatch.setenv("RETENTION_LAPSE_DAY", "90")
    monkeypatch.setattr("sys.argv", ["retention", "status"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    message = capsys.readouterr().err
    assert message.startswith("Error: RETENTION_LAPSE_DAY is not a setting")
    assert "Traceback" not in message


def test_a_query_before_the_first_night_says_what_to_type(data, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["retention", "query", "select 1"])
    with pytest.raises(SystemExit):
        main()
    assert "retention refresh" in capsys.readouterr().err


def test_a_query_reads_the_marts_without_their_schema(published):
    outcome = run("query", "select sum(net_amount) as total from fct_orders")
    assert outcome.exit_code == 0, outcome.output
    assert outcome.output.split() == ["total", "-------", "2000.00"]


@pytest.mark.parametrize(
    "sql",
    [
        "delete from fct_orders",
        "create table marts.mine as select 1",
        "copy fct_orders to '/tmp/stolen.csv'",
        "select * from read_csv('/etc/passwd')",
        "attach '/tmp/other.duckdb'",
        "set enable_external_access = true",
    ],
)
def test_a_query_can_neither_write_nor_reach_another_file(published, sql):
    outcome = run("query", sql)
    assert outcome.exit_code == 1
    assert "Error" in outcome.output


def test_a_table_stops_at_its_first_rows_and_csv_gives_all(published):
    shown = run("query", "select order_id from fct_orders").output.splitlines()
    assert len(shown) == 200 + 3
    assert "csv" in shown[-1]
    assert len(run("query", "from fct_orders", "--format", "csv").output.splitlines()) == 1001


def test_the_demo_does_not_mix_with_another_shops_deliveries(data):
    (data / "inbox").mkdir(parents=True)
    (data / "inbox" / "orders_of_mine.csv").write_text("order_id\n1\n")
    outcome = run("demo")
    assert outcome.exit_code == 1
    assert "orders_of_mine.csv" in outcome.output
    assert "RETENTION_DATA" in outcome.output


def test_the_sample_is_copied_once(data, tmp_path):
    sample = tmp_path / "sample"
    sample.mkdir()
    (sample / "orders.csv").write_text("order_id\n1\n")
    (sample / "README.md").write_text("about the sample")
    settings = from_environment({"RETENTION_DATA": str(data)})
    for _ in range(2):
        copy_sample(settings, sample)
    assert [path.name for path in settings.inbox_directory.iterdir()] == ["orders.csv"]


def test_a_refused_file_ends_load_with_its_reason(data, tmp_path):
    file = tmp_path / "orders.csv"
    file.write_text("order_id\n1\n")
    outcome = run("load", "contract", str(file))
    assert outcome.exit_code == 1
    assert "orders.csv" in outcome.output
    assert "ordered_at" in outcome.output


def test_a_loaded_file_is_told_and_loading_it_again_changes_nothing(data, tmp_path):
    file = tmp_path / "orders.csv"
    file.write_text("order_id,customer_id,ordered_at,total_amount\n1,C1,2025-01-01,5\n")
    assert "1 rows to orders" in run("load", "contract", str(file)).output
    assert "already delivered" in run("load", "contract", str(file)).output


def test_an_unknown_connector_is_refused_with_the_known_ones(data):
    outcome = run("load", "shopware", "orders.csv")
    assert outcome.exit_code == 2
    assert "online-retail-ii" in outcome.output


def test_the_options_of_refresh_reach_the_steps_that_read_them():
    assert run_config(as_of_date=None, full_refresh=False) == {}
    both = run_config(as_of_date="2025-06-30", full_refresh=True)["ops"]
    assert both["landing"] == {"config": {"as_of_date": "2025-06-30"}}
    assert both["foundation"] == both["marts"] == {"config": {"full_refresh": True}}


def test_the_servers_listen_on_this_machine_alone():
    for name, command in servers.commands(3000, read_only=False).items():
        hosts = [word for place, word in enumerate(command) if command[place - 1] == "-h"]
        assert hosts == (["127.0.0.1"] if name == "webserver" else []), name
        assert "0.0.0.0" not in command
    assert "--read-only" in servers.commands(3000, read_only=True)["webserver"]


def test_boards_before_the_first_night_say_what_to_type(data, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["retention", "boards"])
    with pytest.raises(SystemExit):
        main()
    assert "run `retention refresh`" in capsys.readouterr().err


def test_boards_on_a_port_that_is_taken_ask_for_another(published):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        outcome = CliRunner().invoke(cli, ["boards", "--port", port])
    assert outcome.exit_code == 1
    assert f"port {port}" in outcome.output
    assert "name another: --port" in outcome.output


def test_numbers_stand_to_the_right_and_text_to_the_left():
    text = table_text(("name", "rows"), [("orders", 5), (None, None), ("refunds", 12345)])
    assert text.splitlines() == [
        "name      rows",
        "-------  -----",
        "orders       5",
        "",
        "refunds  12345",
    ]


def test_csv_and_json_keep_amounts_and_days_exact():
    row = (Decimal("1234567890123456.78"), date(2025, 12, 31), None, "é")
    names = ("amount", "day", "nothing", "text")
    stream = io.StringIO()
    write_csv(names, [row], stream)
    assert stream.getvalue().splitlines()[1] == "1234567890123456.78,2025-12-31,,é"
    stream = io.StringIO()
    write_json(names, [row], stream)
    assert json.loads(stream.getvalue()) == {
        "amount": "1234567890123456.78",
        "day": "2025-12-31",
        "nothing": None,
        "text": "é",
    }


def test_a_step_is_one_line_with_its_time_and_a_failed_one_says_so():
    stream = io.StringIO()
    progress = TerminalProgress(stream)
    with progress.step("landing") as step:
        step.count(1, 2, "not for a file")
        step.result("3 new deliveries")
    with pytest.raises(ZeroDivisionError), progress.step("marts"):
        raise ZeroDivisionError
    first, second = stream.getvalue().splitlines()
    assert first.split()[0] == "landing"
    assert first.endswith("s  3 new deliveries")
    assert second.endswith("FAILED")
