# SPDX-License-Identifier: MIT
"""Where the daemon is, and how it is started: as the command does it."""
import os
import shutil
import socket
import stat
import struct
import subprocess
import time
from pathlib import Path
from typing import List, Optional, Union

from .errors import DaemonError, NotPermitted

SYSTEM_SOCKET = "/run/nopdb/sock"
START_SECONDS = 10.0
SOCKET_PATH_MOST = 107

PathLike = Union[str, "os.PathLike[str]"]


def find_program(name: str) -> Optional[str]:
    """The path of nopdbd or nopdb: $NOPDB_BUILD, the build tree that this
    package lies in, PATH, the folder of an install. None: there is none."""
    places: List[Path] = []
    if os.environ.get("NOPDB_BUILD"):
        places.append(Path(os.environ["NOPDB_BUILD"]))
    folders = Path(__file__).resolve().parents
    if len(folders) > 4:
        # TREE/clients/python/nopdb, PREFIX/lib/nopdb/python/nopdb
        if (folders[3] / "Makefile").exists():
            places.append(folders[3] / "build")
        places.append(folders[4] / "bin")
    for place in places:
        if os.access(str(place / name), os.X_OK):
            return str(place / name)
    found = shutil.which(name)
    if found:
        return found
    for folder in ("/usr/local/bin", "/usr/bin"):
        if os.access(os.path.join(folder, name), os.X_OK):
            return os.path.join(folder, name)
    return None


def _own_directory(path: str) -> bool:
    """Is it a directory of this user alone?"""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return (stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
            and not found.st_mode & 0o022)


def default_sockets() -> List[str]:
    """Where this user's daemon may listen, the preferred place first."""
    places = []
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/") and _own_directory(runtime):
        places.append(runtime + "/nopdb/sock")
    folder = "/tmp/nopdb-%d" % os.geteuid()
    if not os.path.lexists(folder) or _own_directory(folder):
        places.append(folder + "/sock")
    elif not places:
        raise NotPermitted("%s: not a directory of this user alone" % folder,
                           remedy="remove it, or name a socket")
    return [place for place in places
            if len(os.fsencode(place)) <= SOCKET_PATH_MOST]


def _check_peer(connected: socket.socket, path: str) -> None:
    """The daemon of this user or of root: another could lie to us."""
    raw = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED,
                               struct.calcsize("3i"))
    uid = struct.unpack("3i", raw)[1]
    if uid not in (os.geteuid(), 0) and os.geteuid() != 0:
        raise NotPermitted("%s: the daemon belongs to user %d" % (path, uid),
                           remedy="name a socket of your own")


def _try(path: str) -> Optional[socket.socket]:
    """Connects; None when nobody listens there."""
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connected.connect(path)
        _check_peer(connected, path)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        connected.close()
        return None
    except PermissionError as error:
        connected.close()
        raise NotPermitted("%s: %s" % (path, error.strerror),
                           remedy="name a socket of your own") from None
    except BaseException:
        connected.close()
        raise
    return connected


def _start(path: str) -> "subprocess.Popen[bytes]":
    """A daemon in a session of its own, nobody's child; the shell that is
    returned ends at once."""
    program = find_program("nopdbd")
    if program is None:
        raise DaemonError("no nopdbd is found", remedy="install nopdb, or "
                          "name the folder that has it in $NOPDB_BUILD")
    try:
        return subprocess.Popen(
            ["/bin/sh", "-c", '"$@" </dev/null >/dev/null &', "sh", program,
             "--socket", path], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/",
            start_new_session=True)
    except OSError as error:
        raise DaemonError("cannot start %s: %s" % (program, error)) from None


def _launch(path: str) -> socket.socket:
    """Starts a daemon for a socket and connects to it."""
    starter = _start(path)
    assert starter.stderr is not None
    os.set_blocking(starter.stderr.fileno(), False)
    starter.wait()
    said = b""
    deadline = time.monotonic() + START_SECONDS
    try:
        while time.monotonic() < deadline:
            connected = _try(path)
            if connected:
                return connected
            said += starter.stderr.read(4096) or b""
            time.sleep(0.02)
    finally:
        starter.stderr.close()
    words = said.decode("utf-8", "replace").strip().splitlines()
    raise DaemonError("no daemon at %s: %s" % (
        path, words[0] if words else "none answers within %g s"
        % START_SECONDS))


def connect(path: Optional[PathLike] = None) -> socket.socket:
    """A connected socket; starts a daemon when there is none.

    path: of the socket; else $NOPDB_SOCKET, else the places of this user,
    else that of the system.
    """
    named = os.fspath(path) if path else os.environ.get("NOPDB_SOCKET")
    if named:
        named = os.path.abspath(named)
        if len(os.fsencode(named)) > SOCKET_PATH_MOST:
            raise DaemonError("socket %s: longer than %d bytes" % (
                named, SOCKET_PATH_MOST))
        return _try(named) or _launch(named)
    places = default_sockets()
    if not places:
        raise DaemonError("no place for a socket", remedy="name one")
    for place in places:
        connected = _try(place)
        if connected:
            return connected
    if not any(os.path.lexists(place) for place in places):
        connected = _try(SYSTEM_SOCKET)
        if connected:
            return connected
    return _launch(places[0])
