# SPDX-License-Identifier: MIT
"""The agent's Python part: run in a dict of its own, on the control thread.

It imports nothing and changes nothing. CPython 3.7 and later.
"""


def code_lines(code):
    """The lines on which a code object has instructions, in order."""
    if hasattr(code, "co_lines"):
        lines = {line for _, _, line in code.co_lines()}
    else:
        lines = lnotab_lines(code)
    lines -= {None, 0}
    # The prologue of a function is on the line of its def: nothing of the
    # body. A lambda's body is.
    if len(lines) > 1 and code.co_name != "<lambda>":
        lines.discard(code.co_firstlineno)
    return sorted(lines)


def lnotab_lines(code):
    """The same for 3.7-3.9, from Objects/lnotab_notes.txt."""
    line, pending = code.co_firstlineno, True
    lines = set()
    for address, delta in zip(code.co_lnotab[::2], code.co_lnotab[1::2]):
        if address and pending:
            lines.add(line)
            pending = False
        if delta:
            line += delta - 256 if delta >= 128 else delta
            pending = True
    if pending:
        lines.add(line)
    return lines


def probed(first, second, *rest, keyword=3, **others):
    """What the self-test calls: its capture must say what happened here."""
    local = first + second + keyword
    return [local, "nopdb"]


def show_frames(look):
    """Calls look() in frames of each kind; what it is given are the names and
    values of one of them (agent/engine/monitoring_proof.c)."""
    free = [1]

    def inner(first, cell):
        local, own = [first], [cell]
        if not first:
            unbound = first
        look("first", first, "cell", cell, "local", local, "own", own,
             "free", free, "unbound", None)
        return lambda: (cell, own, free)

    def suspends():
        look()
        yield free
        look()

    # From C, which has frames of its own.
    list(map(inner, [[2]], [[3]]))
    list(suspends())


def fork_filters(pid):
    """Filters for what os.fork() and os.forkpty() say of a process with more
    than one thread (agent/fork_warning.h)."""
    return tuple(
        ("ignore", "This process (pid=%d) is multi-threaded, use of %s() may "
         "lead to deadlocks in the child." % (pid, name),
         DeprecationWarning, None, 0) for name in ("fork", "forkpty"))


def sample():
    """An object whose attributes are known (agent/attributes.h)."""
    import sys
    return type(sys.__spec__)("nopdb", None)
