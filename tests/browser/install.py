"""Print the path of a Chromium for the browser tests; find one, or install one.

In this order: ``MODELOPS_CHROMIUM``, a browser of the system, Playwright's own, a download by Playwright, and as the
last resort the distribution's package (root only).
"""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge"
MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def of_system() -> str | None:
    places = [os.environ.get("MODELOPS_CHROMIUM"), *map(shutil.which, NAMES)]
    if platform.system() == "Darwin":
        places += MAC
    # On Ubuntu /usr/bin/chromium is a stub that starts a snap, which a test cannot drive.
    return next((p for p in places if p and Path(p).exists() and "snap" not in str(Path(p).resolve())), None)


def of_playwright() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def downloaded() -> str | None:
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    try:
        done = subprocess.run(command, timeout=300, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return None
    return of_playwright() if done.returncode == 0 else None


def packaged() -> str | None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in ("update -qq", "install -y -qq --no-install-recommends chromium"):
        command = ["apt-get", *words.split()]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return of_system()


def ensure() -> str:
    for find in (of_system, of_playwright, downloaded, packaged):
        if path := find():
            return path
    raise SystemExit("No browser was found. Install Chrome or Chromium, or name one with MODELOPS_CHROMIUM=PATH.")


if __name__ == "__main__":
    print(ensure())
