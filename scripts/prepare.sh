#!/usr/bin/env bash
# Makes sure that what a build needs is there; installs what the system's packages offer.
# `scripts/prepare.sh browser` also installs Chromium, which the tests drive.
set -euo pipefail
cd "$(dirname "$0")/.."

. scripts/packages.sh

if ! command -v cc >/dev/null || ! command -v make >/dev/null; then install_packages build-essential; fi
# librdkafka is compiled against OpenSSL.
pkg-config --exists openssl 2>/dev/null || install_packages pkg-config libssl-dev

if ! command -v cargo >/dev/null && [ -f "$HOME/.cargo/env" ]; then
  # shellcheck disable=SC1091
  . "$HOME/.cargo/env"
fi
command -v cargo >/dev/null || fail "cargo is not there: install Rust 1.91 or newer from https://rustup.rs"
rust=$(rustc --version | sed -E 's/^rustc 1\.([0-9]+)\..*/\1/')
[ "$rust" -ge 91 ] || fail "Rust 1.91 or newer is needed, this is 1.$rust: run \`rustup update stable\`"

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then install_packages nodejs npm; fi
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  fail "Node 20.19 or newer is needed, this is $(node --version): install it from https://nodejs.org"

if [ "${1:-}" = browser ]; then
  [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || install_packages chromium
fi
