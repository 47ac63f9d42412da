#!/usr/bin/env bash
# The crash test in a bounded form; `KILLS=150 THREADS=2 crash_bounded.sh ...` is the whole.
# usage: crash_bounded.sh HUILIU CREDIT_GENERATOR CREDIT_SAMPLE FAULTY_DISK
set -euo pipefail
huiliu=$1 generator=$2 sample=$3 disk=$4
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$generator" 60000 1 "$work/lines.ndjson"
"$sample" --seed 7 --rows 5000 --out "$work/departments"
for threads in 1 ${THREADS:-2}; do
  python3 tests/crash/crash_test.py --huiliu "$huiliu" --kills "${KILLS:-10}" --threads "$threads" \
    --topology topologies/bench-credit/topology.yaml --input "$work/lines.ndjson" --disk "$disk"
  python3 tests/crash/crash_test.py --huiliu "$huiliu" --kills "${KILLS:-10}" --threads "$threads" \
    --topology topologies/credit/topology.yaml --input "$work/departments" --disk "$disk" \
    --memory 1MiB --every-step
done
