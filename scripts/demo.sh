#!/bin/sh
# SPDX-License-Identifier: MIT
# demo: watches `python3 -m http.server`, a program that was never prepared for
# it, while it answers requests; then shows that nothing of us is left in it.
#
# usage: scripts/demo.sh BUILD_FOLDER     ($PYTHON: another interpreter)
#
# Takes some seconds, ends what it started and nothing else, and fails when any
# step does. Its daemon has a socket of its own.
set -eu

build=$(cd "${1:-build}" && pwd)
nopdb=$build/nopdb
where=http.server:SimpleHTTPRequestHandler.do_GET
requests=5

python=${PYTHON:-/usr/bin/python3}
[ -x "$python" ] || python=$(command -v python3) || {
    echo "demo: python3 is missing" >&2
    exit 1
}

work=$(mktemp -d)
NOPDB_SOCKET=$work/sock
export NOPDB_SOCKET
server=
client=

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }
fail() {
    echo "demo: FAILED: $*" >&2
    exit 1
}

# Asks the demo's own daemon to stop.
stop_daemon() {
    [ -S "$NOPDB_SOCKET" ] || return 0
    "$python" - "$NOPDB_SOCKET" <<'END' || true
import socket, sys
daemon = socket.socket(socket.AF_UNIX)
daemon.settimeout(10)
daemon.connect(sys.argv[1])
daemon.sendall(b'{"jsonrpc":"2.0","id":1,"method":"shutdown"}\n')
daemon.recv(4096)
END
}

# Ends the processes of this demo, by their ids.
clean_up() {
    status=$?
    trap - EXIT INT TERM
    for pid in $client $server; do
        kill "$pid" 2>/dev/null || true
    done
    stop_daemon
    rm -rf "$work"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Waits until a command succeeds, at most $1 tenths of a second.
within() {
    tenths=$1
    shift
    while ! "$@"; do
        tenths=$((tenths - 1))
        [ "$tenths" -gt 0 ] || return 1
        sleep 0.1
    done
}

port_of() {
    port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$work/server.log")
    [ -n "$port" ]
}

# Asks for a page and checks what comes.
request() {
    "$python" - "$port" "$1" <<'END'
import sys, urllib.request
port, page = sys.argv[1:]
url = "http://127.0.0.1:%s/%s" % (port, page)
proxy = urllib.request.ProxyHandler({})
text = urllib.request.build_opener(proxy).open(url, timeout=5).read()
if b"hello" not in text:
    sys.exit("unexpected answer: %r" % text)
END
}

# A child that ended is a zombie until it is waited for.
running() { grep -q '^State:[[:space:]]*[^ZX]' "/proc/$1/status" 2>/dev/null; }

# What the server's memory map and its threads have to do with us.
traces() { grep -i nopdb "/proc/$server/maps" || true; }
threads() { ls "/proc/$server/task"; }

say "1. A web server, started as ever: $python -m http.server"
mkdir "$work/www"
echo hello >"$work/www/hello.txt"
cd "$work/www"
"$python" -u -m http.server 0 --bind 127.0.0.1 >"$work/server.log" 2>&1 &
server=$!
cd "$work"
within 100 port_of || fail "the server did not start: $(cat "$work/server.log")"
request hello.txt || fail "the server does not serve"
before=$(threads)
echo "pid $server serves on port $port"

say "2. nopdb calls $server $where -n $requests"
"$nopdb" calls "$server" "$where" -n "$requests" &
client=$!
sent=0
while running "$client" && [ "$sent" -lt 100 ]; do
    sleep 0.2
    sent=$((sent + 1))
    request "hello.txt?request=$sent" || fail "a watched server does not serve"
done
if running "$client"; then
    fail "no $requests captures after $sent requests"
fi
status=0
wait "$client" || status=$?
client=
[ "$status" -eq 0 ] || fail "nopdb calls ended with $status"

say "3. It detached by itself. What is left in the server?"
running "$server" || fail "the server is gone"
[ -z "$(traces)" ] || fail "$(traces)"
[ "$(threads)" = "$before" ] || fail "threads: $(threads)"
grep -q '^TracerPid:[[:space:]]*0$' "/proc/$server/status" || fail "traced"
echo "/proc/$server/maps: nothing of nopdb; threads: as before; tracer: none"

say "4. And it still serves:"
request hello.txt || fail "the server does not serve any more"
tail -n 1 "$work/server.log"
echo "demo: ok"
