# SPDX-License-Identifier: MIT
"""The daemon under load, for a short time: `make load` is the long form."""
import os

from conftest import INTERPRETERS
from load import Load

SECONDS = float(os.environ.get("NOPDB_LOAD_S", "15"))
CLIENTS = int(os.environ.get("NOPDB_LOAD_CLIENTS", "10"))
TARGETS = int(os.environ.get("NOPDB_LOAD_TARGETS", "16"))


def test_load(folder, capsys):
    with Load(folder, INTERPRETERS, CLIENTS, TARGETS, SECONDS) as load:
        failures = load.run()
        assert load.watch.samples, failures[:20]
        with capsys.disabled():
            print("\n" + load.report())
        assert not failures, "\n".join(failures[:20])
        counts = load.figures.counts
        assert counts["attaches"] >= 2 * CLIENTS
        assert counts["records"] > 100
        assert counts["lost slow-client"] > 0
