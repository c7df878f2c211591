"""The files that people and services read before the code agree with each other."""

from __future__ import annotations

import re
from pathlib import Path

import skmtl

ROOT = Path(skmtl.__file__).resolve().parents[1]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_workflow_runs_what_the_local_check_runs():
    local = re.search(r"^for target in (.*); do$", read(".ci/run"), re.M).group(1).split()
    workflow = read(".github/workflows/ci.yml")
    targets = re.search(r"^ *target: \[(.*)\]$", workflow, re.M).group(1).split(", ")
    assert targets == local
    assert "- run: make ${{ matrix.target }}" in workflow


def test_every_target_is_one_of_the_makefile():
    makefile = read("Makefile")
    named = set(re.findall(r"`?make ([a-z]+)", read("CONTRIBUTING.md") + read("README.md") + read(".ci/run")))
    assert named
    assert [target for target in named if not re.search(rf"^{target}:", makefile, re.M)] == []


def test_the_hooks_use_the_pinned_ruff():
    pinned = re.search(r"^ruff==(.*)$", read("constraints.txt"), re.M).group(1)
    assert f"rev: v{pinned}" in read(".pre-commit-config.yaml")


def test_every_pinned_package_is_named_once():
    names = [line.split("==")[0].lower() for line in read("constraints.txt").splitlines() if "==" in line]
    assert len(set(names)) == len(names)


def test_folders_named_in_the_guide_for_contributors_are_there():
    named = re.findall(r"`(skmtl/[a-z/]+/)`", read("CONTRIBUTING.md"))
    assert named
    assert [name for name in named if not (ROOT / name).is_dir()] == []
