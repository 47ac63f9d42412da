#!/usr/bin/env bash
# The credit topology on its sample: every row has the expected outcome, with one thread and with
# three; the identity read = sum of outcomes holds for each file.
# usage: credit_job_test.sh HUILIU
set -euo pipefail
huiliu=$1
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for threads in 1 3; do
  out=$work/$threads
  OUTPUT=$out STATE=$out/state "$huiliu" run topologies/credit/topology.yaml --parallelism "$threads"
  python3 tests/credit_expectations.py topologies/credit/sample "$out/outcomes.csv" "$out/rejects.csv"
  python3 - "$out/credit.sqlite" topologies/credit/sample/expected.csv <<'PY'
import collections, csv, sqlite3, sys
read = collections.Counter(row["file"] for row in csv.DictReader(open(sys.argv[2], encoding="utf-8")))
for which in ("= 'READ'", "<> 'READ'"):
    counted = dict(sqlite3.connect(sys.argv[1]).execute(
        f"select source_file, sum(count) from reconciliation where outcome {which} group by 1"))
    assert counted == dict(read), (which, counted, read)
print(f"{len(read)} files reconciled, {sum(read.values())} rows")
PY
done
cmp "$work/1/outcomes.csv" "$work/3/outcomes.csv"
cmp "$work/1/rejects.csv" "$work/3/rejects.csv"
