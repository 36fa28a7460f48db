# SPDX-License-Identifier: MIT
"""The client in a Jupyter kernel and in an IPython shell, and both seen from
outside: cells, their names, code that is defined again or reloaded. With the
system's Python, for which Debian has IPython."""
import os
import queue
import subprocess
import sys
import time

import pytest

from machine import BUILD, ROOT

sys.path.insert(0, str(ROOT / "clients" / "python"))

import nopdb  # noqa: E402

jupyter_client = pytest.importorskip(
    "jupyter_client", reason="python3-ipykernel is not installed")

PYTHON = "/usr/bin/python3"
WAIT = 120

FIRST_CELL = """\
import nopdb
def blend(colours, weight):
    total = sum(colours)
    share = total * weight
    return share
class Brush:
    def paint(self, colour):
        return self, colour
"""


@pytest.fixture
def env(session_daemon, folder):
    return dict(os.environ, PYTHONPATH=str(ROOT / "clients" / "python"),
                PYTHONDONTWRITEBYTECODE="1", NOPDB_BUILD=str(BUILD),
                NOPDB_SOCKET=str(session_daemon.socket),
                IPYTHONDIR=str(folder), JUPYTER_RUNTIME_DIR=str(folder),
                HOME=str(folder))


class Kernel:
    """Runs cells; what one prints and shows is its answer."""

    def __init__(self, env):
        from jupyter_client.manager import start_new_kernel
        self.manager, self.client = start_new_kernel(
            startup_timeout=WAIT, env=env, kernel_name="python3",
            extra_arguments=["--HistoryManager.enabled=False"])
        self.pid = int(self.run("import os; print(os.getpid())"))

    def run(self, cell):
        """The text of a cell; what it raises is raised here."""
        text = []

        def hook(message):
            content = message["content"]
            if message["msg_type"] == "stream":
                text.append(content["text"])
            elif message["msg_type"] == "execute_result":
                text.append(content["data"]["text/plain"] + "\n")
        try:
            answer = self.client.execute_interactive(
                cell, timeout=WAIT, output_hook=hook)
        except queue.Empty:
            raise TimeoutError("no answer to: " + cell) from None
        content = answer["content"]
        assert content["status"] == "ok", "\n".join(content["traceback"])
        return "".join(text).strip()

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel(session_daemon, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("kernel"))
    started = Kernel(dict(
        os.environ, PYTHONPATH=str(ROOT / "clients" / "python"),
        PYTHONDONTWRITEBYTECODE="1", NOPDB_BUILD=str(BUILD),
        NOPDB_SOCKET=str(session_daemon.socket), IPYTHONDIR=folder,
        JUPYTER_RUNTIME_DIR=folder, HOME=folder))
    yield started
    started.close()


def test_cells_of_a_kernel(kernel):
    kernel.run(FIRST_CELL)
    assert kernel.run(
        "with nopdb.capture_calls(blend) as calls:\n"
        "    blend([1, 2], 0.5)\n"
        "calls") == ("[CallInfo(name='blend', args=OrderedDict("
                     "colours=[1, 2], weight=0.5), return_value=1.5)]")
    assert kernel.run("calls[0].locals['total'], calls[0].globals['blend'] "
                      "is blend") == "(3, True)"
    stack = kernel.run("calls[0].print_stack()")
    assert "in blend\n    return share" in stack, stack
    assert "in <module>" in stack or "in <cell line" in stack
    # By the text of a line of a cell, its number in the cell, and its name.
    for line in ("'share = total * weight'", "4", "'+2'"):
        assert kernel.run(
            "with nopdb.breakpoint(blend, line=%s) as bp:\n"
            "    totals = bp.eval('total')\n"
            "    blend([1, 2], 1)\n"
            "totals, bp.hits[0].line" % line) == "([3], 4)", line
    assert kernel.run(
        "with nopdb.capture_calls(file=blend.__code__.co_filename) as calls:\n"
        "    blend([5], 1)\n"
        "[call.name for call in calls]") == "['blend']"


