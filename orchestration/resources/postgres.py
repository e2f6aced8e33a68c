"""A copy of the published night in PostgreSQL, for BI tools with many seats. It is filled here; no server is started.

One transaction deletes and copies every table anew. Readers in REPEATABLE READ therefore see one whole night, whether
they began before or after; TRUNCATE, or new tables under the old names, would look empty to those who began before.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import psycopg
import pyarrow as pa
import pyarrow.csv
from psycopg import sql

from orchestration.resources.postgres_reader import let_read, refuse_a_reader_who_can_more
from orchestration.resources.serving import (
    PUBLICATION_TABLE,
    RUN_COLUMN,
    SCHEMA,
    PostgresError,
    ServingFolder,
)
from orchestration.resources.warehouse import Connection, open_engine, quoted

# Same numbers on both sides: exact where the mart is exact.
_TYPES = {
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DOUBLE": "double precision",
    "FLOAT": "real",
    "HUGEINT": "numeric(39, 0)",
    "INTEGER": "integer",
    "SMALLINT": "smallint",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "TINYINT": "smallint",
    "VARCHAR": "text",
}
_ROWS_PER_BATCH = 100_000
# Any number of our own: two publishes at once would wait for each other's rows until one fails.
_LOCK = 731_205
# A new column waits until nobody reads the table, and whoever comes later waits behind it.
LOCK_TIMEOUT = "30s"
_CSV = pa.csv.WriteOptions(include_header=False, quoting_style="all_valid")

Say = Callable[[int, int, str], None]
Session = psycopg.Connection


@dataclass(frozen=True)
class Table:
    """One table as PostgreSQL shall hold it."""

    name: str
    columns: Mapping[str, str]
    comment: str | None
    column_comments: Mapping[str, str]


@dataclass(frozen=True)
class Filled:
    """What a publish put there."""

    place: str
    as_of_date: date
    tables: int
    rows: int


def publish_to_postgres(
    serving: ServingFolder, conninfo: str, say: Say = lambda done, total, name: None
) -> Filled:
    """Replace everything in schema `marts` by the night that is published now, in one transaction."""
    file = serving.current_file()
    with (
        open_engine(file, read_only=True, settings={"enable_external_access": "false"}) as copy,
        _session(conninfo) as session,
    ):
        tables = _tables(copy)
        with session.transaction():
            session.execute(sql.SQL("set local lock_timeout = {}").format(LOCK_TIMEOUT))
            _refuse_a_second_publish(session)
            session.execute(
                sql.SQL("create schema if not exists {}").format(sql.Identifier(SCHEMA))
            )
            _drop_what_is_no_longer_published(session, tables)
            rows = 0
            for done, table in enumerate(tables):
                say(done, len(tables), table.name)
                _shape(session, table)
                rows += _replace(session, copy, table)
                _describe(session, table)
            let_read(session)
            refuse_a_reader_who_can_more(session)
        # Deleted rows are gone for readers and not from the disk, and the planner knows nothing of the new ones.
        session.autocommit = True
        for table in tables:
            session.execute(sql.SQL("vacuum (analyze) {}").format(_relation(table.name)))
        [(as_of_date,)] = copy.execute(
            f"select as_of_date from {SCHEMA}.{PUBLICATION_TABLE}"
        ).fetchall()
        info = session.info
        place = f"{info.dbname} on {info.host or 'the local socket'}, port {info.port}"
        return Filled(place, as_of_date, len(tables), rows)


@contextmanager
def _session(conninfo: str) -> Iterator[Session]:
    """A connection whose errors are in words that name no password."""
    try:
        with psycopg.connect(
            conninfo, application_name="retention publish", connect_timeout=10
        ) as session:
            yield session
    except psycopg.OperationalError as error:
        raise PostgresError(
            f"PostgreSQL did not answer or broke off: {_first_line(error)}. RETENTION_POSTGRES says where it is; "
            "what readers saw before, they still see"
        ) from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise PostgresError(
            f"the user of RETENTION_POSTGRES may not do this: {_first_line(error)}. It must own the database; nothing "
            "was changed"
        ) from None
    except psycopg.Error as error:
        raise PostgresError(
            f"PostgreSQL refused: {_first_line(error)}. Nothing was changed"
        ) from None


def _tables(copy: Connection) -> list[Table]:
    """The tables of the published copy, with the comments that they carry there."""
    comments = dict(
        copy.execute(
            f"select table_name, comment from duckdb_tables() where schema_name = '{SCHEMA}'"
        ).fetchall()
    )
    columns: dict[str, list[tuple[str, str, str | None]]] = {name: [] for name in sorted(comments)}
    for table, column, data_type, comment in copy.execute(
        f"""
        select table_name, column_name, data_type, comment from duckdb_columns()
        where schema_name = '{SCHEMA}' order by table_name, column_index
        """
    ).fetchall():
        columns[table].append((column, data_type, comment))
    return [
        Table(
            name=name,
            columns={
                column: _postgres_type(name, column, data_type) for column, data_type, _ in found
            },
            comment=comments[name],
            column_comments={column: comment for column, _, comment in found if comment},
        )
        for name, found in columns.items()
    ]


def _postgres_type(table: str, column: str, data_type: str) -> str:
    if data_type.startswith("DECIMAL("):
        return "numeric" + data_type.removeprefix("DECIMAL")
    if data_type not in _TYPES:
        raise PostgresError(
            f"{table}.{column} has the type {data_type}, for which the PostgreSQL copy has none: cast it in the "
            f"mart to one of {', '.join(sorted(_TYPES))} or DECIMAL"
        )
    return _TYPES[data_type]


def _refuse_a_second_publish(session: Session) -> None:
    [(is_free,)] = session.execute("select pg_try_advisory_xact_lock(%s)", [_LOCK]).fetchall()
    if not is_free:
        raise PostgresError("another publish fills this database now; let it end and start again")


def _drop_what_is_no_longer_published(session: Session, tables: Sequence[Table]) -> None:
    """Tables of ours (they carry the run) that this night does not have; what others made there is theirs."""
    names = [table.name for table in tables]
    for (name,) in session.execute(
        """
        select table_name from information_schema.columns join information_schema.tables
            using (table_schema, table_name)
        where table_schema = %s and column_name = %s and table_type = 'BASE TABLE' and table_name <> all (%s)
        """,
        [SCHEMA, RUN_COLUMN, names],
    ).fetchall():
        session.execute(sql.SQL("drop table {}").format(_relation(name)))


def _shape(session: Session, table: Table) -> None:
    """Make the table, or add and drop columns; rows that an open snapshot still reads stay where they are."""
    there = dict(
        session.execute(
            """
            select attname, format_type(atttypid, atttypmod) from pg_attribute
            where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
            """,
            [f"{quoted(SCHEMA)}.{quoted(table.name)}"],
        ).fetchall()
    )
    if not there:
        columns = sql.SQL(", ").join(map(_column, table.columns, table.columns.values()))
        session.execute(sql.SQL("create table {} ({})").format(_relation(table.name), columns))
        return
    wanted = {name: _spelled(session, data_type) for name, data_type in table.columns.items()}
    # A column of another type is a new one: rewriting the old in place would empty the table for open snapshots.
    changes = [
        sql.SQL("drop column {}").format(sql.Identifier(name))
        for name, data_type in there.items()
        if wanted.get(name) != data_type
    ]
    changes += [
        sql.SQL("add column {}").format(_column(name, table.columns[name]))
        for name, data_type in wanted.items()
        if there.get(name) != data_type
    ]
    if changes:
        session.execute(
            sql.SQL("alter table {} {}").format(_relation(table.name), sql.SQL(", ").join(changes))
        )


def _spelled(session: Session, data_type: str) -> str:
    """A type as PostgreSQL itself spells it."""
    base, _, modifier = data_type.partition("(")
    [(name,)] = session.execute("select format_type(to_regtype(%s), null)", [base]).fetchall()
    return f"{name}({modifier.replace(' ', '')}" if modifier else name


def _replace(session: Session, copy: Connection, table: Table) -> int:
    session.execute(sql.SQL("delete from {}").format(_relation(table.name)))
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
        _relation(table.name), sql.SQL(", ").join(map(sql.Identifier, table.columns))
    )
    names = ", ".join(map(quoted, table.columns))
    batches = copy.sql(f"select {names} from {SCHEMA}.{quoted(table.name)}").to_arrow_reader(
        _ROWS_PER_BATCH
    )
    sent = 0
    with session.cursor() as cursor:
        with cursor.copy(statement) as stream:
            for batch in batches:
                sent += batch.num_rows
                text = io.BytesIO()
                pa.csv.write_csv(pa.Table.from_batches([batch]), text, _CSV)
                stream.write(text.getvalue())
        received = cursor.execute(
            sql.SQL("select count(*) from {}").format(_relation(table.name))
        ).fetchone()
    if received != (sent,):
        raise PostgresError(
            f"{table.name} has {sent:,} rows and PostgreSQL holds {received}: another session writes into schema "
            f"{SCHEMA}, or a trigger or rule changes what is copied; nothing was changed"
        )
    return sent


def _describe(session: Session, table: Table) -> None:
    """Words that are there already are left alone: each comment is a row of the catalog, every night."""
    there: dict[str | None, str | None] = dict(
        session.execute(
            """
            select attname, col_description(attrelid, attnum) from pg_attribute
            where attrelid = to_regclass(%(table)s) and attnum > 0 and not attisdropped
            union all
            select null, obj_description(to_regclass(%(table)s))
            """,
            {"table": f"{quoted(SCHEMA)}.{quoted(table.name)}"},
        ).fetchall()
    )
    relation = _relation(table.name)
    if there[None] != table.comment:
        session.execute(
            sql.SQL("comment on table {} is {}").format(relation, sql.Literal(table.comment))
        )
    for column in table.columns:
        comment = table.column_comments.get(column)
        if there[column] != comment:
            session.execute(
                sql.SQL("comment on column {}.{} is {}").format(
                    relation, sql.Identifier(column), sql.Literal(comment)
                )
            )


def _relation(name: str) -> sql.Composed:
    return sql.SQL("{}.{}").format(sql.Identifier(SCHEMA), sql.Identifier(name))


def _column(name: str, data_type: str) -> sql.Composed:
    return sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(data_type))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
