# shellcheck shell=bash disable=SC2154
# Sourced: processes by pid file. The file also holds when the process started, as a pid alone may be another's by now.

# When a process started, in ticks since boot; nothing if there is none, or only a dead one's entry. While threads of a dead one
# are left, its ports are still taken.
started_at() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  # The name, in parentheses, may hold spaces.
  read -ra stat <<<"${stat##*) }"
  if [ "${stat[0]}" != Z ] || [ "$(find "/proc/$1/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)" -gt 1 ]; then
    echo "${stat[19]}"
  fi
}

pid_of() {
  local pid='' start=''
  [ -f "$run/$1.pid" ] && read -r pid start <"$run/$1.pid"
  [ -n "$start" ] && [ "$(started_at "$pid")" = "$start" ] && echo "$pid"
}

state_of() {
  local pid
  pid=$(pid_of "$1") || { echo "stopped"; return; }
  if grep -q '^State:.T' "/proc/$pid/status"; then echo "paused"; else echo "running"; fi
}

# Starts a command that outlives this script and its terminal.
start_process() {
  local name=$1 pid
  shift
  setsid "$@" >>"$logs/$name.log" 2>&1 </dev/null 9>&- &
  pid=$!
  echo "$pid $(started_at "$pid")" >"$run/$name.pid"
}

# The same for a command that lets others go first on busy cores. Linux may share cores among sessions before it looks at processes.
start_yielding_process() {
  local name=$1 group
  shift
  start_process "$name" nice -n 10 "$@"
  group=/proc/$(pid_of "$name")/autogroup
  [ ! -w "$group" ] || echo 10 >"$group" 2>/dev/null || true
}

# Signals a part if it runs.
send() {
  local pid
  pid=$(pid_of "$2") || return 0
  kill -s "$1" "$pid"
}

# Fails if the part still runs after so many seconds.
await_end() {
  local deadline=$((SECONDS + $2))
  while pid_of "$1" >/dev/null; do
    [ $SECONDS -lt $deadline ] || return 1
    sleep 0.1
  done
  rm -f "$run/$1.pid"
}

stop_parts() {
  local part
  # A paused process hears TERM only once it goes on.
  for part in $1; do send TERM "$part"; send CONT "$part"; done
  for part in $1; do
    # Brokers that stop all at once may wait for each other for minutes; what they acknowledged survives a kill.
    await_end "$part" 15 || { send KILL "$part"; await_end "$part" 10; } || fail "$part does not end"
  done
}

# Waits until a part answers, and says why if it does not.
wait_until() {
  local name=$1 seconds=$2 deadline=$((SECONDS + $2))
  shift 2
  until "$@"; do
    pid_of "$name" >/dev/null || give_up "$name" "ended before it answered"
    [ $SECONDS -lt $deadline ] || give_up "$name" "did not answer within $seconds s"
    sleep 0.2
  done
}

give_up() {
  echo "--- the end of $logs/$1.log" >&2
  tail -n 30 "$logs/$1.log" >&2
  fail "$1 $2"
}

port_is_open() { (exec 8<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Talks to a local port in bytes written as hex: `ask PORT REQUEST LENGTH [REQUEST LENGTH]…` prints the first LENGTH
# bytes of every answer. Needs no client to be installed and, unlike one on Java, takes no second to start.
ask() {
  local port=$1
  shift
  (
    exec 8<>"/dev/tcp/127.0.0.1/$port" || exit 1
    while [ $# -gt 0 ]; do
      # shellcheck disable=SC2001
      printf '%b' "$(sed 's/../\\x&/g' <<<"$1")" >&8
      timeout 3 head -c "$2" <&8 | od -An -v -tx1 | tr -d ' \n'
      shift 2
    done
  ) 2>/dev/null
}
