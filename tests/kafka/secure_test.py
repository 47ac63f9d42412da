#!/usr/bin/env python3
"""A topology against a broker with TLS in both directions, a password and ACLs.

What is wrong with the connection or the rights must end the process with a remedy; with the rights of
docs/guides/run-with-kafka.md, and no more, the topology runs, and its output is read back.

--mechanism SCRAM-SHA-512 needs librdkafka 2.6.1: older ones send the client's nonce twice, which brokers
refuse since Kafka 3.7.2 (CVE-2024-56128). --library FOLDER takes librdkafka.so.1 from there.
"""
import argparse
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import client
from broker import Broker, ask, free_ports, text

PASSWORD = "correct horse"
BY_TOKEN = "OAUTHBEARER"
USAGE = 2  # exit code: something a person must mend
TOPOLOGY = """\
topology: secured
epoch: 100ms
backend:
  type: kafka
  bootstrap: "${KAFKA}"
  settings:
    security.protocol: sasl_ssl
    sasl.mechanism: "${MECHANISM}"
    sasl.username: huiliu
    sasl.password: "${PASSWORD}"
    ssl.ca.location: "${CA}"
    ssl.certificate.location: "${FOLDER}/client.pem"
    ssl.key.location: "${FOLDER}/client.key"
sources:
  input: {type: kafka, topic: input, until: end, fields: [id]}
operators:
  once: {type: dedupe, input: input, key: [id]}
sinks:
  out: {type: kafka, input: once, topic: output}
  refused: {type: kafka, topic: refused}
rejects: refused
"""
# Tokens that the client makes itself, as brokers take them for tests.
TOKEN = """\
    enable.sasl.oauthbearer.unsecure.jwt: "true"
    sasl.oauthbearer.config: "principal=huiliu lifeSeconds=60"
"""
# Kafka's codes: resource types, operations.
TOPIC, GROUP, TRANSACTIONAL_ID = 2, 3, 5
READ, WRITE, CREATE, DESCRIBE, DESCRIBE_CONFIGS = 3, 4, 5, 8, 10
LITERAL, PREFIXED = 3, 4


# --- certificates ----------------------------------------------------------------------------------


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_certificates(folder: Path) -> None:
    """A CA, and one certificate each for the broker and the client; the broker wants key and chain in one file."""
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test ca",
            "-keyout", "ca.key", "-out", "ca.pem")
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1")
    for name in ("server", "client"):
        openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                "-out", f"{name}.csr")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", "san", "-out", f"{name}.pem")
    (folder / "server-both.pem").write_text((folder / "server.key").read_text() + (folder / "server.pem").read_text())


def login(mechanism: str) -> dict:
    modules = "org.apache.kafka.common.security"
    if mechanism == "PLAIN":
        return {"listener.name.secure.plain.sasl.jaas.config":
                f'{modules}.plain.PlainLoginModule required user_huiliu="{PASSWORD}";'}
    if mechanism == BY_TOKEN:
        return {"listener.name.secure.oauthbearer.sasl.jaas.config":
                f'{modules}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";'}
    return {f"listener.name.secure.{mechanism.lower()}.sasl.jaas.config":
            f"{modules}.scram.ScramLoginModule required;"}


def properties(folder: Path, mechanism: str, port: int, secure_port: int, controller_port: int) -> dict:
    """A plain listener for the test, whose user may do anything, and the secured one."""
    listeners = f"PLAINTEXT://127.0.0.1:{port},SECURE://127.0.0.1:{secure_port}"
    return {
        "listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT",
        "sasl.enabled.mechanisms": mechanism,
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": folder / "server-both.pem",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": folder / "ca.pem",
        "listener.name.secure.ssl.client.auth": "required",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    } | login(mechanism)


# --- requests that confluent_kafka 1.7 does not have -----------------------------------------------


def compact(value: bytes) -> bytes:
    return bytes([len(value) + 1]) + value  # short ones only


def add_user(port: int, name: str, password: str) -> None:
    """AlterUserScramCredentials: the broker keeps a salted hash."""
    salt, rounds, sha512 = os.urandom(16), 4096, 2
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
    user = compact(name.encode()) + struct.pack(">bi", sha512, rounds) + compact(salt) + compact(salted) + b"\0"
    answer = ask(port, 51, 0, bytes([1, 2]) + user + b"\0", flexible=True)
    assert struct.unpack_from(">h", answer, 4 + 1 + len(compact(name.encode())))[0] == 0, answer


