#!/usr/bin/env python3
"""Writes the Grafana dashboards of deploy/grafana: panels are described here once, and placed.

    tools/grafana/dashboards.py deploy/grafana            # writes them
    tools/grafana/dashboards.py --check deploy/grafana    # fails if they are not what this makes
"""
import json
import sys
from pathlib import Path

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
T = '{topology=~"$topology"}'


def panel(title_en, title_zh, unit, *queries, kind="timeseries", width=12, height=8, help_text=""):
    """`queries`: (expression, legend)."""
    targets = [{"datasource": DATASOURCE, "expr": expr, "legendFormat": legend, "refId": chr(65 + i)}
               for i, (expr, legend) in enumerate(queries)]
    made = {"type": kind, "title": f"{title_en} · {title_zh}", "description": help_text, "datasource": DATASOURCE,
            "targets": targets, "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
            "gridPos": {"w": width, "h": height}}
    if kind == "table":
        for target in targets:
            target.update({"format": "table", "instant": True})
        made["transformations"] = [{"id": "merge", "options": {}}]
        made["options"] = {"sortBy": [{"displayName": "Value #A", "desc": True}]}
        made["fieldConfig"]["overrides"] = [
            {"matcher": {"id": "byName", "options": f"Value #{chr(65 + i)}"},
             "properties": [{"id": "displayName", "value": legend}]} for i, (_, legend) in enumerate(queries)]
    return made


def rate(metric, labels=T, window="$__rate_interval"):
    return f"rate({metric}{labels}[{window}])"


def quantile(q, metric):
    return f"histogram_quantile({q}, sum by (topology, le) ({rate(metric + '_bucket')}))"


def with_kind(kind):
    return '{topology=~"$topology",kind="' + kind + '"}'


def with_answer(answered_by):
    return '{topology=~"$topology",answered_by="' + answered_by + '"}'


OVERVIEW = ("huiliu-overview", "Huiliu · overview", "汇流 · 总览", [
    panel("Ready", "就绪", "none", (f"huiliu_ready{T}", "{{topology}}"), kind="stat", width=6, height=5,
          help_text="1: the run does its work. 0: /readyz and `huiliu status` say why not."),
    panel("Since the last commit", "距上次提交", "s", (f"time() - huiliu_last_commit_timestamp_seconds{T}", "{{topology}}"),
          kind="stat", width=6, height=5),
    panel("Read and not committed", "已读未提交", "bytes", (f"huiliu_uncommitted_bytes{T}", "{{topology}}"),
          kind="stat", width=6, height=5, help_text="What a crash now would have read again."),
    panel("Components that are away", "无法工作的组件", "none",
          (f"count by (topology) (huiliu_component_away_since_timestamp_seconds{T}) or 0 * huiliu_ready{T}", "{{topology}}"),
          kind="stat", width=6, height=5),
    panel("Records read", "读入记录", "rps",
          (f"sum by (topology) ({rate('huiliu_node_emitted_records_total', with_kind('source'))})", "{{topology}}")),
    panel("Records written", "写出记录", "rps", (f"sum by (topology, sink) ({rate('huiliu_sink_records_total')})", "{{topology}} {{sink}}")),
    panel("Rejects by code", "按代码的退回", "rps",
          (f"sum by (topology, code) ({rate('huiliu_rejects_total')}) or 0 * huiliu_ready{T}", "{{topology}} {{code}}")),
    panel("Memory", "内存", "bytes", ("process_resident_memory_bytes{job=\"huiliu\"}", "{{instance}}")),
    panel("CPU", "处理器", "percentunit", ("rate(process_cpu_seconds_total{job=\"huiliu\"}[$__rate_interval])", "{{instance}}")),
    panel("Descriptors", "文件描述符", "percentunit",
          ("process_open_fds{job=\"huiliu\"} / process_max_fds{job=\"huiliu\"}", "{{instance}}")),
])