def test_cells_that_are_run_again(kernel):
    kernel.run(FIRST_CELL)
    kernel.run("old = nopdb.capture_calls(blend)\n"
               "named = nopdb.capture_calls('blend', module='__main__')")
    kernel.run(FIRST_CELL.replace("total * weight", "total * weight * 10"))
    assert kernel.run(
        "with nopdb.capture_call(blend) as call:\n"
        "    blend([1, 2], 1)\n"
        "old.close(); named.close()\n"
        "call.return_value, len(old), len(named)") == "(30, 0, 1)"
    assert kernel.run(
        "brush, other = Brush(), Brush()\n"
        "with nopdb.capture_calls(brush.paint) as calls:\n"
        "    kept = brush.paint([1]); other.paint([2])\n"
        "len(calls), calls[0].args['self'] is brush, "
        "calls[0].return_value is kept") == "(1, True, True)"


def test_reloaded_modules_in_a_kernel(kernel, folder):
    kernel.run("import sys; sys.path.insert(0, %r)\n"
               "sys.dont_write_bytecode = True\n"
               "%%load_ext autoreload\n%%autoreload 2" % str(folder))
    module = folder / "shades.py"
    module.write_text("def shade(x):\n    y = x + 1\n    return y\n")
    assert kernel.run("import shades\nshades.shade(1)") == "2"
    kernel.run("open_calls = nopdb.capture_calls(shades.shade)\n"
               "shades.shade(5)")
    module.write_text("# changed\ndef shade(x):\n    y = x + 100\n"
                      "    return y\n")
    later = time.time() + 5  # autoreload compares whole seconds
    os.utime(str(module), (later, later))
    assert kernel.run(
        "with nopdb.capture_call(shades.shade) as call, \\\n"
        "        nopdb.breakpoint(shades.shade, line='return y') as bp:\n"
        "    ys = bp.eval('y')\n"
        "    shades.shade(1)\n"
        "open_calls.close()\n"
        "call.return_value, ys, bp.hits[0].line, "
        "[one.args['x'] for one in open_calls][0]") == "(101, [101], 4, 5)"


def test_a_kernel_from_outside(kernel, session_daemon):
    kernel.run(FIRST_CELL)
    with nopdb.attach(kernel.pid, session_daemon.socket) as process:
        with process.capture_calls("blend", module="__main__") as calls, \
                process.breakpoint("blend", module="__main__",
                                   line="return share") as bp:
            shares = bp.eval("share")
            kernel.run("blend([4], 2)")
        cell = calls[0].file
        assert calls[0].return_value == 8 and shares == [8]
        with process.capture_calls(file=cell) as calls:
            kernel.run("blend([4], 3)")
        assert [call.name for call in calls] == ["blend"]
        assert process.eval("blend([1], 1)") == 1
        with pytest.raises(nopdb.LocationError, match="code: 2"):
            process.lines(file=cell, line=1)
    assert kernel.run("1 + 1") == "2"


def test_an_ipython_shell(env, folder):
    """Its cells have names of their own."""
    (folder / "profile_default").mkdir(exist_ok=True)
    script = FIRST_CELL + "\n" + "\n".join([
        "with nopdb.capture_call(blend) as call:",
        "    result = blend([1, 2], 0.5)",
        "",
        "print('captured', call.return_value, call.args['weight'])",
        "print('cell', 'ipython-input' in call.file)",
        "with nopdb.breakpoint(blend, line='share = total * weight') as bp:",
        "    totals = bp.eval('total')",
        "    result = blend([5, 2], 0.5)",
        "",
        "print('totals', totals)",
        "def blend(colours): return 'again'",
        "",
        "with nopdb.capture_call(blend) as call:",
        "    result = blend(0)",
        "",
        "print('anew', call.return_value)",
        "exit()", ""])
    done = subprocess.run(
        [PYTHON, "-m", "IPython", "--simple-prompt", "--no-banner",
         "--colors=NoColor", "--no-confirm-exit",
         "--HistoryManager.enabled=False"],
        input=script, env=env, cwd=str(folder), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, universal_newlines=True, timeout=WAIT)
    for words in ("captured 1.5 0.5", "cell True", "totals [7]",
                  "anew again"):
        assert words in done.stdout, done.stdout[-4000:]
