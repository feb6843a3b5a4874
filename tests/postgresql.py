"""A PostgreSQL of the tests' own: ``python -m tests.postgresql [pytest's arguments]`` runs tests on one.

The server is thrown away afterwards; it needs PostgreSQL's programs, no running server and no rights. Where a test asks
for a ``store``, a database is copied for it, as the file of SQLite is copied otherwise.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

SERVER = os.environ.get("MODELOPS_TEST_POSTGRESQL", "")
SQLITE_ALONE = pytest.mark.skipif(bool(SERVER), reason="about SQLite alone")
_LOGIN = "modelops"
_NUMBERS = count(1)


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; the newest where there are several."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return debian[-1].parent if debian else None


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run a new server in ``folder``; yield its address, without the name of a database."""
    bin_, data = programs(), folder / "data"
    assert bin_ is not None
    # The server refuses to run for root.
    user = ("postgres" if _known("postgres") else "nobody") if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        command = [str(bin_ / program), "-D", str(data), *arguments]
        with (folder / f"{program}.txt").open("ab") as printed:
            subprocess.run(command, check=True, user=user, cwd=folder, stdout=printed, stderr=subprocess.STDOUT)

    run("initdb", "--auth=trust", f"--username={_LOGIN}", "--encoding=UTF8", "--locale=C", "--no-sync")
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.write("fsync = off\nlisten_addresses = ''\nmax_connections = 300\n")
        configuration.write(f"unix_socket_directories = '{folder}'\n")
    run("pg_ctl", "--wait", f"--log={folder / 'log.txt'}", "start")
    try:
        yield f"postgresql+psycopg://{_LOGIN}@/{{database}}?host={folder}"
    finally:
        run("pg_ctl", "--wait", "--mode=immediate", "stop")


def made(server: str, fill: Callable[[str], None] | None = None, *, template: str = "template0") -> str:
    """Make a database like ``template``, then filled by ``fill``, which gets its address; return its name."""
    name = f"test_{os.getpid()}_{next(_NUMBERS)}"
    _command(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    if fill is not None:
        fill(server.format(database=name))
    return name


def dropped(server: str, name: str) -> None:
    """Drop a database, whoever is still connected."""
    _command(server, f"DROP DATABASE {name} WITH (FORCE)")


def _command(server: str, statement: str) -> None:
    import psycopg

    address = server.format(database="postgres").replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement.encode())


def _known(user: str) -> bool:
    import pwd

    with contextlib.suppress(KeyError):
        return bool(pwd.getpwnam(user))
    return False


def main() -> int:
    """Run pytest with these arguments, every store in a database of a new server."""
    if programs() is None:
        print("PostgreSQL's programs (initdb, pg_ctl) are not installed here: nothing was tested on it.")
        return 0
    with tempfile.TemporaryDirectory(prefix="modelops-postgresql-") as folder, running(Path(folder)) as server:
        command = [sys.executable, "-m", "pytest", *sys.argv[1:]]
        return subprocess.run(command, check=False, env=os.environ | {"MODELOPS_TEST_POSTGRESQL": server}).returncode


if __name__ == "__main__":
    sys.exit(main())
