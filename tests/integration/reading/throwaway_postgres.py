"""A PostgreSQL server for one use: its own folder, a local socket and no network, never run as root.

As a program it shows the PostgreSQL copy on a machine where no database is set up yet.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PORT = 54321


def server_programs() -> Path | None:
    """The folder of the newest `initdb` and `pg_ctl`; Debian keeps them off the PATH."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name)
    )
    on_path = shutil.which("initdb")
    if on_path:
        folders.insert(0, Path(on_path).resolve().parent)
    complete = [
        folder
        for folder in folders
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists()
    ]
    return complete[-1] if complete else None


@contextmanager
def running_postgres() -> Iterator[str]:
    """Where the server listens, as libpq wants it; everything is gone at the end."""
    programs = server_programs()
    if programs is None:
        raise RuntimeError("no PostgreSQL server is installed: apt-get install postgresql")
    # Short, because the path of a socket has room for a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    as_user: dict[str, object] = {}
    if os.getuid() == 0:
        # initdb refuses root; Debian's package has brought a user, and else there is nobody.
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def run(program: str, *arguments: str) -> None:
        outcome = subprocess.run(
            [str(programs / program), *arguments],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=(folder / f"{program}.log").open("w"),
            stderr=subprocess.STDOUT,
            check=False,
            **as_user,
        )
        if outcome.returncode != 0:
            raise RuntimeError(f"{program}: {(folder / f'{program}.log').read_text()}")

    try:
        run("initdb", "-D", "data", "-U", "owner", "--auth=trust", "--encoding=UTF8", "--no-sync")
        options = (
            f"-c listen_addresses='' -c unix_socket_directories={folder} -p {PORT} -c fsync=off"
        )
        run("pg_ctl", "-D", "data", "-l", "server.log", "-w", "-o", options, "start")
        try:
            yield f"host={folder} port={PORT} user=owner dbname=postgres"
        finally:
            run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def show() -> None:
    """Fill a throwaway server with the published night, and read it as a BI tool would."""
    import psycopg

    print("RETENTION_POSTGRES is not set, so this is a server that is gone when this ends.")
    with running_postgres() as conninfo:
        subprocess.run(
            [str(Path(sys.executable).with_name("retention")), "publish-postgres"],
            env={**os.environ, "RETENTION_POSTGRES": conninfo},
            check=True,
        )
        with psycopg.connect(conninfo.replace("user=owner", "user=bi_reader")) as reader:
            question = """
                select month_start, active_customers, new_customers, net_refund_dated_amount
                from fct_kpi_months order by month_start desc limit 3
            """
            print("bi_reader asks for the last three months of fct_kpi_months:")
            for row in reader.execute(question):
                print("  " + "  ".join(str(value) for value in row))


if __name__ == "__main__":
    show()
