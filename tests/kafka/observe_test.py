#!/usr/bin/env python3
"""A topology from topic to topic beside a real broker and a real Prometheus: every query of the Kafka dashboard has
data, what the clients say of themselves adds up, and a broker that is away shows itself as such."""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "observe"))

import client
from broker import Broker
from prometheus import Prometheus, free_port, get, get_any, until

RECORDS = 20_000
TOPOLOGY = """\
topology: watched
epoch: 200ms
shards: 4
server: {{listen: "127.0.0.1:{port}"}}
backend: {{type: kafka, bootstrap: "{bootstrap}", transaction_timeout: 10s}}
rejects: bad
sources:
  in: {{type: kafka, topic: input, start: earliest, fields: [id, kind]}}
operators:
  once: {{type: dedupe, input: in, key: [id]}}
sinks:
  out: {{type: kafka, input: once, topic: output}}
  bad: {{type: kafka, topic: bad}}
"""


def send(producer, begin):
    client.send(producer, "input", [(n % 2, None, json.dumps({"id": f"r{begin + n}", "kind": "a"}).encode())
                                    for n in range(RECORDS)])


def watch(huiliu, folder, broker):
    port = free_port()
    (folder / "t.yaml").write_text(TOPOLOGY.format(port=port, bootstrap=broker.bootstrap))
    producer = client.open_producer(broker.bootstrap)
    send(producer, 0)
    run = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", huiliu, "run", "-q", "t.yaml"], cwd=folder,
                           stdout=subprocess.DEVNULL)
    try:
        with Prometheus(folder, f"127.0.0.1:{port}") as prometheus:
            until("the topology is ready", lambda: get(f"http://127.0.0.1:{port}/readyz"))
            # librdkafka tells of itself every five seconds; a busy machine takes longer.
            number = 0
            while number < 6 or prometheus.without_data("huiliu-kafka"):
                number += 1
                assert number < 60, prometheus.without_data("huiliu-kafka")
                send(producer, number * RECORDS)
                time.sleep(1)
            prometheus.check("huiliu-kafka")
            for name in ("producer", "consumer-1"):
                up = prometheus.ask(f'huiliu_kafka_client_connected_brokers{{client="{name}"}}')
                assert float(up[0]["value"][1]) >= 1, up
            sent = float(prometheus.ask('huiliu_kafka_client_sent_bytes_total{client="producer"}')[0]["value"][1])
            assert sent > 5 * RECORDS * 20, sent
            broker.kill()
            until("the broker's absence is seen", lambda: '"away"' in not_ready(port) or "epoch_overdue" in not_ready(port), 90)
            broker.start()
            until("it is ready again", lambda: get(f"http://127.0.0.1:{port}/readyz"), 90)
    finally:
        run.kill()
        run.wait(30)


def not_ready(port):
    text = get_any(f"http://127.0.0.1:{port}/readyz")
    return "" if json.loads(text)["ready"] else text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--huiliu", required=True)
    args = parser.parse_args()
    os.environ["no_proxy"] = "*"
    folder = Path(tempfile.mkdtemp(prefix="huiliu-kafka-observe-"))
    try:
        with Broker(folder / "broker") as broker:
            client.create_topics(broker.bootstrap, {"input": 2, "output": 1, "bad": 1})
            watch(str(Path(args.huiliu).resolve()), folder, broker)
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
