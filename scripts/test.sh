#!/usr/bin/env bash
# Everything that CI runs, step by step; the first failure ends it. `scripts/test.sh STEP…` runs some steps only.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh
. scripts/steps.sh

# Steps in order. Formatting and lints first, as they are quick; browsers last.
# shellcheck disable=SC2034
all_steps=(prepare format lint rust simulation sdk dashboard build chart kill load live end-to-end)

step_prepare() { scripts/prepare.sh browser; }
step_format() { cargo fmt --all --check; }
step_lint() { cargo clippy --workspace --all-targets --locked -- -D warnings; }
step_rust() { scripts/country.sh; cargo test --workspace --locked; }
# Ten thousand seeds of several processors over one log and store, with crashes, freezes and lost answers.
step_simulation() {
  SEEDS=10000 cargo test --release --locked -p playhead-stream-processor --test simulation -- every_seed
}
step_sdk() { install_npm sdk; (cd sdk && npm run --silent check && npm test --silent); }
step_dashboard() { install_npm dashboard; (cd dashboard && npm run --silent check && npm test --silent); }
step_build() { scripts/build.sh; }
# The Helm chart, alerts and dashboards, against the binary.
step_chart() { scripts/chart.sh; }
# Fifty kills under load: nothing acknowledged is lost or doubled, every session plays.
step_kill() {
  cargo build --release --locked -p playhead-loadtest
  local release="${CARGO_TARGET_DIR:-target}/release"
  "$release/loadtest" kill --binary "$release/playhead" --kills 50
}
# Recorded pages, sent by many visitors: the read model equals what was acknowledged.
step_load() { scripts/load.sh; }
# Against Kafka, Cassandra and an S3 server, which it installs and starts.
step_live() { scripts/test-live.sh; }
step_end-to-end() { install_npm e2e; (cd e2e && npm run --silent check && npm test --silent); }

# shellcheck disable=SC1091
[ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
run_steps "$@"
