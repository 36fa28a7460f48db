# SPDX-License-Identifier: MIT
"""What the daemon tells of itself: `stats`, and --metrics for Prometheus."""
import re
import socket
import subprocess
import time

import pytest

import proc
from machine import Daemon, Target
from rpc import RpcError

SAMPLE = re.compile(r'([a-z_:][a-z0-9_:]*)(\{[a-z_]+="[^"\\]*"'
                    r'(?:,[a-z_]+="[^"\\]*")*\})? (\S+)')


def samples(text):
    """Sample -> value, of a text in Prometheus' format, which is checked:
    HELP and TYPE come once and before the samples that they are of."""
    found, kinds, helped = {}, {}, set()
    assert text.endswith("\n")
    for line in text.splitlines():
        words = line.split(" ", 3)
        if words[:2] == ["#", "HELP"]:
            assert words[2] not in helped and words[3], line
            helped.add(words[2])
        elif words[:2] == ["#", "TYPE"]:
            assert words[2] in helped and words[2] not in kinds, line
            kinds[words[2]] = words[3]
        else:
            name, labels, value = SAMPLE.fullmatch(line).groups()
            family = re.sub("_(bucket|sum|count)$", "", name)
            kind = kinds.get(name) or kinds[family]
            assert kind in ("gauge", "counter", "histogram"), line
            assert (kind == "counter") == name.endswith("_total"), line
            assert name + (labels or "") not in found, line
            found[name + (labels or "")] = float(value)
    assert set(kinds) == helped
    return found


def scrape(path):
    """As a scraper would: by curl."""
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", "--max-time", "20",
         "--unix-socket", str(path), "http://nopdb/metrics"],
        stdout=subprocess.PIPE, universal_newlines=True, check=True)
    return samples(done.stdout)


def buckets(found):
    """(bound, count) of the histogram of pauses, in the order of the text."""
    return [(float(name.split('"')[1]), value)
            for name, value in found.items()
            if name.startswith("nopdb_attach_pause_seconds_bucket")]


@pytest.fixture
def metered(folder):
    options = ("--metrics", str(folder / "metrics"))
    with Daemon(folder, options=options) as daemon:
        daemon.metrics = folder / "metrics"
        yield daemon
    assert not daemon.metrics.exists()


@pytest.mark.smoke
def test_what_happened_is_counted(metered, python):
    before = scrape(metered.metrics)
    assert before["nopdb_attaches_total"] == 0
    with Target(python, "zoo") as target, metered.client() as client:
        pause = client.call("attach", pid=target.pid)["pause_us"]
        with client.probe(target.pid, "zoo:add") as probe:
            for number in range(3):
                target.call("add", 1, number)
            probe.calls(3)
            for params in ({"pid": 4194000}, {"pid": 4194001}):
                with pytest.raises(RpcError):
                    client.call("attach", **params)
            with pytest.raises(RpcError):
                client.call("probe.enable", probe=4711)
            during, stats = scrape(metered.metrics), client.call("stats")
        client.call("detach", pid=target.pid)
    after = scrape(metered.metrics)
    assert during["nopdb_targets"] == 1 == during["nopdb_probes"]
    assert during["nopdb_clients"] == 1
    assert during["nopdb_ring_bytes"] > 4 << 20
    assert during["nopdb_records_total"] == 3 == stats["records"]
    assert during["nopdb_attaches_total"] == 1 == stats["attaches"]
    gone = 'nopdb_attach_failures_total{reason="no-such-process"}'
    assert during[gone] == 2
    assert stats["attach_failures"] == {"no-such-process": 2}
    assert stats["failures"] == {"no-such-process": 2, "no-such-probe": 1}
    assert during['nopdb_request_failures_total{reason="no-such-probe"}'] == 1
    assert after["nopdb_departures_total"] == 1
    assert after["nopdb_targets"] == 0 == after["nopdb_ring_bytes"]
    check_pauses(during, stats, pause)


