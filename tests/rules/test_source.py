"""What the source promises about itself: sizes, docstrings, where floats and the environment may be."""

from __future__ import annotations

import ast
import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    *("webhook", "inbox", "worker", "tieout", "gateway", "books", "recon", "console", "cli", "store", "config"),
    *("simulator", "bench", "verify"),
)
EXACT = ("recon", "books", "store", "gateway", "verify")
FUNCTION_MOST, FUNCTION_MEDIAN = 40, 10
FILE_MOST, FILE_MEDIAN = 250, 110
TASK_MOST = 8
GENERIC = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "handlers"}
#: The edge imports nothing else of ours, so that it stays as small as it looks.
EDGE_MAY = ("webhook", "inbox", "config", "gateway.verify", "gateway.shapes", "gateway.checks")
READS_ENVIRONMENT = {"config/settings.py", "bench/serve.py"}  #: the second is measured beside the service
REFUSES_FLOATS = {"recon/numbers.py"}  #: the one door for numbers, which turns floats away


def _sources(*packages: str) -> Iterator[tuple[Path, ast.Module]]:
    for package in packages or PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "versions" not in path.parts:
                yield path.relative_to(ROOT), ast.parse(path.read_text())


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its signature's line and its docstring."""
    body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def _filled(path: Path) -> int:
    return sum(1 for line in (ROOT / path).read_text().splitlines() if line.strip())


def test_functions_are_small() -> None:
    """No function is longer than a screen; most are a few lines. The figures are printed."""
    sizes = {
        f"{path}:{node.lineno} {node.name}": _length(node) for path, tree in _sources() for node in _functions(tree)
    }
    long = {name: size for name, size in sizes.items() if size > FUNCTION_MOST}
    print(f"\nfunctions: {len(sizes)}, median {statistics.median(sizes.values())}, most {max(sizes.values())}")  # noqa: T201

    assert not long
    assert statistics.median(sizes.values()) <= FUNCTION_MEDIAN


def test_files_are_small() -> None:
    """No file is longer than a few screens. The figures are printed."""
    sizes = {str(path): _filled(path) for path, tree in _sources() if tree.body}
    long = {name: size for name, size in sizes.items() if size > FILE_MOST}
    print(f"\nfiles: {len(sizes)}, median {statistics.median(sizes.values())}, most {max(sizes.values())}")  # noqa: T201

    assert not long
    assert statistics.median(sizes.values()) <= FILE_MEDIAN


def test_tasks_are_thin() -> None:
    """A task of Celery loads, makes one call and shows; the work is elsewhere."""
    tree = ast.parse((ROOT / "worker" / "tasks.py").read_text())
    tasks = {node.name: _length(node) for node in _functions(tree) if not node.name.startswith("_")}

    assert tasks
    assert {name: size for name, size in tasks.items() if size > TASK_MOST} == {}


@pytest.mark.parametrize("package", EXACT)
def test_money_is_never_a_float(package: str) -> None:
    """Neither the word float nor a number with a point occurs where amounts are handled."""
    found = {str(path) for path, tree in _sources(package) if any(_is_float(node) for node in ast.walk(tree))}

    assert found <= REFUSES_FLOATS


def _is_float(node: ast.AST) -> bool:
    named = isinstance(node, ast.Name) and node.id == "float"
    written = isinstance(node, ast.Constant) and isinstance(node.value, float)
    return named or written


def test_the_environment_is_read_in_one_place() -> None:
    """Only `config/settings.py` reads settings; others at most pass the environment on, and say why."""
    found = [
        f"{path}:{number}"
        for path, _ in _sources(*(package for package in PACKAGES if package != "simulator"))
        if str(path) not in READS_ENVIRONMENT
        for number, line in enumerate((ROOT / path).read_text().splitlines(), start=1)
        if re.search(r"\bos\.(environ|getenv)\b", line) and "noqa: TID251" not in line
    ]

    assert found == []


def test_the_edge_reaches_little() -> None:
    """Of ours, the edge imports the inbox, the settings and the pure modules of the Gateway."""
    imported = {
        module for _, tree in _sources("webhook") for module in _imported(tree) if module.split(".")[0] in PACKAGES
    }

    assert {module for module in imported if not module.startswith(EDGE_MAY)} == set()


def test_the_pure_modules_of_the_gateway_are_pure() -> None:
    """What the edge takes from the Gateway opens nothing and asks nothing."""
    frameworks = {"flask", "celery", "redis", "requests", "sqlalchemy", "psycopg", "os", "socket", "time"}
    for name in ("verify", "shapes", "checks"):
        imported = _imported(ast.parse((ROOT / "gateway" / f"{name}.py").read_text()))

        assert {module.split(".")[0] for module in imported} & frameworks == set()


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_verifier_stands_alone() -> None:
    """It imports the standard library, psycopg and itself."""
    imported = {module.split(".")[0] for _, tree in _sources("verify") for module in _imported(tree)}

    assert imported - sys.stdlib_module_names == {"psycopg", "verify"}


def test_names_say_what_a_module_is_about() -> None:
    """No module has a name that could stand for anything."""
    assert [str(path) for path, _ in _sources() if path.stem in GENERIC] == []


def test_every_test_states_a_fact() -> None:
    """Each test has a docstring, a sentence, that says what holds."""
    silent = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in _sources("tests")
        for node in _functions(tree)
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]

    assert silent == []