TOPOLOGY = ("huiliu-topology", "Huiliu · one topology", "汇流 · 单个拓扑", [
    panel("Nodes, busiest first", "节点（最忙的在前）", "short",
          (f"sum by (node) ({rate('huiliu_node_busy_seconds_total', T, '5m')})", "threads busy"),
          (f"sum by (node) ({rate('huiliu_node_received_records_total', T, '5m')})", "received/s"),
          (f"sum by (node) ({rate('huiliu_node_emitted_records_total', T, '5m')})", "emitted/s"),
          (f"sum by (node) ({rate('huiliu_node_rejected_records_total', T, '5m')})", "rejected/s"),
          kind="table", width=24, height=10,
          help_text="`threads busy`: threads' time in a node alone, estimated from one slice in 61."),
    panel("Between nodes", "节点之间", "percentunit", (rate("huiliu_engine_busy_seconds_total"), "{{topology}}"),
          help_text="Threads' time in exchanges and the like, estimated the same way."),
    panel("Tried again", "重试", "short",
          (f"sum by (component) ({rate('huiliu_component_retries_total')}) or 0 * huiliu_ready{T}", "{{component}}")),
    panel("Behind: records", "积压：记录", "short",
          (f"sum by (node) (huiliu_split_backlog_records{T}) or 0 * sum by (node) (huiliu_source_splits{T})", "{{node}}")),
    panel("Behind: bytes", "积压：字节", "bytes",
          (f"sum by (node) (huiliu_split_backlog_bytes{T}) or 0 * sum by (node) (huiliu_source_splits{T})", "{{node}}")),
    panel("Event time behind the clock", "事件时间落后", "s", (f"time() - huiliu_node_watermark_seconds{T}", "{{node}}"),
          help_text="Of nodes that wait for event time; `huiliu status` says whom they wait for."),
    panel("Partitions and files", "分区与文件", "short", (f"huiliu_source_splits{T}", "{{node}}"),
          (f"huiliu_source_idle_splits{T}", "{{node}} idle"), (f"huiliu_source_held_splits{T}", "{{node}} held")),
    panel("Threads: waiting for input", "线程：等待输入", "percentunit", (rate("huiliu_thread_idle_seconds_total"), "{{thread}}")),
    panel("Threads: waiting for sinks and commits", "线程：等待输出与提交", "percentunit",
          (rate("huiliu_thread_blocked_seconds_total"), "{{thread}}")),
    panel("From arrival to commit", "从到达到提交", "s", (quantile(0.5, "huiliu_latency_from_arrival_seconds"), "p50"),
          (quantile(0.99, "huiliu_latency_from_arrival_seconds"), "p99")),
    panel("Outputs", "输出", "rps", (f"sum by (node, output) ({rate('huiliu_output_records_total')})", "{{node}}.{{output}}")),
])

EPOCHS = ("huiliu-epochs", "Huiliu · epochs", "汇流 · 周期", [
    panel("Commit", "提交", "s", (quantile(0.5, "huiliu_epoch_commit_seconds"), "p50"),
          (quantile(0.99, "huiliu_epoch_commit_seconds"), "p99")),
    panel("Files durable", "文件落盘", "s", (quantile(0.5, "huiliu_epoch_prepare_seconds"), "p50"),
          (quantile(0.99, "huiliu_epoch_prepare_seconds"), "p99")),
    panel("Gathering an epoch", "聚集一个周期", "s", (quantile(0.5, "huiliu_epoch_gather_seconds"), "p50"),
          (quantile(0.99, "huiliu_epoch_gather_seconds"), "p99")),
    panel("Epochs", "周期数", "short", (rate("huiliu_epoch_commit_seconds_count"), "{{topology}}")),
    panel("Waiting for stores", "等待存储", "short", (f"huiliu_sink_undelivered_entries{T}", "{{sink}}"),
          (f"huiliu_outbox_records{T}", "records")),
    panel("Since a sink last took records", "距输出上次接收", "s",
          (f"time() - huiliu_sink_last_success_timestamp_seconds{T}", "{{sink}}")),
    panel("Starts", "启动次数", "short", (f"huiliu_openings_total{T}", "{{topology}}")),
])

