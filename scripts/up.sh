#!/usr/bin/env bash
# Builds what changed, then runs everything on ./playhead-data. Arguments go to `playhead up`.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh
exec "${CARGO_TARGET_DIR:-target}/release/playhead" up --data ./playhead-data "$@"
