# SPDX-License-Identifier: MIT
# The third part: `eval` and `exec` outside of any frame, each on a thread of
# its own. The agent may leave while one still runs: what a job calls then must
# not look up a name of ours, and up to 3.9 not one of the builtins either.


def module_space(name):
    """The globals of a module that the program has loaded, or None."""
    import sys
    space = getattr(sys.modules.get(name), "__dict__", None)
    return space if type(space) is dict else None


def new_sink(room=32768):
    """A text stream that keeps the first characters written to it."""
    class Sink:
        encoding, errors, closed = "utf-8", "backslashreplace", False

        def __init__(self):
            self.parts, self.room, self.cut = [], room, False

        def write(self, text):
            text = str(text)
            self.cut = self.cut or len(text) > self.room
            if self.room and text:
                self.parts.append(text[:self.room])
                self.room -= len(self.parts[-1])
            return len(text)

        def writelines(self, lines):
            for line in lines:
                self.write(line)

        def writable(self):
            return True

        def isatty(self):
            return False

        def flush(self):
            pass
    return Sink()


def new_router(behind, ident):
    """What stands in for sys.stdout while some thread's output is kept: for
    all other threads it is the stream behind it."""
    class Router:
        __class__ = property(lambda self, type=type: type(behind))
        _nopdb_sinks = {}
        _nopdb_behind = behind

        def __getattr__(self, name, getattr=getattr):
            return getattr(self._nopdb_sinks.get(ident(), behind), name)
    return Router()


def is_router(stream):
    return "_nopdb_sinks" in type(stream).__dict__


def route(ident, sink):
    """What this thread prints goes to the sink from now on."""
    import sys
    import _thread
    stream = sys.stdout
    if not is_router(stream):
        stream = new_router(new_sink(0) if stream is None else stream,
                            _thread.get_ident)
        type(stream)._nopdb_none = sys.stdout is None
        sys.stdout = stream
    stream._nopdb_sinks[ident] = sink


def unroute(ident):
    """Ends that; with the last such thread sys.stdout is as it was, unless
    the program has set another meanwhile."""
    import sys
    stream = sys.stdout
    if not is_router(stream):
        return
    stream._nopdb_sinks.pop(ident, None)
    if not stream._nopdb_sinks:
        sys.stdout = None if stream._nopdb_none else stream._nopdb_behind


def compile_job(text, statements):
    """A code object, or what is wrong with the text."""
    text = text if statements else text.strip()
    try:
        return compile(text, "<nopdb>", "exec" if statements else "eval", 0,
                       True)
    except Exception as error:
        return located(error, text)


def forget_thread(threads, ident, type=type, dict=dict):
    """Without the entry that threading made for a thread it did not start."""
    active = threads.__dict__.get("_active")
    thread = active.get(ident) if type(active) is dict else None
    if type(thread).__name__ == "_DummyThread":
        del active[ident]


def run_job(job, gate, code, space, run, kit):
    """The thread. The gate opens when the agent is ready, and once more when
    it has read the outcome, so that the value ends where it was made."""
    local, token, unmask, modules, ident, forget, process = kit
    kit.clear()
    local.token, token = token, None
    here = process()
    gate.acquire()
    try:
        try:
            if unmask:
                unmask(2, ())
            outcome = True, run(code, space)
        except BaseException as error:
            outcome = False, error
        threads = modules.get("threading")
        if threads:
            forget(threads, ident())
        job.append(outcome)
        if process() == here:  # else a child that it forked
            gate.acquire()
    except BaseException:
        pass


def resolve_callable(value):
    """(function, bound?, instance) whose Python code a call of it runs: past
    wrappers, partials and descriptors; a bound method's own object."""
    method = type(located.__get__(0))
    bound, instance, given = False, None, value
    for _ in range(100):
        kind = type(value)
        if kind is method:
            bound, instance = True, value.__self__
            value = value.__func__
        elif kind is type(located) and "__wrapped__" not in value.__dict__:
            return value, bound, instance
        elif hasattr(value, "__wrapped__"):
            value = value.__wrapped__
        elif kind is property:
            value = value.fget
        elif isinstance(value, (staticmethod, classmethod)):
            value = value.__func__
        elif kind.__name__ == "partial" and kind.__module__ == "functools":
            value = value.func
        elif isinstance(value, type):
            value = value.__init__
        elif type(getattr(kind, "__call__", None)) is type(located):
            bound, instance = True, value
            value = kind.__call__
        else:
            break
    raise TypeError("no Python function is behind it: %s" % type(given))


def evaluate_callable(code, space, resolve=resolve_callable, eval=eval):
    """What an expression calls, or a text: why there is nothing to probe."""
    try:
        return resolve(eval(code, space))
    except Exception as error:
        return "%s: %s" % (type(error).__name__, error)


def begin_job(text, statements, module, keep, stack):
    """(job, gate, thread, token, sink) of a job that waits at its gate; a
    text: what is wrong with the code; None: no such module. statements: None
    for an expression that yields a callable. stack: of its thread, in bytes;
    0: what the program's threads have."""
    import sys
    import _thread
    space = module_space(module)
    if space is None:
        return None
    code = compile_job(text, statements is True)
    if isinstance(code, str):
        return code
    job, gate, token = [], _thread.allocate_lock(), object()
    sink = new_sink() if keep else None
    gate.acquire()
    unmask = getattr(sys.modules.get("_signal"), "pthread_sigmask", None)
    kit = [_thread._local(), token, unmask, sys.modules, _thread.get_ident,
           forget_thread, sys.modules["posix"].getpid]
    size = _thread.stack_size(stack) if stack else None
    try:
        thread = _thread.start_new_thread(
            run_job, (job, gate, code, space, {
                True: exec, False: eval, None: evaluate_callable}[statements],
                kit))
    finally:
        if size is not None:
            _thread.stack_size(size)
    if keep:
        route(thread, sink)
    return job, gate, thread, token, sink


def sink_text(sink):
    """(text, cut?) of what a sink has."""
    return "".join(sink.parts), sink.cut
