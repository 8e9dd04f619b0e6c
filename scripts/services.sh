#!/usr/bin/env bash
# Runs what the scaled shape needs on this machine, without containers: a Kafka cluster, Cassandra (it speaks ScyllaDB's
# CQL) and an S3 server, all on 127.0.0.1.
#
#   up [--kafka-brokers 1|3] [PART…]   install what is missing, start what does not run, wait until it answers
#   down [--wipe] [PART…]              stop; with --wipe also delete data and logs
#   status [PART…]                     what runs; fails if a part does not
#   env                                exports for tests and for the product
#   start|stop|kill|pause|continue PART…   one part, for fault tests: `kill kafka-2`; kill is SIGKILL, pause is SIGSTOP
#
# Parts: kafka (all brokers), kafka-1, kafka-2, kafka-3, cassandra, s3; none named means all.
#
# PLAYHEAD_SERVICES_DIR       data, logs and pid files (~/.cache/playhead/services)
# PLAYHEAD_SERVICES_SOFTWARE  what was fetched and built (~/.cache/playhead/software)
# PLAYHEAD_SERVICES_PORT      first of forty ports (17700); another folder and port make a second, separate set
# PLAYHEAD_SERVICES_KAFKA_BROKERS  1 or 3, as --kafka-brokers
# PLAYHEAD_SERVICES_KAFKA_MEMORY, PLAYHEAD_SERVICES_CASSANDRA_MEMORY  Java heaps (384m, 1g)
set -euo pipefail

# shellcheck disable=SC2034
cache=${XDG_CACHE_HOME:-$HOME/.cache}/playhead
folder=$(realpath -m "${PLAYHEAD_SERVICES_DIR:-$cache/services}")
software=$(realpath -m "${PLAYHEAD_SERVICES_SOFTWARE:-$cache/software}")
first_port=${PLAYHEAD_SERVICES_PORT:-17700}
data=$folder/data logs=$folder/logs run=$folder/run

cd "$(dirname "$0")/.."
. scripts/packages.sh
. scripts/services/software.sh
. scripts/services/process.sh
. scripts/services/kafka.sh
. scripts/services/cassandra.sh
. scripts/services/s3.sh

usage() { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' scripts/services.sh; }

# The parts that the arguments name, brokers one by one.
list_parts() {
  [ $# -gt 0 ] || set -- kafka cassandra s3
  local part broker
  for part in "$@"; do
    case $part in
      kafka) for broker in $(seq "$(kafka_brokers)"); do echo "kafka-$broker"; done ;;
      kafka-[1-3] | cassandra | s3) echo "$part" ;;
      *) fail "no part $part; there are: kafka, kafka-1, kafka-2, kafka-3, cassandra, s3" ;;
    esac
  done
}

# Calls a part's function: `call start kafka-2` is `kafka_start kafka-2`.
call() { "${2%-[0-9]}_$1" "$2"; }

up() {
  local brokers=${PLAYHEAD_SERVICES_KAFKA_BROKERS:-} parts part
  if [ "${1:-}" = --kafka-brokers ]; then brokers=${2:-none}; shift $(($# > 1 ? 2 : 1)); fi
  [ -z "$brokers" ] || kafka_choose_brokers "$brokers"
  parts=$(list_parts "$@")
  for part in $parts; do call install "$part"; done
  start_parts "$parts"
  echo "Running; data and logs are in $folder"
}

start_parts() {
  local part
  mkdir -p "$data" "$logs" "$run"
  for part in $1; do
    if pid_of "$part" >/dev/null; then
      send CONT "$part"
    else
      ! port_is_open "$(call port "$part")" ||
        fail "another process has the port of $part, $(call port "$part"): choose others with PLAYHEAD_SERVICES_PORT"
      echo "Starting $part"
      call start "$part"
    fi
  done
  for part in $1; do call wait "$part"; done
}

down() {
  local wipe=
  if [ "${1:-}" = --wipe ]; then wipe=yes; shift; fi
  local parts part
  parts=$(list_parts "$@")
  # Data that goes needs no orderly end.
  if [ -n "$wipe" ]; then for part in $parts; do send KILL "$part"; done; fi
  stop_parts "$parts"
  [ -n "$wipe" ] || return 0
  for part in $parts; do rm -rf "${data:?}/$part" "${logs:?}/$part.log" "${run:?}/$part".*; done
  if [ $# -eq 0 ]; then rm -rf "$data" "$logs" "$run"; fi
  compgen -G "$data/kafka-?" >/dev/null || rm -f "$data/kafka-brokers"
}

status() {
  local part all=0
  for part in $(list_parts "$@"); do
    printf '%-10s %-8s port %s  log %s\n' "$part" "$(state_of "$part")" "$(call port "$part")" "$logs/$part.log"
    pid_of "$part" >/dev/null || all=1
  done
  return $all
}

print_env() { kafka_env; cassandra_env; s3_env; }

need_parts() { [ $# -gt 0 ] || fail "name the parts, such as kafka-2"; list_parts "$@"; }

command=${1:-}
[ $# -eq 0 ] || shift
[ -d /proc/self ] || fail "the services need Linux"
mkdir -p "$folder"
# One change at a time: others wait here.
case $command in up | down | start | stop | kill) exec 9>"$folder/lock" && flock 9 ;; esac
case $command in
  up) up "$@" ;;
  down) down "$@" ;;
  status) status "$@" ;;
  env) print_env ;;
  start) parts=$(need_parts "$@") && start_parts "$parts" ;;
  stop) parts=$(need_parts "$@") && stop_parts "$parts" ;;
  kill) parts=$(need_parts "$@") && for part in $parts; do send KILL "$part"; await_end "$part" 10; done ;;
  pause) parts=$(need_parts "$@") && for part in $parts; do send STOP "$part"; done ;;
  continue) parts=$(need_parts "$@") && for part in $parts; do send CONT "$part"; done ;;
  *) usage >&2; exit 2 ;;
esac
