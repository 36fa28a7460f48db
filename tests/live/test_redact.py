# SPDX-License-Identifier: MIT
"""Redaction as a user asks for it; what is withheld when is tested inside
(tests/agent/inside_redact.py)."""
import base64
import json
import os

import pytest

from machine import Target, TARGETS
from rpc import Client, RpcError

CALLS = int(os.environ.get("NOPDB_SECRETS", "400"))
OPEN = {"hits": 0, "rate": 0, "depth": 0}
HIDDEN = {"$type": "int", "$redacted": "name"}


def test_lists_reach_the_agent(attached, client):
    limits = {"redact": "x,total", "no_redact": "total"}
    with client.probe(attached.pid, "zoo:add", limits) as probe:
        assert attached.call("add", 2, 3) == 5
        (record,) = probe.calls(1)
    assert record["args"] == {"x": HIDDEN, "y": 3}
    assert record["locals"] == {"x": HIDDEN, "y": 3, "total": 5}
    assert record["return"] == 5


def test_too_long_a_list_is_refused(attached, client):
    with pytest.raises(RpcError) as refused:
        client.probe(attached.pid, "zoo:add", {"redact": "x" * 300})
    assert "redact: longer than" in refused.value.message


def test_the_command_has_the_options(cli, newest):
    target = Target(newest, "shape", script=True)
    result = cli("calls", target.pid, "f", "-n", "1", "--json",
                 "--redact", "x,other", "--no-redact", "y", "--strict")
    target.stop()
    (record,) = result.of("call")
    assert record["args"]["x"] == HIDDEN


# ---- one secret everywhere ---------------------------------------------------
class Listener(Client):
    """Keeps the text of all that it was told."""

    def __init__(self, path):
        super().__init__(path)
        self.told = []

    def take(self, message):
        self.told.append(json.dumps(message, ensure_ascii=False))
        super().take(message)


@pytest.fixture
def secret():
    text = (TARGETS / "vault.py").read_text()
    return text.split('SECRET = "')[1].split('"')[0]


def probe_everything(client, target):
    """Each way to a value: calls, yields, eval, log, and their errors."""
    limits = [OPEN, dict(OPEN, yields=True, stack=3), dict(OPEN, depth=2)]
    for limit in limits:
        client.call("probe.add", pid=target.pid, kind="calls", limits=limit,
                    module="vault")
    client.call("probe.add", pid=target.pid, kind="break", limits=OPEN,
                where="vault:serve", line="deep = [[[[\"Set-Cookie\", "
                "password]]]]", actions=[
                    {"eval": "password"}, {"eval": "nested"},
                    {"eval": "objects[0].access_token"}, {"eval": "headers"},
                    {"log": "{password} {headers['cookie']} {api_key!r:>30}"},
                    {"log": "{objects[0].access_token} {user}"},
                    {"exec": "user = 'eve'"}, {"stack": True}])


@pytest.mark.smoke
def test_a_secret_in_every_place(python, session_daemon, secret):
    """It is in no record, no answer and no stack, in no form."""
    forms = [secret, base64.b64encode(secret.encode()).decode()[:20],
             secret.encode().hex()]
    with Target(python, "vault") as target, \
            Listener(session_daemon.socket) as client:
        client.call("attach", pid=target.pid)
        probe_everything(client, target)
        for _ in range(0, CALLS, 40):
            target.ask(120, call="burst", args=[40])
        target.call("hold")
        held = client.call("stack", pid=target.pid, locals=True)
        for text in ("__import__('vault').API_KEY",):
            client.call("eval", pid=target.pid, expr=text)
        client.call("eval", pid=target.pid, expr="API_KEY", module="vault")
        target.call("let_go")
        client.call("detach", pid=target.pid)
        client.wait(lambda: any(record["event"] == "detached"
                                for record in client.records), 20)
        told, records = client.told, client.records
    events = {record["event"] for record in records}
    assert {"call", "yield", "hit"} <= events, events
    assert len(records) >= 2 * CALLS
    for text in told:
        for form in forms:
            at = text.find(form)
            assert at < 0, (text[:300], text[at - 300:at + 60])
    assert "$redacted" in json.dumps(held) and '"holder"' in json.dumps(held)
    kinds = sum('"$redacted": "name"' in text for text in told)
    assert kinds >= CALLS
