#!/usr/bin/env bash
# Short faults in the scaled shape, with fixed seeds, judged by outcomes alone; `loadtest/README.md` has all of them. Needs what
# `cargo build --release -p playhead -p playhead-loadtest` makes.
set -euo pipefail
cd "$(dirname "$0")/.."

release="${CARGO_TARGET_DIR:-target}/release"
faults() { "$release/loadtest" faults "$@" --binary "$release/playhead" --services scripts/services.sh; }

faults sizes rebalance broker-kill store-away --seconds 15 --seed 7
