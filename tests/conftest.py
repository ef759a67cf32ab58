"""The order of the tests over the cores: whole runs first, those that share a copy on one core."""

import pytest

#: Files whose tests share a run of the workflow in a copy; each takes some minutes.
SHARED = (
    "tests/cluster/",
    "tests/forks/test_module.py",
    "tests/forks/test_parameters.py",
    "tests/forks/test_country.py",
    "tests/forks/test_source.py",
    "tests/test_report.py",
)
#: Whole runs that share nothing.
ALONE = (
    "tests/test_workflow.py::test_a_rerun_elsewhere",
    "tests/faults/test_runs.py",
    "tests/audit/test_package.py::test_its_two",
    "tests/audit/test_reruns.py::test_snakemake",
)


def pytest_collection_modifyitems(items):
    for item in items:
        if item.nodeid.startswith(SHARED + ALONE):
            item.add_marker(pytest.mark.long)
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """One core for a file of SHARED, any core for any other test.

    What ``--dist=loadgroup`` is for; under pytest 9.2 xdist 3.8 does not find the groups.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Shared(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return nodeid.split("::")[0] if nodeid.startswith(SHARED) else nodeid

    return Shared(config, log)
