#!/bin/sh
# The main job on real requests. Each is judged as a pipeline would have it judged, with what is known of it.
# Usage: run.sh PATH-TO-SLUICEGATE
set -u
sluicegate=$1
here=$(dirname "$0")
wrong=0

# show WANTED-EXIT-CODE WHAT ARGUMENTS...
show() {
  wanted=$1
  printf '\n# %s\n$ sluicegate' "$2"
  shift 2
  printf ' %s' "$@"
  printf '\n\n'
  "$sluicegate" "$@"
  code=$?
  if [ "$code" -ne "$wanted" ]; then
    printf 'expected exit code %s, got %s\n' "$wanted" "$code"
    wrong=1
  fi
}

show 1 "a stop with drain, recorded from Flink 2.3; the job is to come back" \
  check "$here/flink-stop-drain.http" --intent restart
show 0 "the same request, when the job ends for good" \
  check "$here/flink-stop-drain.http" --intent final
show 0 "a savepoint registered without its spec-version annotation: accepted by the platform, used by no restore" \
  check "$here/ververica-register-savepoint.http"
show 1 "a change plan that drains and starts again" \
  check "$here/alibaba-new-version.yaml"
show 0 "an upgrade and a suspend with savepoint, recorded from a Kubernetes 1.36 API server" \
  check "$here/kubernetes-upgrade.json" "$here/kubernetes-suspend.json"
show 0 "what a resume will come up with: the newest savepoint is passed over" \
  restore "$here/ververica-start.http" --facts "$here/ververica-savepoints.yaml"
exit "$wrong"
