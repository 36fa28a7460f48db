# SPDX-License-Identifier: MIT
"""Every way in which the agent's life ends, and what it answers to nonsense."""
import os
import struct
import sys
import threading

from host import (ERROR, LEAVING, LINES, PROBE_ADD, START, UNLOAD, ABI, Agent,
                  AgentError, encode_spec, error_names)


def target(x):
    return x


def maps():
    with open("/proc/self/maps") as lines:
        return sum("nopdb" in line for line in lines)


def fds():
    return len(os.listdir("/proc/self/fd"))


def threads():
    return len(os.listdir("/proc/self/task"))


def started():
    agent = Agent()
    agent.start()
    agent.add(module="__main__", function="target")
    target(1)
    return agent


def gone(agent):
    """It unloads, and the function runs as before."""
    assert agent.finish() == UNLOAD
    assert target(2) == 2
    assert maps() == 0


def hung_up():
    agent = started()
    agent.socket.shutdown(2)
    gone(agent)


def silence():
    agent = Agent(silence_ms=50)
    agent.start()
    gone(agent)


def no_start():
    agent = Agent()
    agent.load()
    agent.socket.shutdown(2)
    gone(agent)


def other_first():
    agent = Agent()
    agent.load()
    agent.send(PROBE_ADD, encode_spec(1))
    gone(agent)


def refused_start(payload, fds=()):
    agent = Agent()
    agent.load()
    agent.send(START, payload, fds)
    kind, _, answer = agent.receive()
    assert kind == ERROR
    code = struct.unpack_from("<i", answer)[0]
    assert error_names()[code] == "agent", code
    gone(agent)


def bad_starts():
    good = struct.pack("<IIII", ABI, 1000, 1 << 20, 0)
    refused_start(struct.pack("<IIII", ABI + 1, 1000, 1 << 20, 0))
    refused_start(good)
    null = os.open("/dev/null", os.O_RDWR)
    refused_start(good, [null, null])
    refused_start(good, [null, null, null, null, null])
    os.close(null)


def nonsense(raw):
    agent = started()
    agent.socket.send(raw)
    kind, identity, answer = agent.receive()
    assert (kind, identity) == (ERROR, 0)
    kind, identity, answer = agent.receive()
    assert (kind, identity) == (LEAVING, 0)
    gone(agent)


def bad_frames():
    nonsense(b"x")
    nonsense(b"\0" * 16)
    nonsense(b"\0" * 4000)
    header = struct.Struct("<HHIII")
    nonsense(header.pack(0x6e70, 99, 1, 0, 0))
    nonsense(header.pack(0x6e70, PROBE_ADD, 1, 5, 0))
    nonsense(header.pack(0x6e70, 64, 1, 0, 0))
    nonsense(header.pack(0x6e70, START, 1, 16, 0) + b"\0" * 16)


def bad_requests():
    agent = started()
    null = os.open("/dev/null", os.O_RDWR)
    before = fds()
    for kind, payload in ((PROBE_ADD, b"x"), (LINES, b"\1\0"),
                          (PROBE_ADD, encode_spec(0, function="f")),
                          (PROBE_ADD, encode_spec(7, kind=9))):
        try:
            agent.ask(kind, payload, 0, [null] * 5)
        except AgentError as error:
            assert error.code == "invalid-params", error.code
        else:
            raise AssertionError("accepted")
    assert fds() == before      # what came with a frame was closed
    os.close(null)
    assert agent.leave() == UNLOAD


def left_in_order():
    agent = started()
    assert agent.leave() == UNLOAD
    gone_again = started()
    gone_again.leave()


def traces():
    """Where Python code could see that somebody was there."""
    return (set(vars(sys)), set(globals()), set(sys.modules),
            set(threading._active), sys.getprofile(), sys.gettrace())


def main():
    hung_up()               # what is loaded once is loaded now
    before = fds(), threads()
    names = traces()
    for end in (hung_up, silence, no_start, other_first, bad_starts,
                bad_frames, bad_requests, left_in_order):
        end()
        assert maps() == 0, end
    assert (fds(), threads()) == before
    assert traces() == names


main()
