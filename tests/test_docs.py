"""What is written for the reader is right: examples run, and nothing public is undocumented."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import skmtl
from skmtl.benchmark._cli import _make_parser
from tests.public_api import PROMISED_MODULES, public_callables, public_names

ROOT = Path(skmtl.__file__).resolve().parents[1]
MODULES = [info.name for info in pkgutil.walk_packages(skmtl.__path__, "skmtl.") if not info.name.endswith("__main__")]
PAGES = sorted((ROOT / "doc").glob("*.rst"))
README_BLOCKS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

# GL08: no docstring; PR01 and PR02: a parameter that is missing, or not there; RT01: nothing about what is returned.
REQUIRED = {"GL08", "SS01", "PR01", "PR02", "PR07", "RT01", "RT03"}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Run in an empty folder: an example that writes a file leaves nothing behind."""
    monkeypatch.chdir(tmp_path)


def run_examples(test: doctest.DocTest) -> None:
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    runner.run(test, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


@pytest.mark.parametrize("module", ["skmtl", *MODULES])
def test_examples_in_docstrings_run(module):
    for test in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module)):
        if test.examples:
            run_examples(test)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_in_the_documentation_run(page):
    text = page.read_text(encoding="utf-8")
    run_examples(doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0))


def test_readme_shows_code():
    assert README_BLOCKS


def test_there_is_no_code_that_is_not_run():
    for page in PAGES:  # code of a page is written with prompts, and so run above
        assert "code-block:: py" not in page.read_text(encoding="utf-8"), page.name
    for name in ("README.md", "CONTRIBUTING.md", "CHANGES.md"):
        opened = re.findall(r"^ *```(.*)$", (ROOT / name).read_text(encoding="utf-8"), re.M)[::2]
        assert set(opened) <= ({"python", "sh"} if name == "README.md" else {"sh"}), name


def test_commands_that_readers_are_told_are_there():
    """Scripts exist, and the comparison understands its options."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in [*PAGES, ROOT / "README.md"]}
    scripts = {
        path for text in texts.values() for path in re.findall(r"python ((?:benchmarks|asv_bench)/[\w/]+\.py)", text)
    }
    assert scripts
    assert [path for path in sorted(scripts) if not (ROOT / path).is_file()] == []
    commands = [
        command
        for text in texts.values()
        for command in re.findall(
            r"python\s-m\sskmtl\.benchmark\s+([a-z]+(?:\s+--[^`\n]*(?:\n--[^`\n]*)?)?)(?:`|\n\n)", text
        )
    ]
    assert len(commands) >= 3
    parser = _make_parser()
    for command in commands:
        parser.parse_args(command.split())  # exits, which fails the test, on what it does not know


@pytest.mark.parametrize("code", README_BLOCKS, ids=lambda code: code.splitlines()[0])
def test_code_in_the_readme_runs(code):
    exec(compile(code, "README.md", "exec"), {})


@pytest.mark.parametrize("name", sorted(public_callables()))
def test_public_docstring_is_complete(name):
    validate = pytest.importorskip("numpydoc.validate")
    function = public_callables()[name]
    found = validate.validate(validate.get_doc_object(function))["errors"]
    needed = REQUIRED
    if inspect.isclass(function):
        # The fields of a named tuple are its attributes, and documented as such.
        needed = needed - ({"RT01", "PR01", "PR02"} if issubclass(function, tuple) else {"RT01"})
    missing = [f"{code}: {message}" for code, message in found if code in needed]
    assert not missing, "\n".join(missing)


def test_every_public_name_of_a_part_is_on_the_api_page():
    page = (ROOT / "doc" / "api.rst").read_text(encoding="utf-8")
    names = [name.replace(":", ".") for name in public_names(PROMISED_MODULES) if not name.startswith("skmtl:")]
    assert [name for name in names if name not in page] == []


@pytest.mark.parametrize("name", ["FitRegressor", "PredictRegressor", "FitClassifier"])
def test_benchmark_of_speed_runs(name):
    spec = importlib.util.spec_from_file_location("boosting", ROOT / "asv_bench" / "benchmarks" / "boosting.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    benchmark = getattr(module, name)()
    benchmark.setup(200, 2)
    for method in [attribute for attribute in dir(benchmark) if attribute.startswith("time_")]:
        getattr(benchmark, method)(200, 2)
