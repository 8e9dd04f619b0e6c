# shellcheck shell=bash disable=SC2154
# Sourced: fetches and builds what the services run, and tools. Kept apart from their data, by version.

maven_plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1

# Prints the path of Java 17, on which both Kafka 4 and Cassandra 5 run.
find_java() {
  local java
  for java in "${JAVA_HOME:-/none}/bin/java" /usr/lib/jvm/java-17-openjdk-*/bin/java "$(command -v java || true)"; do
    [ -x "$java" ] && [[ "$("$java" -version 2>&1)" == *'version "17'* ]] && { echo "$java"; return; }
  done
  return 1
}

need_java() {
  find_java >/dev/null && return
  install_packages openjdk-17-jre-headless || true
  find_java >/dev/null || fail "Java 17 is needed (Cassandra 5 runs on no later one): install it and set JAVA_HOME"
}

# Puts Maven artifacts and all that they need into a folder: `fetch_jars NAME FOLDER GROUP:ARTIFACT:VERSION…`.
fetch_jars() {
  local name=$1 target=$2
  shift 2
  [ -d "$target" ] && return
  need_java
  command -v mvn >/dev/null || install_packages maven || fail "Maven is needed to fetch $name: install it"
  echo "Fetching $name (some 100 files, 50 MB, once)"
  mkdir -p "$software"
  local work group artifact version
  work=$(mktemp -d "$software/fetch.XXXXXX")
  {
    echo '<project><modelVersion>4.0.0</modelVersion><groupId>playhead</groupId><artifactId>services</artifactId>'
    echo '<version>1</version><dependencies>'
    while IFS=: read -r group artifact version; do
      echo "<dependency><groupId>$group</groupId><artifactId>$artifact</artifactId><version>$version</version></dependency>"
    done < <(printf '%s\n' "$@")
    echo '</dependencies></project>'
  } >"$work/pom.xml"
  mvn -q -B -f "$work/pom.xml" "$maven_plugin:copy-dependencies" -DincludeScope=runtime \
    -DoutputDirectory="$work/jars" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; rm -rf "$work"; fail "$name could not be fetched from Maven Central, see above"; }
  mv "$work/jars" "$target"
  rm -rf "$work"
}

# Builds a Go program: `build_go FILE PACKAGE VERSION MINIMUM_GO`.
build_go() {
  local target=$1 package=$2 version=$3 minimum=$4
  [ -x "$target" ] && return
  need_go "$minimum" "$(basename "$package")"
  echo "Building $(basename "$package") $version (one to three minutes, once)"
  mkdir -p "$software"
  local work
  work=$(mktemp -d "$software/build.XXXXXX")
  GOBIN=$work go install "$package@$version" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; rm -rf "$work"; fail "$package could not be built, see above"; }
  mv "$work/$(basename "$package")" "$target"
  rm -rf "$work"
}

go_is_at_least() {
  local found
  found=$(go env GOVERSION 2>/dev/null) || return 1
  printf '%s\n' "$1" "${found#go}" | sort --check=quiet --version-sort
}

# Whether the system's package has at least that version.
apt_offers() {
  local candidate
  candidate=$(apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: \([0-9]*:\)\{0,1\}//p')
  # Not known before the first `apt-get update`: worth a try.
  [ -z "$candidate" ] || printf '%s\n' "$2" "$candidate" | sort --check=quiet --version-sort
}

# `need_go MINIMUM_GO WHAT_IT_BUILDS`.
need_go() {
  go_is_at_least "$1" && return
  # Debian 12's is too old to be worth its 400 MB.
  command -v go >/dev/null || ! apt_offers golang-go "$1" || install_packages golang-go || true
  go_is_at_least "$1" ||
    fail "Go $1 or newer is needed to build $2, there is $(go env GOVERSION 2>/dev/null || echo none):" \
      "install it from https://go.dev/dl (Debian 12's own is too old, Debian 13's will do)"
}
