#!/usr/bin/env bash
# State much larger than its memory: the benchmark's 174,157 keys with 2 MiB for tables, outputs as published.
# usage: small_memory_test.sh HUILIU CREDIT_GENERATOR
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/out" "$work/state"
"$2" 200000 1 "$work/lines.ndjson"
HUILIU=$1 MEMORY=2MiB "$(dirname "$0")/../bench/credit/run" --input "$work/lines.ndjson" --output "$work/out" \
  --state "$work/state" --threads 2 --epoch 100ms
"$(dirname "$0")/../bench/credit/verify" "$work/out" 200000
