#!/usr/bin/env bash
# Simulates the Kafka protocol on a virtual clock with a model of the brokers; `SEEDS=10000 kafka.sh ...` is the whole.
# A seed that fails does so again: SEEDS=1 kafka.sh HUILIU_KAFKA_SIMULATION --first SEED --trace
# usage: kafka.sh HUILIU_KAFKA_SIMULATION [OPTION]...
set -euo pipefail
simulation=$1
shift
exec "$simulation" --topology "$(dirname "$0")/kafka/topology.yaml" --seeds "${SEEDS:-1000}" --jobs "${JOBS:-$(nproc)}" "$@"
