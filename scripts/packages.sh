# Sourced: installs the npm packages of a folder exactly as locked, unless they are there already.
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