def allow(port: int, rights: list) -> None:
    """CreateAcls for User:huiliu, of (resource type, name, pattern type, operation)."""
    body = struct.pack(">i", len(rights))
    for kind, name, pattern, operation in rights:
        body += (struct.pack(">b", kind) + text(name.encode()) + struct.pack(">b", pattern) + text(b"User:huiliu")
                 + text(b"*") + struct.pack(">bb", operation, 3))
    answer = ask(port, 30, 1, body)
    for at in range(len(rights)):
        assert struct.unpack_from(">h", answer, 8 + 4 * at)[0] == 0, answer


RIGHTS_ON_OUTPUT = [(TOPIC, "output", LITERAL, WRITE), (TOPIC, "refused", LITERAL, WRITE)]
RIGHTS = (
    [(TOPIC, "input", LITERAL, READ), (GROUP, "secured", LITERAL, READ)]
    + [(TOPIC, "secured.", PREFIXED, operation) for operation in (CREATE, READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS)]
    + [(TRANSACTIONAL_ID, "secured", LITERAL, operation) for operation in (WRITE, DESCRIBE)])


# --- the test --------------------------------------------------------------------------------------


class Secured:
    def __init__(self, huiliu: str, folder: Path, bootstrap: str, mechanism: str, library: str):
        self.huiliu, self.folder, self.bootstrap = huiliu, folder, bootstrap
        self.env = {"MECHANISM": mechanism} | ({"LD_LIBRARY_PATH": library} if library else {})
        start, _, rest = TOPOLOGY.partition("    sasl.username")
        by_token = start + TOKEN + rest[rest.index("    ssl.ca"):]
        (folder / "topology.yaml").write_text(by_token if mechanism == BY_TOKEN else TOPOLOGY)

    def run(self, **changed: str) -> subprocess.CompletedProcess:
        env = dict(os.environ, KAFKA=self.bootstrap, PASSWORD=PASSWORD, CA=str(self.folder / "ca.pem"),
                   FOLDER=str(self.folder)) | self.env | changed
        return subprocess.run([self.huiliu, "run", "-q", str(self.folder / "topology.yaml")], env=env,
                              capture_output=True, text=True, timeout=90)

    def must_end_with(self, what: str, remedy: str, **changed: str) -> None:
        ended = self.run(**changed)
        shown = ended.stdout + ended.stderr
        if ended.returncode != USAGE or remedy not in ended.stderr or PASSWORD in shown:
            raise SystemExit(f"{what}: exit code {ended.returncode}, expected {USAGE} and '{remedy}'\n{shown}")
        print(f"{what}: {ended.stderr.strip().splitlines()[-1]}")


def check(secured: Secured, port: int) -> None:
    plain = f"127.0.0.1:{port}"
    client.create_topics(plain, {"input": 2, "output": 2, "refused": 1})
    client.produce(plain, "input", [(n % 2, None, json.dumps({"id": str(n // 2)}).encode()) for n in range(2000)])
    if secured.env["MECHANISM"].startswith("SCRAM"):
        secured.must_end_with("unknown user", "check user and password")
        add_user(port, "huiliu", PASSWORD)
    if secured.env["MECHANISM"] != BY_TOKEN:
        secured.must_end_with("wrong password", "check user and password", PASSWORD="wrong")
    other = secured.folder / "other"
    other.mkdir()
    make_certificates(other)
    secured.must_end_with("another CA", "check the certificates", CA=str(other / "ca.pem"))
    secured.must_end_with("no rights", "give the user")
    allow(port, RIGHTS)
    secured.must_end_with("no right on the output", "give the user")
    allow(port, RIGHTS_ON_OUTPUT)
    ended = secured.run()
    if ended.returncode != 0:
        raise SystemExit(f"with all rights: exit code {ended.returncode}\n{ended.stdout}{ended.stderr}")
    ids = sorted(int(json.loads(message.value)["id"]) for message in client.read_committed(plain, "output"))
    if ids != list(range(1000)):
        raise SystemExit(f"the output has {len(ids)} records, not each of 1000 ids once")
    print(f"with TLS in both directions, {secured.env['MECHANISM']} and the documented rights: 1000 records, each once")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--huiliu", required=True)
    parser.add_argument("--mechanism", default="PLAIN", choices=["PLAIN", "SCRAM-SHA-512", BY_TOKEN])
    parser.add_argument("--library", default="", help="folder with another librdkafka.so.1")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="huiliu-kafka-secure-"))
    try:
        make_certificates(folder)
        broker = Broker(folder / "broker")
        secure_port = free_ports(1)[0]
        broker.properties = properties(folder, args.mechanism, broker.port, secure_port, broker.controller_port)
        with broker:
            check(Secured(str(Path(args.huiliu).resolve()), folder, f"127.0.0.1:{secure_port}", args.mechanism,
                          args.library), broker.port)
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
