"""Jobs that share a machine: as many at a time as its memory holds, and every core has a job."""

import pytest

from uniapl.config import resources


@pytest.mark.parametrize(
    ("cores", "gigabytes", "each"),
    [(2, 24, 1), (2, 12, 2), (16, 16, 8), (16, 200, 1), (8, 30, 3), (1, 4, 1), (4, 4, 4)],
)
def test_cores_are_shared_among_the_jobs_that_the_memory_holds(monkeypatch, cores, gigabytes, each):
    monkeypatch.setattr(resources, "cores_here", lambda: cores)
    monkeypatch.setattr(resources, "memory_here", lambda: gigabytes * 10**9)
    job = resources.side_by_side(memory_gb=8, minutes=60)
    assert job.cores == each
    assert (cores // job.cores) * job.memory_gb <= max(gigabytes, job.memory_gb)


def test_a_container_has_its_limit_and_a_machine_its_memory(monkeypatch, tmp_path):
    whole = resources.memory_here()
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(resources, "CGROUP", limit)
    for text, expected in (("1000000\n", 1_000_000), ("max\n", whole)):
        limit.write_text(text, encoding="utf-8")
        assert resources.memory_here() == expected
