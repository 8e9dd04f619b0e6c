#!/usr/bin/env bash
# Short faults in the scaled shape, judged by outcomes alone: nothing lost, nothing doubled, all complete, nobody refused without need.
# `loadtest/README.md` has all of them. Uses the services that run, or starts them; five minutes, more where other work is done beside it.
set -euo pipefail
cd "$(dirname "$0")/.."

# shellcheck disable=SC1091
[ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
release="${CARGO_TARGET_DIR:-target}/release"
cargo build --release --locked -p playhead -p playhead-loadtest
# The seed decides what is done when, so that a failure can be played again.
faults() { "$release/loadtest" faults "$@" --binary "$release/playhead" --services scripts/services.sh >"$out"; }

out=$(mktemp)
trap 'rm -f "$out"' EXIT
faults broker-kill zombie store-away rebalance alerts --seconds 10 --seed "${PLAYHEAD_FAULTS_SEED:-7}" || { cat "$out"; exit 1; }