STATE = ("huiliu-state", "Huiliu · state and memory", "汇流 · 状态与内存", [
    panel("Memory by owner", "内存归属", "bytes", (f"sum by (topology) (huiliu_table_memory_bytes{T})", "tables"),
          (f"sum by (topology) (huiliu_table_filter_bytes{T})", "filters"),
          (f"huiliu_rocksdb_block_cache_bytes{T}", "blocks of tables' files"), (f"huiliu_slice_memory_bytes{T}", "input under way"),
          ('process_resident_memory_bytes{job="huiliu"}', "{{instance}}: process")),
    panel("Rows in memory", "内存中的行", "short", (f"huiliu_table_memory_rows{T}", "{{table}}")),
    panel("Rows on disk", "磁盘上的行", "short", (f"huiliu_table_disk_rows{T}", "{{table}}")),
    panel("State on disk", "磁盘上的状态", "bytes", (f"huiliu_table_disk_bytes{T}", "{{table}}"),
          (f"huiliu_rocksdb_live_sst_bytes{T}", "all")),
    panel("Lookups without the disk", "无需读盘的查找", "percentunit",
          (f"1 - sum by (table) ({rate('huiliu_table_lookups_total', with_answer('disk'))}) / "
           f"(sum by (table) ({rate('huiliu_table_lookups_total')}) > 0) or 1 - 0 * sum by (table) (huiliu_table_memory_rows{T})",
           "{{table}}")),
    panel("Lookups", "查找", "ops", (f"sum by (table, answered_by) ({rate('huiliu_table_lookups_total')})", "{{table}} {{answered_by}}")),
    panel("Writing of tables", "表的写出", "short", (rate("huiliu_table_flushes_total"), "{{table}}"),
          (f"huiliu_state_unwritten_generations{T}", "waiting")),
    panel("RocksDB's work to come", "RocksDB 待整理", "bytes", (f"huiliu_rocksdb_pending_compaction_bytes{T}", "{{topology}}")),
    panel("Errors of RocksDB's own work", "RocksDB 后台错误", "short", (f"huiliu_rocksdb_background_errors{T}", "{{topology}}")),
])

KAFKA = ("huiliu-kafka", "Huiliu · Kafka", "汇流 · Kafka", [
    panel("Connected brokers", "已连接的代理", "none", (f"huiliu_kafka_client_connected_brokers{T}", "{{client}}"), kind="stat",
          width=8, height=5),
    panel("Waiting requests", "未答复的请求", "none", (f"huiliu_kafka_client_waiting_requests{T}", "{{client}}"), kind="stat",
          width=8, height=5),
    panel("Behind: records", "积压：记录", "none", (f"sum by (node) (huiliu_split_backlog_records{T})", "{{node}}"), kind="stat",
          width=8, height=5),
    panel("Round trip", "往返时间", "s", (f"huiliu_kafka_client_round_trip_seconds{T}", "{{client}}"),
          help_text="99 % of the requests were answered sooner, at the slowest broker."),
    panel("Held by clients", "客户端积存", "bytes", (f"huiliu_kafka_client_queued_bytes{T}", "{{client}}")),
    panel("Sent", "发送", "Bps", (rate("huiliu_kafka_client_sent_bytes_total"), "{{client}}")),
    panel("Received", "接收", "Bps", (rate("huiliu_kafka_client_received_bytes_total"), "{{client}}")),
    panel("Errors, timeouts, lost connections", "错误、超时、断线", "short",
          (rate("huiliu_kafka_client_errors_total"), "{{client}} errors"),
          (rate("huiliu_kafka_client_request_timeouts_total"), "{{client}} timeouts"),
          (rate("huiliu_kafka_client_disconnects_total"), "{{client}} disconnects")),
    panel("Commit", "提交", "s", (quantile(0.99, "huiliu_epoch_commit_seconds"), "p99")),
])


BY = "by (topology, department, kind)"
SINCE_LAST = f"(time() - max {BY} (huiliu_by_department_last_arrival_timestamp_seconds{T}))"
# Also of those that never sent anything: since they are expected.
SILENT_FOR = (f"(time() - (max {BY} (huiliu_by_department_last_arrival_timestamp_seconds{T})"
              f" or min {BY} (huiliu_by_department_awaited_since_timestamp_seconds{T})))")
EXPECTED = f"max {BY} (huiliu_by_department_expected_seconds{T})"
VERDICTS = "huiliu_by_department_verdict_records_total"
REJECTED = '{topology=~"$topology",code!="none"}'


def of_a_day(metric, labels=T):
    return f"sum {BY} (increase({metric}{labels}[1d]))"


def rejected_share(by):
    return (f"(sum by ({by}) ({rate(VERDICTS, REJECTED, '1h')}) or 0 * sum by ({by}) ({rate(VERDICTS, T, '1h')}))"
            f" / (sum by ({by}) ({rate(VERDICTS, T, '1h')}) > 0)")


