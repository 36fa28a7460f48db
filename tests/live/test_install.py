# SPDX-License-Identifier: MIT
"""make install and make uninstall: complete, of use, and without a trace."""
import os
import pathlib
import shutil
import subprocess

import pytest

import proc
from machine import BUILD, ROOT, Target
from rpc import Client

PREFIX = "/opt/some place"


def make(*words):
    """As a user would call it, whatever make runs these tests."""
    env = {name: value for name, value in os.environ.items()
           if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "CI", "OUT",
                           "FLAVOUR", "DESTDIR", "PREFIX")}
    done = subprocess.run(
        ["make", "-s", "-C", str(ROOT), "OUT=" + os.path.relpath(BUILD, ROOT),
         *words], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, universal_newlines=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


def files(folder):
    """Every file below, and what it is: its content's size and its mode."""
    return {str(path.relative_to(folder)): oct(path.stat().st_mode & 0o7777)
            for path in sorted(folder.rglob("*")) if not path.is_dir()}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """DESTDIR, with a stranger's file among ours."""
    destdir = tmp_path_factory.mktemp("dest")
    strange = destdir / PREFIX[1:] / "bin" / "stranger"
    strange.parent.mkdir(parents=True)
    strange.write_text("")
    make("install", "DESTDIR=%s" % destdir, "PREFIX=" + PREFIX)
    yield destdir


def test_everything_is_there(installed):
    found = files(installed / PREFIX[1:])
    wanted = {"bin/stranger", "bin/nopdb", "bin/nopdbd",
              "lib/nopdb/nopdb-agent.so",
              "lib/systemd/system/nopdbd.service",
              "lib/systemd/system/nopdbd.socket",
              "share/bash-completion/completions/nopdb",
              "share/zsh/site-functions/_nopdb",
              "share/fish/vendor_completions.d/nopdb.fish"}
    wanted |= {"share/man/man%s/%s" % (page.suffix[1:], page.name)
               for page in (ROOT / "man").iterdir()}
    wanted |= {"lib/nopdb/" + schema.name
               for schema in (ROOT / "proto").glob("*.json")}
    wanted |= {"lib/nopdb/python/nopdb/" + module.name for module
               in (ROOT / "clients" / "python" / "nopdb").iterdir()
               if module.suffix == ".py" or module.name == "py.typed"}
    assert set(found) == wanted
    assert len([name for name in wanted if "/man/" in name]) >= 3
    assert "lib/nopdb/schema.json" in wanted
    for name, mode in found.items():
        if name != "bin/stranger":
            assert mode == ("0o755" if name.startswith("bin/") else "0o644")


def test_nothing_lies_elsewhere(installed):
    assert all(name.startswith(PREFIX[1:] + "/") for name in files(installed))


def test_it_works_from_there(installed, newest, folder):
    """The command finds its daemon, the daemon its agent, Python both."""
    prefix = installed / PREFIX[1:]
    env = {"PATH": "/usr/bin:/bin", "NOPDB_SOCKET": str(folder / "sock"),
           "PYTHONPATH": str(prefix / "lib/nopdb/python"),
           "PYTHONDONTWRITEBYTECODE": "1"}
    code = ("import nopdb, sys\n"
            "with nopdb.attach(int(sys.argv[1])) as there:\n"
            "    print(there.python)\n")
    with Target(newest, "zoo") as target:
        try:
            found = subprocess.run([newest.path, "-c", code, str(target.pid)],
                                   env=env, stdout=subprocess.PIPE,
                                   universal_newlines=True, check=True)
            assert found.stdout.strip() == ".".join(
                map(str, newest.version))
            done = subprocess.run(
                [str(prefix / "bin/nopdb"), "eval", str(target.pid), "6 * 7",
                 "--json"], env=env, stdout=subprocess.PIPE,
                universal_newlines=True, check=True)
            assert '"value":42' in done.stdout
            with Client(folder / "sock") as client:
                daemon = client.call("hello", client="test")["pid"]
                assert os.readlink("/proc/%d/exe" % daemon) == str(
                    prefix / "bin/nopdbd")
                client.call("shutdown")
            proc.wait_until(lambda: not (folder / "sock").exists(), 20,
                            "end of the daemon")
        finally:
            assert proc.agent_left(target.pid) == []


def test_the_unit_names_the_prefix(installed):
    unit = (installed / PREFIX[1:] / "lib/systemd/system/nopdbd.service"
            ).read_text()
    assert 'ExecStart="%s/bin/nopdbd" ' % PREFIX in unit
    assert "@BINDIR@" not in unit


@pytest.mark.skipif(not shutil.which("mandoc"), reason="no mandoc")
def test_manuals_can_be_read(installed):
    for page in (installed / PREFIX[1:] / "share/man").rglob("*.[1-8]"):
        done = subprocess.run(["mandoc", "-T", "utf8", str(page)],
                              stdout=subprocess.PIPE, check=True)
        assert b"nopdb" in done.stdout


def test_uninstall_leaves_nothing(tmp_path):
    """No file, and no folder of ours; what is another's stays. Twice over:
    installing again changes nothing, removing again is no error."""
    words = ("DESTDIR=%s" % tmp_path, "PREFIX=/usr")
    strange = tmp_path / "usr" / "bin" / "stranger"
    strange.parent.mkdir(parents=True)
    strange.write_text("")
    make("install", *words)
    once = files(tmp_path)
    make("install", *words)
    assert files(tmp_path) == once
    cache = tmp_path / "usr/lib/nopdb/python/nopdb/__pycache__"
    cache.mkdir()
    (cache / "process.cpython-313.pyc").write_text("")
    make("uninstall", *words)
    assert set(files(tmp_path)) == {"usr/bin/stranger"}
    assert [path for path in tmp_path.rglob("*nopdb*")] == []
    make("uninstall", *words)
    make("uninstall", "DESTDIR=%s" % pathlib.Path(tmp_path / "none"))
