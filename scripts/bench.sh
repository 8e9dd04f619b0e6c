#!/usr/bin/env bash
# Measures the product and prints JSON, one document per line: ingest against its ceiling, then the product as a whole in a browser.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh

scripts/prepare.sh browser >&2
scripts/build.sh >&2
install_npm e2e >&2
cargo run --release --quiet -p playhead-gateway --example ingest_bench
(cd sdk && npm run --silent bench)
(cd e2e && npm run --silent bench)
