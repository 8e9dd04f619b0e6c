# shellcheck shell=bash
# Sourced: installs packages, the system's and npm's.

fail() { echo "error: $*" >&2; exit 1; }

# Installs packages of the system.
install_packages() {
  command -v apt-get >/dev/null || { echo "error: please install: $*" >&2; return 1; }
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "error: please install, as root: apt-get install $*" >&2; return 1; }
    as_root=(sudo)
  fi
  echo "Installing $*"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Installs the npm packages of a folder exactly as locked, unless they are there already.
install_npm() {
  local folder=$1
  if [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ]; then return; fi
  echo "Installing the packages of $folder"
  (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error)
  touch "$folder/node_modules/.package-lock.json"
}

# Whether anything in the sources is newer than what was built from it.
is_stale() {
  local built=$1
  shift
  [ ! -e "$built" ] || [ -n "$(find "$@" -newer "$built" -not -path '*/node_modules/*' -type f -print -quit)" ]
}
