"""Science is pure: it can be used, tested and reviewed without the machinery around it."""

import subprocess
import sys


def test_science_pulls_in_no_orchestrator_no_dbt_and_no_engine():
    script = (
        "import importlib, pkgutil, sys, orchestration.science as science\n"
        "for module in pkgutil.walk_packages(science.__path__, 'orchestration.science.'):\n"
        "    importlib.import_module(module.name)\n"
        "roots = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(roots & {'dagster', 'dagster_dbt', 'dbt', 'duckdb', 'pandas'}))\n"
        "print(sum(name.startswith('orchestration.science.') for name in sys.modules))\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    found, count = run.stdout.splitlines()
    assert found == "[]"
    assert int(count) >= 8
