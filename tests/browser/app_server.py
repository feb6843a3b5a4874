"""The app as a person starts it, in a process of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from modelops.settings import ROOT

START_SECONDS = 90


class Server:
    """The app as the README starts it, with a folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = _free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MODELOPS_", "DATABASE_"))}
        self.environment = {**kept, "MODELOPS_HOME": str(home), "PYTHONUNBUFFERED": "1"}
        self.log = home.with_name(f"{home.name}.log")
        command = [sys.executable, "-m", "modelops", "serve", "--port", str(self.port)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )
        self._wait()

    @property
    def printed(self) -> str:
        """What stands in the terminal."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def set_up_link(self) -> str:
        """The link that was printed for the first administrator."""
        found = re.search(r"^Set up: (\S+)$", self.printed, re.MULTILINE)
        assert found is not None, self.printed
        return found[1]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line on the same store."""
        command = [sys.executable, "-m", "modelops", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )

    def stop(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait(timeout=30)

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            assert self._process.poll() is None, self.printed
            try:
                if httpx.get(f"{self.base}/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(f"The server was not ready after {START_SECONDS} s:\n{self.printed}")


@dataclass
class Servers:
    """The apps that were started."""

    running: list[Server] = field(default_factory=list)

    def start(self, home: Path) -> Server:
        """Start the app on a folder: a new one, or one that was prepared."""
        self.running.append(Server(home))
        return self.running[-1]

    def stop(self) -> None:
        """End all of them."""
        for server in self.running:
            server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
