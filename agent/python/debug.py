# SPDX-License-Identifier: MIT
"""pdb for threads of the program, each over a socket of its own.

Run in a dict of its own, which outlives the agent: a thread that steps has
these functions as its trace function until it comes to the next event.
CPython 3.7 and later. Names are the interpreter's own modules: gevent and the
like replace those of `socket`, `os` and `threading`, not these.
"""
import builtins
import importlib.util
import sys
import traceback
import types

import _socket
import _thread
import posix

MESSAGE = 1000        # characters of output in one datagram
OUTPUT = 1 << 20      # characters that one command may print
TICK = 256            # trace events between two looks at the socket
OLD = sys.version_info < (3, 13)  # f_locals is a snapshot

# Thread -> its session. A forked child has one thread, which leaves.
sessions = {}


TERMINAL = frozenset("readline _pyrepl.main _pyrepl.readline".split())


def without_readline(name, *rest):
    """The import of pdb: readline and its like would change the terminal and
    the signals of the program. rlcompleter imports it."""
    if name == "rlcompleter":
        return types.SimpleNamespace(Completer=object)
    if name in TERMINAL:
        raise ModuleNotFoundError(name)
    return builtins.__import__(name, *rest)


def private_pdb():
    """A pdb of our own: sys.modules, and the program's, stay as they are."""
    spec = importlib.util.find_spec("pdb")
    module = types.ModuleType("pdb")
    module.__dict__.update(
        __file__=spec.origin, __spec__=spec,
        __builtins__=dict(vars(builtins), __import__=without_readline))
    exec(spec.loader.get_code("pdb"), module.__dict__)
    return module


pdb = private_pdb()


class Wire:
    """A session's end of its socket, as the files that pdb reads and writes:
    a datagram is 'o' and output, or 'e' and the reason of the end; lines of
    input come as they are."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, fd, seconds):
        self.socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET,
                                     0, fd)
        self.socket.settimeout(seconds or None)
        self.process = posix.getpid()
        self.output = []
        self.room = OUTPUT
        self.lost = None  # why nobody is there

    def send(self, kind, text):
        data = kind + text.encode("utf-8", "backslashreplace")
        try:
            self.socket.send(data, _socket.MSG_NOSIGNAL)
        except _socket.timeout:
            self.lost = self.lost or "time-out"
        except OSError:
            self.lost = self.lost or "lost"

    def write(self, text):
        if len(text) > self.room:
            text = text[:self.room] + "..."[:self.room]
        self.room -= len(text)
        self.output.append(text)

    def flush(self):
        text, self.output = "".join(self.output), []
        for at in range(0, len(text), MESSAGE):
            if not self.lost and not self.forked():
                self.send(b"o", text[at:at + MESSAGE])

    def readline(self):
        """The next line; "" when there is none to come."""
        self.flush()
        self.room = OUTPUT
        if self.lost or self.forked():
            return ""
        try:
            data = self.socket.recv(8192)
        except _socket.timeout:
            self.lost = "time-out"
            return ""
        except OSError:
            data = b""
        if not data:
            self.lost = "lost"
            return ""
        return data.decode("utf-8", "replace").rstrip("\n") + "\n"

    def forked(self):
        if posix.getpid() != self.process:
            self.lost = "lost"
        return posix.getpid() != self.process

    def gone(self):
        """Did the other end leave?"""
        seconds = self.socket.gettimeout()
        self.socket.settimeout(0)
        try:
            return not self.socket.recv(1, _socket.MSG_PEEK)
        except OSError as error:
            return not isinstance(error, BlockingIOError)
        finally:
            self.socket.settimeout(seconds)

    def hang_up(self):
        try:
            self.socket.shutdown(_socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self, reason):
        if not self.forked():
            self.flush()
            self.send(b"e", reason)
            self.hang_up()
        self.socket.close()


class Names:
    """The variables of a frame for a statement that was typed: what it binds
    is the frame's, and its print() writes to the client."""

    def __init__(self, session, variables, space):
        self.session = session
        self.variables = variables
        self.space = space

    def __getitem__(self, name):
        if name in self.variables:
            return self.variables[name]
        if name == "print" and name not in self.space:
            return self.session.print
        raise KeyError(name)

    def __setitem__(self, name, value):
        self.variables[name] = value
        self.session.bound(name, value)

    def __delitem__(self, name):
        if OLD and self.variables is not self.space and name in self.variables:
            raise ValueError("a local variable cannot be deleted here")
        del self.variables[name]

    def keys(self):
        return self.variables.keys()