# Of sinks of type `metrics` with `metric: department` and `metric: department_verdict`.
DEPARTMENTS = ("huiliu-departments", "Huiliu · departments", "汇流 · 报送部门", [
    panel("Overdue", "逾期未报", "none",
          (f"count by (topology) ({SILENT_FOR} > {EXPECTED}) or 0 * huiliu_ready{T}", "{{topology}}"), kind="stat", width=6, height=5,
          help_text="Departments and kinds of which nothing came for longer than the table of `expect` allows."),
    panel("Departments heard within a day", "一日内有报送的部门", "none",
          (f"count by (topology) (count by (topology, department) ({SINCE_LAST} < 86400)) or 0 * huiliu_ready{T}", "{{topology}}"),
          kind="stat", width=6, height=5),
    panel("Rows within a day", "一日内的行数", "short",
          (f"sum by (topology) (increase(huiliu_by_department_records_total{T}[1d]))", "{{topology}}"), kind="stat", width=6, height=5),
    panel("Counted under 'other'", "归入 other 的记录", "short",
          (f"sum by (topology) (huiliu_by_department_folded_records_total{T})", "rows {{topology}}"),
          (f"sum by (topology) (huiliu_by_department_verdict_folded_records_total{T})", "verdicts {{topology}}"),
          kind="stat", width=6, height=5, help_text="There are too many series, or values that may not be shown."),
    panel("Who is overdue", "逾期名单", "s", (f"{SILENT_FOR} > {EXPECTED}", "silent for"),
          (f"{EXPECTED} and ({SILENT_FOR} > {EXPECTED})", "expected within"), kind="table", width=24, height=8),
    panel("Rows read by department", "各部门报送频次", "rps",
          (f"sum by (department) ({rate('huiliu_by_department_records_total')})", "{{department}}")),
    panel("Since the last row", "距最近一次报送", "s", (SINCE_LAST, "{{department}} {{kind}}")),
    panel("Share that is rejected", "退回比例", "percentunit", (rejected_share("department"), "{{department}}"),
          help_text="Of the verdicts of the last hour."),
    panel("Rejects by code", "按代码的退回", "rps", (f"sum by (code) ({rate(VERDICTS, REJECTED)})", "{{code}}")),
    panel("Within a day", "一日汇总", "short", (of_a_day("huiliu_by_department_records_total"), "read"),
          (of_a_day(VERDICTS, '{topology=~"$topology",code="none"}'), "accepted"), (of_a_day(VERDICTS, REJECTED), "rejected"),
          (SILENT_FOR, "seconds since the last row"), kind="table", width=24, height=12),
    panel("Rejects by department and code within a day", "一日内各部门的退回代码", "short",
          (f"sum by (department, kind, code) (increase({VERDICTS}{REJECTED}[1d])) > 0", "rejected"), kind="table", width=24, height=12),
])


def dashboard(uid, title_en, title_zh, panels):
    placed, x, y, row_height = [], 0, 0, 0
    for number, one in enumerate(panels, 1):
        place = one["gridPos"]
        if x + place["w"] > 24:
            x, y, row_height = 0, y + row_height, 0
        placed.append({**one, "id": number, "gridPos": {**place, "x": x, "y": y}})
        x += place["w"]
        row_height = max(row_height, place["h"])
    variables = [
        {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"},
        {"name": "topology", "type": "query", "label": "Topology · 拓扑", "datasource": DATASOURCE,
         "query": {"query": "label_values(huiliu_ready, topology)", "refId": "topology"}, "includeAll": True,
         "multi": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"}, "refresh": 2},
    ]
    return {"uid": uid, "title": f"{title_en} · {title_zh}", "tags": ["huiliu"], "schemaVersion": 38, "version": 1,
            "editable": False, "refresh": "10s", "time": {"from": "now-1h", "to": "now"}, "timezone": "browser",
            "templating": {"list": variables}, "panels": placed}


def all_dashboards():
    return {f"{uid}.json": dashboard(uid, *rest) for uid, *rest in (OVERVIEW, TOPOLOGY, EPOCHS, STATE, KAFKA, DEPARTMENTS)}


def main():
    check = sys.argv[1] == "--check"
    folder = Path(sys.argv[-1])
    wrong = []
    for name, made in all_dashboards().items():
        text = json.dumps(made, ensure_ascii=False, indent=1) + "\n"
        path = folder / name
        if check:
            if not path.exists() or path.read_text() != text:
                wrong.append(name)
        else:
            path.write_text(text)
    if wrong:
        sys.exit(f"not what tools/grafana/dashboards.py makes: {', '.join(wrong)}; run it again")


if __name__ == "__main__":
    main()
