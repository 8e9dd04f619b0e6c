#!/usr/bin/env bash
# Everything that CI runs, step by step; the first failure ends it. `scripts/test.sh STEP…` runs some steps only.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh

# Steps in order. Formatting and lints first, as they are quick; browsers last.
all_steps=(prepare format lint rust sdk dashboard build kill load end-to-end)

step_prepare() { scripts/prepare.sh browser; }
step_format() { cargo fmt --all --check; }
step_lint() { cargo clippy --workspace --all-targets --locked -- -D warnings; }
step_rust() { scripts/country.sh; cargo test --workspace --locked; }
step_sdk() { install_npm sdk; (cd sdk && npm run --silent check && npm test --silent); }
step_dashboard() { install_npm dashboard; (cd dashboard && npm run --silent check && npm test --silent); }
step_build() { scripts/build.sh; }
# Fifty kills under load: nothing acknowledged is lost or doubled, every session plays.
step_kill() {
  cargo build --release --locked -p playhead-loadtest
  local release="${CARGO_TARGET_DIR:-target}/release"
  "$release/loadtest" kill --binary "$release/playhead" --kills 50
}
# Recorded pages, sent by many visitors: the read model equals what was acknowledged.
step_load() { scripts/load.sh; }
step_end-to-end() { install_npm e2e; (cd e2e && npm run --silent check && npm test --silent); }

[ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
steps=("$@")
[ ${#steps[@]} -gt 0 ] || steps=("${all_steps[@]}")

passed=0
for step in "${steps[@]}"; do
  declare -F "step_$step" >/dev/null || { echo "error: no step $step; there are: ${all_steps[*]}" >&2; exit 2; }
  echo "=== $step"
  # Not in an `if`: bash would stop minding failures inside.
  set +e
  (set -e; "step_$step")
  status=$?
  set -e
  if [ $status -ne 0 ]; then
    echo "=== $step failed" >&2
    echo "$passed passed, 1 failed"
    exit 1
  fi
  passed=$((passed + 1))
done
echo "$passed passed, 0 failed"
