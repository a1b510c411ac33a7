"""Code of others is what vendor.toml says, with its licence, and is part of what is installed."""

import hashlib
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = tomllib.loads((ROOT / "vendor.toml").read_text())["package"]


def test_the_files_are_those_that_are_listed_and_no_others() -> None:
    for package in PACKAGES:
        folder = ROOT / package["folder"]
        found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
        assert found == package["files"], package["name"]


def test_each_says_where_it_is_from_and_under_which_licence() -> None:
    for package in PACKAGES:
        assert package["source"] == f"npm:{package['name']}@{package['version']}"
        assert package["licence"]
        assert "LICENSE" in package["files"]


def test_what_is_installed_has_them(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=60)
    [wheel] = tmp_path.glob("*.whl")
    packed = zipfile.ZipFile(wheel).namelist()
    assert {"services/api/static/docs.html", "services/api/static/docs.js"} <= set(packed)
    for package in PACKAGES:
        assert {f"{package['folder']}/{name}" for name in package["files"]} <= set(packed)
