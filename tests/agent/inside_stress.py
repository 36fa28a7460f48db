# SPDX-License-Identifier: MIT
"""Values that are huge, that others change meanwhile, that are half there; and
what all of it costs the program in memory."""
import array
import collections
import gc
import sys
import threading

import inside

MIB = 1 << 20


def show(value):
    return value


def captured(agent, function, *args, **spec):
    """(record, result or exception) of one call."""
    spec.setdefault("depth", 3)
    probe = agent.add(module=__name__, function=function.__name__, **spec)[
        "probe"]
    try:
        result = function(*args)
    except Exception as error:
        result = error
    (record,) = agent.wait()
    stats = agent.remove(probe)
    assert stats["captures"] == 1 and stats["lost_size"] == 0, stats
    return record, result


def anonymous():
    """Bytes of anonymous memory of this process that are resident."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024


def available():
    with open("/proc/meminfo") as info:
        for line in info:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024


def check_huge_list(agent):
    """1 GB of pointers, or less where the machine has not got it."""
    count = 1 << 27
    if available() < 4 << 30:
        count = 1 << 23
        print("smaller: the machine has less than 4 GB to spare")
    huge = [None] * count
    before = anonymous()
    record, result = captured(agent, show, huge)
    assert result is huge
    assert anonymous() - before < 2 * MIB
    assert record["return"] == {"$type": "list", "$items": [None] * 100,
                                "$truncated": True, "$len": count}


def check_changed_meanwhile(agent):
    """Dicts, sets, deques and lists that other threads change."""
    shared = ({}, set(), collections.deque(), [], array.array("i"),
              bytearray(), collections.OrderedDict())
    stop = threading.Event()

    def change(seed):
        number = seed
        while not stop.is_set():
            number = (number * 1103515245 + 12345) % (1 << 31)
            key = number % 97
            for mapping in (shared[0], shared[6]):
                mapping[key] = [number]
                mapping.pop((key + 5) % 97, None)
            shared[1].add(key)
            shared[1].discard((key + 7) % 97)
            for row in (shared[2], shared[3], shared[4], shared[5]):
                row.append(key)
                if len(row) > 50:
                    row.pop()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    others = [threading.Thread(target=change, args=(i,)) for i in range(3)]
    probe = agent.add(module=__name__, function="show", hits=0, rate=0,
                      depth=4)["probe"]
    for other in others:
        other.start()
    taken = 0
    for _ in range(2000):
        show(shared)
        for _, _, text in agent.raw():
            inside.check_json(text)
            taken += 1
    stop.set()
    for other in others:
        other.join()
    sys.setswitchinterval(interval)
    stats = agent.remove(probe)
    assert taken == stats["captures"] == 2000, (taken, stats)


def deletes(value):
    gone = value
    del gone
    return 1


def unbound(flag):
    if flag:
        cell = 1

    def inner():
        return cell
    return inner


def fails_early(value):
    raise KeyError(value)
    never = value       # noqa: F841


def check_half_there(agent):
    record, _ = captured(agent, deletes, 5)
    assert record["locals"] == {"value": 5}
    record, inner = captured(agent, unbound, 0)
    assert "cell" not in record["locals"] and record["args"] == {"flag": 0}
    record, _ = captured(agent, show, inner)
    assert record["return"]["$type"] == "function"
    record, _ = captured(agent, fails_early, "k")
    assert "never" not in record["locals"]
    assert record["exception"]["type"] == "KeyError"
    nested = bottom = []
    for _ in range(100):
        bottom.append([])
        bottom = bottom[0]
    for depth in (0, 2, 32):
        record, _ = captured(agent, show, nested, depth=depth)
        assert "$truncated" in str(record["return"])


def suspends(text):
    yield text


def check_memory(agent):
    """The ring is not anonymous; all else may take 2 MiB, whatever comes."""
    texts = ["x" * 15000 + str(i) for i in range(1500)]
    waiting = [suspends(text) for text in texts]
    wide = [{"k%d" % i: [i, str(i), (i,)] for i in range(500)}] * 20
    show(wide)
    gc.collect()
    before = anonymous()
    probe = agent.add(module=__name__, function="suspends", string=0, hits=0,
                      rate=0)["probe"]
    for each in waiting:
        next(each)
    other = agent.add(module=__name__, function="show", depth=0, items=0,
                      hits=0, rate=0)["probe"]
    for _ in range(300):
        show(wide)
    agent.remove(other)
    agent.raw()
    assert anonymous() - before < 3 * MIB, (anonymous() - before) / MIB
    ended = 0
    for each in waiting:
        for _ in each:
            pass
        for _, _, text in agent.raw():
            inside.check_json(text)
            ended += "suspends" in text
    assert ended == 1500, ended
    agent.remove(probe)


if __name__ == "__main__":
    inside.main(globals())