STEPS = frozenset("s step n next unt until r return".split())
ELSEWHERE = frozenset(
    "b break tbreak cl clear commands condition disable enable ignore run "
    "restart interact debug attach".split())


class Session(pdb.Pdb):
    """One thread in the debugger."""

    def __init__(self, number, wire, first):
        self.wire = wire
        pdb.Pdb.__init__(self, completekey=None, stdin=self.wire,
                         stdout=self.wire, nosigint=True, readrc=False)
        self.use_rawinput = False
        self.breaks = {}
        self.reset()
        self._set_stopinfo(None, None)
        self.number = number
        self.first = first      # code: until it comes nothing stops
        self.thread = _thread.get_ident()
        self.traced = False     # is the thread's trace function ours?
        self.foreign = False    # is it the program's?
        self.inside = False     # at a prompt: may be interrupted
        self.over = None        # why it ends
        self.closed = False
        self.events = 0
        self.prompted = None    # where the last event stopped
        self.top = None         # the frame of this event
        self.kept = {}          # frame -> what was bound in it
        self.written = False    # was anything, at this prompt?
        self.traces = []        # frames, and their f_trace before
        sessions[self.thread] = self

    # ---- events ----------------------------------------------------------

    def trace_dispatch(self, frame, event, arg):
        """The trace function: whatever happens, the program goes on."""
        following = None
        try:
            try:
                following = self.dispatch(frame, event, arg)
            finally:
                self.inside = False
                # An interruption that is under way is to arrive here.
                for _ in range(100):
                    pass
        except BaseException as error:
            if not self.over:
                self.error("the debugger ends: %s: %s" % (
                    type(error).__name__, error))
            self.over = self.over or "lost"
        if not self.over:
            return following
        try:
            self.finish()
        except BaseException:
            sessions.pop(self.thread, None)
        return None

    def dispatch(self, frame, event, arg):
        if self.over:
            return None
        if self.first is not None:
            if frame.f_code is not self.first:
                return None
            self.first = None
        self.events += 1
        if self.events % TICK == 0 and (self.wire.forked() or
                                        self.wire.gone()):
            self.over = "lost"
            return None
        self.prompted = None
        self.top = frame
        try:
            return pdb.Pdb.trace_dispatch(self, frame, event, arg)
        except pdb.bdb.BdbQuit:
            return None

    def interaction(self, frame, *rest):
        self.prompted = frame, frame.f_lasti
        self.inside = True
        try:
            pdb.Pdb.interaction(self, frame, *rest)
        finally:
            self.kept.clear()

    def begin(self, frame):
        """From now on the thread's events are ours. The last thing that
        anything of ours does: what it called afterwards would be traced."""
        above = frame
        while above:
            self.traces.append((above, above.f_trace))
            above.f_trace = self.trace_dispatch
            self.botframe = above
            above = above.f_back
        self.traced = True
        sys.settrace(self.trace_dispatch)

    def finish(self):
        """Nothing of ours stays on the thread."""
        if self.closed:
            return
        self.closed = True
        sessions.pop(self.thread, None)
        if self.traced and sys.gettrace() == self.trace_dispatch:
            sys.settrace(None)
        frame = sys._getframe()
        while frame:
            if frame.f_trace == self.trace_dispatch:
                frame.f_trace = None
            frame = frame.f_back
        for frame, before in self.traces:
            if before is not None and frame.f_trace is None:
                frame.f_trace = before
        self.traces = []
        self.wire.close(self.wire.lost or self.over)
        self.forget()
        self.botframe = self.stopframe = self.returnframe = self.top = None

    # ---- what pdb asks for -----------------------------------------------

    def set_continue(self):
        self._set_stopinfo(self.botframe, None, -1)
        self.over = self.over or "continue"

    def set_quit(self):
        self.over = self.over or "quit"
        self.quitting = True

    def onecmd(self, line):
        word = line.strip().split(" ")[0]
        if word in ELSEWHERE:
            self.error("%s: not here; a probe stops at another place: "
                       "nopdb break" % word)
            return None
        if word in STEPS and self.foreign:
            self.error("%s: the program traces itself (sys.settrace)" % word)
            return None
        return pdb.Pdb.onecmd(self, line)

    def cmdloop(self, intro=None):
        pdb.Pdb.cmdloop(self, intro)
        self.wire.flush()

    def _select_frame(self, number):
        pdb.Pdb._select_frame(self, number)
        # A look at f_locals took the frame's own values over (<= 3.12).
        if OLD and self.curframe in self.kept:
            self.curframe_locals.update(self.kept[self.curframe])

    def print(self, *values, **options):
        options.setdefault("file", self.wire)
        builtins.print(*values, **options)

    def variables(self):
        return self.curframe_locals if OLD else self.curframe.f_locals

    def bound(self, name, value):
        """A variable of the frame was bound by hand."""
        frame = self.curframe
        if not OLD or self.curframe_locals is frame.f_globals:
            return
        self.kept.setdefault(frame, {})[name] = value
        if frame is self.top:
            self.written = True
        else:
            self.error("%s: the program will not see it: this version of "
                       "Python changes the innermost frame alone" % name)

    def fault(self):
        """What was typed raised: said to the client, unless it is to end."""
        kind, error = sys.exc_info()[:2]
        if self.over:
            raise error
        self.error(traceback.format_exception_only(kind, error)[-1].strip())

    def default(self, line):
        """Runs what is no command, without a touch to sys.stdin, sys.stdout
        and sys.displayhook, which are those of all threads."""
        if line[:1] == "!":
            line = line[1:].strip()
        names = Names(self, self.variables(), self.curframe.f_globals)
        try:
            try:
                code = compile(line, "<stdin>", "eval", 0, True)
            except SyntaxError:
                exec(compile(line + "\n", "<stdin>", "exec", 0, True),
                     self.curframe.f_globals, names)
                return
            value = eval(code, self.curframe.f_globals, names)
            if value is not None:
                self.message(repr(value))
        except BaseException:
            self.fault()

    def error(self, message):
        self.message("*** " + str(message))

    def do_help(self, arg):
        """The commands alone: the whole text is in pdb's manual."""
        if arg:
            pdb.Pdb.do_help(self, arg)
            return
        self.message(
            "where up down list args p pp whatis source ! step next until "
            "return jump\ncontinue quit; a statement runs in the frame. "
            "quit ends the probe as well.")

    do_h = do_help


