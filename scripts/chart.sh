#!/usr/bin/env bash
# Checks helm/ and k8s/ without a cluster: lints and renders the chart for several sets of values, validates what comes out, and compares it with
# the binary, which must take every rendered setting and have every metric that alerts and dashboards ask for.
#
# HELM             a helm of your own (one is built otherwise, once)
# PLAYHEAD_BINARY  the binary (the release build)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh
# shellcheck disable=SC2034
software=$(realpath -m "${PLAYHEAD_SERVICES_SOFTWARE:-${XDG_CACHE_HOME:-$HOME/.cache}/playhead/software}")
. scripts/services/software.sh

helm_version=v3.19.2

if [ -z "${HELM:-}" ]; then
  HELM=$software/helm-$helm_version
  build_go "$HELM" helm.sh/helm/v3/cmd/helm "$helm_version" 1.24
fi
PLAYHEAD_BINARY=$(realpath -m "${PLAYHEAD_BINARY:-${CARGO_TARGET_DIR:-target}/release/playhead}")
[ -x "$PLAYHEAD_BINARY" ] || scripts/build.sh
command -v openssl >/dev/null || install_packages openssl
export HELM PLAYHEAD_BINARY

install_npm helm/checks
cd helm/checks
npm run --silent check
npm test --silent
