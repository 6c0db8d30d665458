"""Debian's PostgreSQL and PgBouncer, as a hosted application runs them, for the tests of a session.

PgBouncer pools transactions and demands TLS. Each test module gets a database of its own, copied
from a template; roles belong to the cluster.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from trainfold.stack.loopback import LOOPBACK, choose_ports

SUPERUSER = "superuser"
START_SECONDS = 30
PATH = f"{os.defpath}:/usr/sbin:/usr/local/bin"


def programs() -> Path | None:
    """Return the folder of Debian's newest PostgreSQL programs; None if one is missing."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_major_version)
    complete = folders and shutil.which("pgbouncer", path=PATH) and shutil.which("openssl")
    return folders[-1] if complete else None


def _major_version(folder: Path) -> int:
    return int(folder.parent.name)


def _as_ordinary_user() -> dict[str, Any]:
    """Return arguments for subprocess: neither program runs as root."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("postgres")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@dataclass
class Cluster:
    """A running PostgreSQL with a pooler in front of it."""

    home: Path
    bin: Path
    passwords: dict[str, str] = field(default_factory=dict)
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        self.port, self.pooler_port = choose_ports([], count=2)
        self.passwords[SUPERUSER] = secrets.token_hex(8)
        self.home.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(self.home, "postgres", "postgres")
        self._init()
        self._run_server()
        self._wait_for(self.port)

    def stop(self) -> None:
        for process in reversed(self._processes):
            # PostgreSQL's fast shutdown, and PgBouncer's immediate one.
            process.send_signal(signal.SIGINT)
            process.wait(START_SECONDS)
        shutil.rmtree(self.home, ignore_errors=True)

    def start_pooler(self) -> None:
        """Start PgBouncer for the roles whose passwords are known by now."""
        subject = ["-subj", "/CN=localhost", "-days", "2", "-nodes"]
        files = ["-keyout", str(self.home / "key.pem"), "-out", str(self.home / "certificate.pem")]
        self._run(["openssl", "req", "-x509", "-newkey", "rsa:2048", *subject, *files])
        users = "".join(f'"{role}" "{password}"\n' for role, password in self.passwords.items())
        self._write("users.txt", users)
        self._write("pgbouncer.ini", self._pooler_settings())
        self._start([shutil.which("pgbouncer", path=PATH) or "", str(self.home / "pgbouncer.ini")])
        self._wait_for(self.pooler_port, sslmode="require")

    def url(self, role: str, database: str, *, pooled: bool = False) -> str:
        """Return the address of a database for a role, directly or through the pooler."""
        port, tls = (self.pooler_port, "?sslmode=require") if pooled else (self.port, "")
        password = quote(self.passwords[role], safe="")
        return f"postgresql://{role}:{password}@{LOOPBACK}:{port}/{database}{tls}"

    def run_sql(self, sql: str, *, database: str = "postgres", role: str = SUPERUSER) -> None:
        """Run statements, each in a transaction of its own."""
        with psycopg.connect(self.url(role, database), autocommit=True) as connection:
            connection.execute(sql)  # type: ignore[arg-type] # files of statements, not literals

    def _init(self) -> None:
        self._write("password", self.passwords[SUPERUSER])
        options = [
            "--auth=scram-sha-256",
            f"--username={SUPERUSER}",
            "--encoding=UTF8",
            "--no-sync",
        ]
        password = [f"--pwfile={self.home / 'password'}"]
        self._run([str(self.bin / "initdb"), *options, *password, "-D", str(self.home / "data")])

    def _run_server(self) -> None:
        settings = {
            "port": self.port,
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
            "fsync": "off",
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        self._start([str(self.bin / "postgres"), "-D", str(self.home / "data"), *options])

    def _pooler_settings(self) -> str:
        return f"""
            [databases]
            * = host={LOOPBACK} port={self.port}
            [pgbouncer]
            listen_addr = {LOOPBACK}
            listen_port = {self.pooler_port}
            unix_socket_dir =
            auth_type = plain
            auth_file = {self.home / "users.txt"}
            pool_mode = transaction
            default_pool_size = 4
            client_tls_sslmode = require
            client_tls_key_file = {self.home / "key.pem"}
            client_tls_cert_file = {self.home / "certificate.pem"}
        """

    def _write(self, name: str, content: str) -> None:
        path = self.home / name
        path.write_text(content)
        path.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(path, "postgres", "postgres")

    def _run(self, words: Sequence[str]) -> None:
        done = subprocess.run(
            words, cwd=self.home, capture_output=True, text=True, check=False, **_as_ordinary_user()
        )
        assert done.returncode == 0, done.stderr

    def _start(self, words: Sequence[str]) -> None:
        log = self.home / f"{Path(words[0]).name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                words, cwd=self.home, stdout=output, stderr=output, **_as_ordinary_user()
            )
        self._processes.append(process)

    def _wait_for(self, port: int, **options: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(
                    host=LOOPBACK,
                    port=port,
                    user=SUPERUSER,
                    password=self.passwords[SUPERUSER],
                    dbname="postgres",
                    **options,  # type: ignore[arg-type] # options of libpq are text
                ).close()
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, self._logs()
                time.sleep(0.1)
            else:
                return

    def _logs(self) -> str:
        return "\n".join(log.read_text()[-2_000:] for log in self.home.glob("*.log"))
