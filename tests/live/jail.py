# SPDX-License-Identifier: MIT
"""Targets in roots that are not ours: built from bind mounts in a mount
namespace of their own, so nothing is to be undone afterwards."""
import pathlib
import tempfile

import proc
from machine import BUILD, ROOT, TARGETS, Interpreter, Target

# Runs as root in a new mount namespace; $1 is the place of the new root, $2
# what it shows, $3 a file with steps, the rest the command within.
SCRIPT = r"""
set -eu
new=$1 old=$2 steps=$3
shift 3
mount --bind "$old" "$new"
bind() {
	mkdir -p "$new$1"
	mount --rbind "$1" "$new$1"
}
small() {
	mount -t tmpfs -o "size=32m,mode=1777${2:-}" nopdb-test "$new$1"
}
. "$steps"
cd "$new"
exec $NOPDB_JAIL_WITHIN chroot "$new" "$@"
"""
NOBODY = "setpriv --reuid=65534 --regid=65534 --clear-groups"
SHOW_PROC = 'mount -t proc proc "$new/proc"'
OTHERS_PROC = 'unshare --pid --fork ' + SHOW_PROC


class Jail:
    """A root with the steps of `steps` (lines of shell) on top of a folder.

    pids: a pid namespace of its own, whose first process the target is.
    user: as nobody, who is root in a user namespace.
    """

    def __init__(self, root="/", steps=(), pids=False, user=False):
        # No "nopdb" in its name: the tests look for that in maps.
        self.folder = tempfile.TemporaryDirectory(prefix="jail-")
        folder = pathlib.Path(self.folder.name)
        folder.chmod(0o755)
        self.place = folder / "root"
        self.place.mkdir()
        self.root = str(root)
        self.steps = folder / "steps"
        self.own_steps = list(steps)
        self.pids = pids
        self.within = NOBODY + " unshare --user --map-root-user" if user \
            else ""

    def prefix(self):
        words = ["unshare", "--mount", "--propagation", "private"]
        if self.pids:
            words += ["--pid", "--fork", "--kill-child"]
        return (*words, "/bin/sh", "-c", SCRIPT, "jail", str(self.place),
                self.root, str(self.steps))

    def target(self, python, module="idle"):
        needed = [TARGETS, BUILD / "test" / "targets"]
        if self.root == "/":
            needed.append(pathlib.Path(python.path).resolve().parent.parent)
        # /dev first: a step may put something into it.
        self.steps.write_text("\n".join(
            ["bind /dev", *uncover(needed),
             *("bind %s" % path for path in needed if str(path) != "/usr"),
             *self.own_steps]) + "\n")
        return Prisoner(self, python, module)


class Prisoner(Target):
    """A target within; `pid` is its id out here."""

    def __init__(self, jail, python, module):
        super().__init__(python, module, prefix=jail.prefix(),
                         env={"NOPDB_JAIL_WITHIN": jail.within})
        if jail.pids:
            self.pid = innermost(self.process.pid)


def uncover(paths):
    """Steps that replace the folders above `paths` that not everybody may
    pass (as /root) by empty ones."""
    closed = {folder for path in paths for folder in path.parents
              if not folder.stat().st_mode & 0o001}
    return ["mkdir -p $new%s && mount -t tmpfs -o mode=755 nopdb-test $new%s"
            % (folder, folder) for folder in sorted(closed)
            if not closed & set(folder.parents)]


def innermost(pid):
    """The last of a chain of processes that have one child each."""
    while True:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as stream:
            children = stream.read().split()
        if not children:
            return pid
        pid = int(children[0])


def root_of(python):
    """The root that an interpreter of conftest's lives in, and itself there:
    those of forky are in one of their own."""
    if python.id.startswith("forky"):
        folder = pathlib.Path(python.path).resolve().parent
        return folder / "root", Interpreter(
            python.id, python.version,
            "/usr/bin/python3.%d" % python.version[1])
    return "/", python


def bullseye():
    """(root, interpreter) of Debian bullseye; None when it was not to be had
    (scripts/bullseye-root says why)."""
    root = ROOT / "build" / "bullseye" / "root"
    if not (root / "usr/bin/python3.9").exists():
        return None
    return root, Interpreter("bullseye", (3, 9, 2), "/usr/bin/python3.9")


def leftovers(pid):
    """Files of ours in the temporary folders of a target's root."""
    found = []
    for folder in ("tmp", "var/tmp", "dev/shm"):
        path = pathlib.Path("/proc/%d/root" % pid) / folder
        if path.is_dir():
            found += [str(file) for file in path.glob(".nopdb-*")]
    return found


def agent_path(pid):
    """Where the agent that is in a target was loaded from."""
    return sorted({path for (access, path) in proc.maps(pid)
                   if "nopdb" in path and "x" in access})

