#!/usr/bin/env bash
# Tests against real services: Kafka, Cassandra and an S3 server. `scripts/test-live.sh STEP…` runs some steps only.
# Services that run are used and left running; if none does, a set of its own is started and deleted at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

# shellcheck disable=SC2034
all_steps=(backends faults load)

# The contracts of log, store and blobs, and what is beyond them.
step_backends() {
  local tests
  mapfile -t tests < <(live_tests backends)
  [ ${#tests[@]} -gt 0 ] || { echo "error: no test of backends needs the feature live" >&2; return 1; }
  cargo test -p playhead-backends --features live --locked "${tests[@]}"
}

# Brokers, processors and the store are killed, frozen and taken away under load.
step_faults() { scripts/faults.sh; }

# Recorded pages, sent by many visitors to the scaled shape, with and without faults.
step_load() { scripts/load-scaled.sh; }

# The tests of a crate that need the feature `live`, as arguments for cargo.
live_tests() {
  awk -F'"' '/^name = /{name = $2} /^required-features = \["live"\]/{print "--test=" name}' "$1/Cargo.toml"
}

states() { scripts/services.sh status || true; }

# Started once more for those that were away, and stopped again at the end.
use_running() {
  missing=$(awk '$2 == "stopped" {print $1}' <<<"$1")
  trap 'finish; stop_missing' EXIT
  scripts/services.sh up
}

# shellcheck disable=SC2086
stop_missing() { [ -z "$missing" ] || scripts/services.sh stop $missing; }

use_own() {
  local cache="${XDG_CACHE_HOME:-$HOME/.cache}/playhead"
  mkdir -p "$cache"
  PLAYHEAD_SERVICES_DIR=$(mktemp -d "$cache/live.XXXXXX")
  export PLAYHEAD_SERVICES_DIR
  trap 'finish; scripts/services.sh down --wipe; rm -rf "$PLAYHEAD_SERVICES_DIR"' EXIT
  scripts/services.sh up
}

# After a failure the services' own words may tell why.
finish() {
  local status=$? log
  [ $status -ne 0 ] || return 0
  for log in $(states | sed -n 's/.*  log //p'); do
    echo "--- warnings and errors in $log" >&2
    grep -E 'WARN|ERROR|FATAL|Exception' "$log" | tail -n 20 >&2 || true
  done
}

# shellcheck disable=SC1091
[ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
check_steps "$@"
before=$(states)
if grep -qE ' (running|paused) ' <<<"$before"; then use_running "$before"; else use_own; fi
eval "$(scripts/services.sh env)"
run_steps "$@"