# ---- for the agent ---------------------------------------------------------


def new_session(number, fd, seconds, first):
    """A session, or None when pdb cannot be had: said to the client."""
    wire = Wire(fd, seconds)
    try:
        return Session(number, wire, first)
    except BaseException as error:
        wire.write("*** the debugger does not start: %s: %s\n" % (
            type(error).__name__, error))
        wire.close("lost")
        return None


def here(direct):
    """May this thread stop now? True: with a new session; None: it is in one,
    which was told; else why not."""
    session = sessions.get(_thread.get_ident())
    if session and not session.over:
        session._set_stopinfo(None, None)
        return None
    if sys.gettrace() is not None and not direct:
        return ("the program is traced (sys.settrace): on this version of "
                "Python it cannot be debugged as well")
    return True


def start(number, fd, seconds, code):
    """<= 3.11: the event that is under way goes to pdb next, from the
    interpreter and not from the agent, which may leave meanwhile. fd -1: to
    the session that the thread is in, which may have gone over this frame."""
    frame = sys._getframe(1).f_back
    if fd < 0:
        session = sessions.get(_thread.get_ident())
        if session and frame and frame.f_code is code:
            frame.f_trace = session.trace_dispatch
        return
    session = new_session(number, fd, seconds, code)
    if session:
        session.begin(frame)


def stop(number, fd, seconds, event):
    """3.12 and later: a prompt right here, in the agent's callback; fd -1: of
    the session that the thread is in. True when the frame is to take over what
    was bound in its f_locals."""
    frame = sys._getframe(1).f_back
    session = sessions.get(_thread.get_ident())
    if session is None:
        if fd < 0:
            return False
        session = new_session(number, fd, seconds, None)
        if session is None:
            return False
        session.foreign = sys.gettrace() is not None
        session.botframe = frame
        while session.botframe.f_back:
            session.botframe = session.botframe.f_back
    elif session.prompted == (frame, frame.f_lasti):
        return False
    session.written = False
    session.trace_dispatch(frame, event, None)
    if not (session.over or session.traced or session.foreign):
        session.begin(frame)
    return session.written


def end(number):
    """A session is over, or with 0 all are. The threads that are to be
    interrupted in what was typed."""
    busy = []
    for thread, session in list(sessions.items()):
        if number in (0, session.number):
            session.over = session.over or "lost"
            session.wire.hang_up()
        if session.over and session.inside:
            busy.append(thread)
    return tuple(busy)
