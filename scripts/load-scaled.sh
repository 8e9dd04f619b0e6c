#!/usr/bin/env bash
# Short versions of the scenarios of the scaled shape: nothing lost, nothing doubled, all complete, with and without faults. Times are not
# judged. Uses the services that run, or starts them.
set -euo pipefail
cd "$(dirname "$0")/.."

# shellcheck disable=SC1091
[ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
release="${CARGO_TARGET_DIR:-target}/release"
cargo build --release --locked -p playhead -p playhead-loadtest
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

press() {
  local scenario=$1
  shift
  echo "load: $scenario"
  "$release/loadtest" run "loadtest/scenarios/$scenario.toml" --start "$release/playhead" --services scripts/services.sh \
    --setting PLAYHEAD_PROCESSOR__END_GRACE_MS=1000 --setting PLAYHEAD_PROCESSOR__COMPACTION_INTERVAL_MS=1000 \
    --integrity-only --out "$out/$scenario" "$@" >"$out/$scenario.json" || { cat "$out/$scenario.json"; exit 1; }
}

press floor --duration 15 --rate 200 --sample 0.2
press chaos --duration 60 --rate 100 --sample 0.2 --gateways 2 --processors 2
