#!/usr/bin/env bash
# Simulates crashes of the whole engine on a virtual clock; `SEEDS=10000 simulation.sh ...` is the whole.
# usage: simulation.sh HUILIU_SIMULATION CREDIT_GENERATOR [--from SEED]
set -euo pipefail
simulation=$1 generator=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$generator" 1500 1 "$work/all"
mkdir "$work/in"
split -l 30 -d -a 3 --additional-suffix=.ndjson "$work/all" "$work/in/part"
"$simulation" --topology "$(dirname "$0")/topology.yaml" --input "$work/in" --seeds "${SEEDS:-200}" "$@"
