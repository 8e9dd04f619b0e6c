#!/usr/bin/env bash
# Short versions of the scenarios: nothing lost, nothing doubled, all complete. Times are not judged; `loadtest/README.md` has the long ones.
set -euo pipefail
cd "$(dirname "$0")/.."

release="${CARGO_TARGET_DIR:-target}/release"
cargo build --release --locked -p playhead-loadtest
out=$(mktemp -d)
agents=()
finish() {
  [ ${#agents[@]} -eq 0 ] || kill "${agents[@]}" 2>/dev/null || true
  rm -rf "$out"
}
trap finish EXIT

# Sessions are compacted while they are compared.
soon=(--setting PLAYHEAD_PROCESSOR__END_GRACE_MS=1000 --setting PLAYHEAD_PROCESSOR__COMPACTION_INTERVAL_MS=1000)
press() {
  local scenario=$1
  shift
  echo "load: $scenario"
  "$release/loadtest" run "loadtest/scenarios/$scenario.toml" --start "$release/playhead" "${soon[@]}" \
    --integrity-only --out "$out/$scenario" "$@" >"$out/$scenario.json" || { cat "$out/$scenario.json"; exit 1; }
}

press all-in-one --duration 12 --rate 400 --sample 0.5
press large --duration 6 --rate 15

LOADTEST_TOKEN=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
export LOADTEST_TOKEN
for agent in 1 2; do
  "$release/loadtest" agent --listen 127.0.0.1:0 >"$out/agent-$agent" &
  agents+=($!)
done
addresses=()
for agent in 1 2; do
  until address=$(grep -o '127[.0-9]*:[0-9]*' "$out/agent-$agent"); do sleep 0.1; done
  addresses+=("$address")
done
press many-tenants --duration 6 --rate 300 --sample 0.5 --agents "$(IFS=,; echo "${addresses[*]}")"
