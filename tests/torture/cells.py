# SPDX-License-Identifier: MIT
"""The cells of the matrix: a name, the program, the function to probe; or
(lines) several places where lines are, as (function, line)."""
import collections

from programs import Beginning, Ending, Gdb, Gunicorn, Numpy, Postgres, Single, Uwsgi

Cell = collections.namedtuple("Cell", "name start where lines",
                              defaults=[()])


def lone(kind, moving=False):
    return lambda python: Single(python, "lone", kind, script=True,
                                 moving=moving)


def native(kind, threads, moving=False):
    return lambda python: Single(python, "native", kind, threads,
                                 moving=moving)


def busy(preload):
    return lambda python: Single(python, "busy", preload=preload)


CELLS = [
    Cell("asleep", lone("asleep"), "__main__:tick"),
    Cell("select", lone("select"), "__main__:tick"),
    Cell("epoll", lone("epoll"), "__main__:tick"),
    Cell("asyncio", lambda python: Single(python, "server", script=True),
         "__main__:tick"),
    Cell("busy-1", lone("busy"), "busy:work_*"),
    Cell("busy-5", lambda python: Single(python, "busy"), "busy:work_*"),
    Cell("lines", lambda python: Single(python, "busy"), "busy:work_*", (
        ("busy:work_lists", "rows.sort()"),
        ("busy:work_regex", "for match in PATTERN.finditer(TEXT):"),
        ("busy:fibonacci", "+1"), ("busy:squares", "yield n * n"),
        ("busy:work_generators", "table[n] = str(n)"))),
    Cell("threads-200", lambda python: Single(python, "crowd"), "crowd:tick"),
    Cell("c-malloc", native("malloc", 4), "native:tick"),
    Cell("c-dlopen", native("dlopen", 2, moving=True), "native:tick"),
    Cell("c-avx", native("avx", 2), "native:tick"),
    Cell("c-threads", native("doze", 4), "native:tick"),
    Cell("gil-hog", native("hog", 1), "native:tick"),
    Cell("jemalloc", busy("libjemalloc.so.2"), "busy:work_*"),
    Cell("tcmalloc", busy("libtcmalloc_minimal.so.4"), "busy:work_*"),
    Cell("signals", lone("signals"), "__main__:tick"),
    Cell("ids", lambda python: Single(python, "ids", "storm"), "ids:change"),
    Cell("spawn", lone("spawn", moving=True), "__main__:tick"),
    Cell("fork", lone("fork", moving=True), "__main__:tick"),
    Cell("fork-c", lone("fork-c", moving=True), "__main__:tick"),
    Cell("multiprocessing", lambda python: Single(python, "pool", moving=True),
         "pool:tick"),
    Cell("numpy", Numpy, "__main__:tick"),
    Cell("beginning", Beginning, None),
    Cell("ending", Ending, None),
    Cell("gunicorn", Gunicorn, "webapp:tick"),
    Cell("uwsgi", Uwsgi, "*:tick"),
    Cell("gdb", Gdb, "lone:tick"),
    Cell("postgres", Postgres, "*:tick"),
]
