"""Which tests take so long that `make test` leaves them to `make test-all`."""

import pytest

#: Whole runs of the workflow in copies, one after the other: some minutes each.
LONG = ("tests/cluster/", "tests/forks/test_module.py", "tests/forks/test_parameters.py",
        "tests/forks/test_source.py", "tests/audit/test_reruns.py", "tests/test_report.py",
        "tests/faults/test_runs.py", "tests/audit/test_package.py::test_its_two")  # fmt: skip


def pytest_collection_modifyitems(items):
    for item in items:
        if item.nodeid.startswith(LONG):
            item.add_marker(pytest.mark.long)
