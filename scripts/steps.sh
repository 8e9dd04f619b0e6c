# shellcheck shell=bash disable=SC2154
# Sourced: runs steps, functions named step_NAME, in order; the first failure ends it. The caller's all_steps lists them.
run_steps() {
  local passed=0 step status
  check_steps "$@"
  [ $# -gt 0 ] || set -- "${all_steps[@]}"
  for step in "$@"; do
    echo "=== $step"
    # Not in an `if`: bash would stop minding failures inside.
    set +e
    (set -e; "step_$step")
    status=$?
    set -e
    if [ $status -ne 0 ]; then
      echo "=== $step failed" >&2
      echo "$passed passed, 1 failed"
      exit 1
    fi
    passed=$((passed + 1))
  done
  echo "$passed passed, 0 failed"
}

check_steps() {
  local step
  for step in "$@"; do
    declare -F "step_$step" >/dev/null || { echo "error: no step $step; there are: ${all_steps[*]}" >&2; exit 2; }
  done
}
