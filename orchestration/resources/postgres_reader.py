"""Who reads the PostgreSQL copy: one role that can read the marts, and is refused where it could do more."""

from functools import partial

import psycopg
from psycopg import sql

from orchestration.resources.serving import SCHEMA, PostgresError

Session = psycopg.Connection

READER = "bi_reader"
# What a session of the reader starts with. A reader may change these for itself, so they keep it from accidents; what
# it may touch at all is a matter of grants.
READER_SETTINGS = {
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "repeatable read",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "10min",
    "search_path": SCHEMA,
}


def let_read(session: Session) -> None:
    """The reader: made where it is missing, with its settings, and with the marts and nothing else."""
    reader, schema = sql.Identifier(READER), sql.Identifier(SCHEMA)
    database = sql.Identifier(session.info.dbname)
    missing = _missing_of_the_reader(session)
    try:
        for statement in missing:
            session.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        words = "; ".join(statement.as_string(session) for statement in missing)
        raise PostgresError(
            "the user of RETENTION_POSTGRES may not make roles, so a superuser must once run, in this database: "
            + words
        ) from None
    for statement in (
        # What everybody has by default, the reader would have too.
        "revoke create, temporary on database {database} from public",
        "revoke create on schema public from public",
        "revoke create on schema {schema} from public",
        "grant connect on database {database} to {reader}",
        "grant usage on schema {schema} to {reader}",
        "grant select on all tables in schema {schema} to {reader}",
    ):
        session.execute(sql.SQL(statement).format(database=database, schema=schema, reader=reader))


def _missing_of_the_reader(session: Session) -> list[sql.Composed]:
    """The role and those of its settings that are not there yet; only who may make roles can add them."""
    reader, database = sql.Identifier(READER), sql.Identifier(session.info.dbname)
    exists = session.execute("select 1 from pg_roles where rolname = %s", [READER]).fetchall()
    [(there,)] = session.execute(
        """
        select coalesce(max(setconfig), '{}') from pg_db_role_setting
        where setrole = to_regrole(%s) and setdatabase = (
            select oid from pg_database where datname = current_database()
        )
        """,
        [READER],
    ).fetchall()
    missing = [] if exists else [sql.SQL("create role {} login").format(reader)]
    missing += [
        sql.SQL("alter role {} in database {} set {} = {}").format(
            reader, database, sql.SQL(name), sql.Literal(value)
        )
        for name, value in READER_SETTINGS.items()
        if f"{name}={value}" not in there
    ]
    return missing


def refuse_a_reader_who_can_more(session: Session) -> None:
    """A grant of somebody else's making, or a right that we could not take back, would open what must stay shut."""
    ask = partial(session.execute, params={"reader": READER, "schema": SCHEMA})
    found = [
        f"is {name}"
        for (name,) in ask(
            """
            select right_name from pg_roles, lateral (values
                ('a superuser', rolsuper), ('allowed to create roles', rolcreaterole),
                ('allowed to create databases', rolcreatedb), ('allowed to replicate', rolreplication)
            ) as rights (right_name, has_it) where rolname = %(reader)s and has_it
            """
        )
    ]
    found += [
        f"may {right} in this database"
        for (right,) in ask(
            """
            select lower(right_name) from unnest(array['CREATE', 'TEMPORARY']) as right_name
            where has_database_privilege(%(reader)s, current_database(), right_name)
            """
        )
    ]
    found += [
        f"may create in schema {name}"
        for (name,) in ask(
            """
            select nspname from pg_namespace
            where has_schema_privilege(%(reader)s, oid, 'CREATE') and nspname !~ '^pg_'
            """
        )
    ]
    found += [
        f"may {right} {name}"
        for right, name in ask(
            """
            select lower(right_name), pg_class.oid::regclass from pg_class
            join pg_namespace on pg_namespace.oid = relnamespace
            cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) as right_name
            where relkind in ('r', 'v', 'm', 'f', 'p')
                and nspname !~ '^pg_' and nspname <> 'information_schema'
                and not (nspname = %(schema)s and right_name = 'SELECT')
                and has_schema_privilege(%(reader)s, pg_namespace.oid, 'USAGE')
                and has_table_privilege(%(reader)s, pg_class.oid, right_name)
            """
        )
    ]
    if found:
        raise PostgresError(
            f"{READER} could do more than read {SCHEMA}: it {'; it '.join(sorted(found)[:5])}. Take that right away, "
            "or let RETENTION_POSTGRES name the owner of a database of its own, then publish again; nothing was changed"
        )
