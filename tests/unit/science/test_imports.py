"""Science is pure: it can be used, tested and reviewed without the machinery around it."""

import subprocess
import sys


def test_science_pulls_in_no_orchestrator_no_dbt_and_no_engine():
    # lightgbm takes pandas along where it is installed; science must do without it.
    script = (
        "import sys; sys.modules['pandas'] = None\n"
        "import importlib, pkgutil, orchestration.science as science\n"
        "for module in pkgutil.walk_packages(science.__path__, 'orchestration.science.'):\n"
        "    importlib.import_module(module.name)\n"
        "roots = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(roots & {'dagster', 'dagster_dbt', 'dbt', 'duckdb'}))\n"
        "print(sum(name.startswith('orchestration.science.') for name in sys.modules))\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    found, count = run.stdout.splitlines()
    assert found == "[]"
    assert int(count) >= 8