def check_pauses(found, stats, pause_us):
    """The one pause is in every class whose bound is not below it."""
    assert found["nopdb_attach_pause_seconds_count"] == 1
    assert found["nopdb_attach_pause_seconds_sum"] == pytest.approx(
        pause_us / 1e6)
    classes = buckets(found)
    assert classes == sorted(classes)
    for bound, count in classes:
        assert count == (pause_us / 1e6 <= bound), (bound, pause_us)
    assert stats["pauses"]["sum_us"] == pause_us
    (mine,) = [row for row in stats["pauses"]["classes"] if row["count"]]
    assert pause_us <= mine.get("most_us", float("inf"))


def test_losses_are_counted_by_reason(metered, newest):
    with Target(newest, "zoo") as target, metered.client() as client:
        client.call("attach", pid=target.pid)
        with client.probe(target.pid, "zoo:add", {"rate": 1}) as probe:
            for number in range(50):
                target.call("add", 1, number)
            probe.calls(1)
        lost = probe.removed["lost"]["rate"]
        found, stats = scrape(metered.metrics), client.call("stats")
    assert lost > 0
    assert found['nopdb_records_lost_total{reason="rate"}'] == lost
    assert stats["lost_by"]["rate"] == lost == stats["lost"]


def test_figures_of_the_process(metered):
    found = scrape(metered.metrics)
    rss = proc.rss_kb(metered.pid) * 1024
    assert abs(found["process_resident_memory_bytes"] - rss) < 4 << 20
    # Neither the scrape nor a client that comes or goes is one more or less.
    assert abs(found["process_open_fds"] - len(proc.fds(metered.pid))) <= 2
    assert abs(found["process_start_time_seconds"] - time.time()) < 300
    assert found["process_cpu_seconds_total"] > 0


def ask(path, data, timeout=20):
    """Sends bytes, closes nothing; all that comes until the end."""
    with socket.socket(socket.AF_UNIX) as connected:
        connected.settimeout(timeout)
        connected.connect(str(path))
        connected.sendall(data)
        answer = b""
        while True:
            chunk = connected.recv(1 << 16)
            if not chunk:
                return answer
            answer += chunk


@pytest.mark.parametrize("data, status", [
    (b"GET /metrics HTTP/1.0\r\n\r\n", b"200"),
    (b"GET /metrics?x HTTP/1.1\r\nHost: a\r\n\r\n", b"200"),
    (b"GET / HTTP/1.1\r\n\r\n", b"404"),
    (b"DELETE /metrics HTTP/1.1\r\n\r\n", b"405"),
    (b"\x00\xff\r\n\r\n", b"400"),
    (b"GET /metrics HTTP/1.1\r\n" + b"a" * 4073, b"431"),
], ids=["1.0", "query", "root", "method", "garbage", "4096-bytes"])
def test_requests(metered, data, status):
    answer = ask(metered.metrics, data)
    assert answer.startswith(b"HTTP/1.0 " + status), answer[:200]
    head, body = answer.split(b"\r\n\r\n", 1)
    assert b"Content-Length: %d" % len(body) in head


def test_slow_and_many_are_bounded(metered):
    """A scraper that says nothing is cut off; more than eight are not served,
    and neither keeps the daemon from its clients."""
    silent = [socket.socket(socket.AF_UNIX) for _ in range(30)]
    try:
        for one in silent:
            one.connect(str(metered.metrics))
            one.settimeout(30)
        with metered.client() as client:
            assert client.call("stats")["fds"] < 60
        started = time.monotonic()
        assert all(one.recv(1) == b"" for one in silent)
        assert time.monotonic() - started < 25
    finally:
        for one in silent:
            one.close()
    assert scrape(metered.metrics)["nopdb_clients"] == 0


def test_scrapes_do_not_keep_it_alive(folder):
    daemon = Daemon(folder, idle=1, options=("--metrics",
                                             str(folder / "metrics")))
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(folder / "metrics"))
        assert daemon.process.wait(20) == 0
    assert not (folder / "metrics").exists()


def test_a_path_that_is_served(metered, folder):
    with pytest.raises(RuntimeError, match="--metrics: another daemon serves"):
        Daemon(folder / "two", options=("--metrics", str(metered.metrics)))
    assert not (folder / "two" / "sock").exists()
