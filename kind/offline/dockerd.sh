#!/bin/sh
# Docker on a machine without an init system: starts dockerd with the runc wrapper of this folder as its runtime, or stops it.
# Needs root and `apt-get install docker.io debootstrap`. A machine where `docker info` answers already needs nothing of this.
#
#   kind/offline/dockerd.sh start    returns when docker answers
#   kind/offline/dockerd.sh stop     returns when it is gone
set -eu

here=$(cd "$(dirname "$0")" && pwd)
state=/run/tidegate-dockerd
pidfile=$state/pid
log=$state/log

start() {
    if docker info >/dev/null 2>&1; then
        echo "docker answers already"
        return
    fi
    for program in dockerd containerd runc; do
        if ! command -v "$program" >/dev/null; then
            echo "dockerd.sh: $program is missing; apt-get install docker.io" >&2
            exit 1
        fi
    done
    mkdir -p "$state"
    # A copy: the daemon must not depend on where a working copy of the repository lies.
    install -m 755 "$here/runc" "$state/runc"
    cat >"$state/daemon.json" <<JSON
{
  "storage-driver": "overlay2",
  "runtimes": { "restricted": { "path": "$state/runc" } },
  "default-runtime": "restricted",
  "pidfile": "$pidfile",
  "exec-root": "$state/exec",
  "log-level": "warn"
}
JSON
    setsid dockerd --config-file "$state/daemon.json" >"$log" 2>&1 </dev/null &
    waited=0
    until docker info >/dev/null 2>&1; do
        waited=$((waited + 1))
        if [ "$waited" -gt 150 ] || ! kill -0 $! 2>/dev/null; then
            echo "dockerd.sh: dockerd does not answer; the end of $log:" >&2
            tail -n 15 "$log" >&2
            exit 1
        fi
        sleep 0.2
    done
    echo "docker answers"
}

stop() {
    [ -f "$pidfile" ] || { echo "no dockerd of this script runs"; return; }
    kill "$(cat "$pidfile")" 2>/dev/null || true
    while [ -f "$pidfile" ]; do sleep 0.2; done
    echo "dockerd stopped"
}

case "${1:-}" in
    start) start ;;
    stop) stop ;;
    *)
        sed -n '2,6p' "$0" >&2
        exit 2
        ;;
esac
