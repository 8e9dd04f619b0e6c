#!/usr/bin/env bash
# Builds the SDK, the dashboard and the release binary that carries both.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh

scripts/prepare.sh
[ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"

install_npm sdk
if is_stale sdk/dist/stub.txt sdk/src sdk/build.mjs sdk/package-lock.json; then
  echo "Building the SDK"
  (cd sdk && npm run --silent build)
fi
install_npm dashboard
if is_stale dashboard/dist/index.html dashboard/src dashboard/stage dashboard/*.html dashboard/vite.config.ts dashboard/package-lock.json; then
  echo "Building the dashboard"
  (cd dashboard && npm run --silent build)
fi
scripts/country.sh
echo "Building the binary (the first time takes some minutes)"
cargo build --release -p playhead
echo "Built ${CARGO_TARGET_DIR:-target}/release/playhead"
