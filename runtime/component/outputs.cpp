#include "runtime/component/outputs.h"

#include <string>

#include "runtime/base/status.h"
#include "runtime/component/failure.h"
#include "runtime/component/operator.h"

namespace huiliu::runtime {

Outputs::Outputs(std::string_view node, std::size_t ports, std::uint32_t input_width)
    : ports_(ports), node_(node), input_width_(input_width) {}

void Outputs::deliver(Port& port, Record& record) {
  port.sent.add(record);
  if (port.target == nullptr) return;
  if (tracer_ != nullptr) [[unlikely]] {
    return deliver_traced(port, record);
  }
  port.target_outputs->received_.add(record);
  try {
    port.target->process(port.input, record, *port.target_outputs);
  } catch (...) {
    rethrow_with_place(port.target_outputs->node(), record.origin);
  }
}

void Outputs::deliver_traced(Port& port, Record& record) {
  tracer_->enter(*port.target_outputs, record);
  port.target_outputs->received_.add(record);
  try {
    port.target->process(port.input, record, *port.target_outputs);
  } catch (...) {
    rethrow_with_place(port.target_outputs->node(), record.origin);
  }
  tracer_->leave(*port.target_outputs);
}

void Outputs::emit(Record& record, std::size_t port) {
  if (record.event_time > max_event_time_) {
    if (record.event_time > latest_event_time_) [[unlikely]] {
      return refuse_time(record);
    }
    max_event_time_ = record.event_time;
  }
  emitted_.add(record);
  if (tracer_ != nullptr) [[unlikely]] {
    tracer_->emitted(*this, port, record);
  }
  deliver(ports_[port], record);
}

void Outputs::refuse_time(Record& record) {
  const std::string time = std::to_string(record.event_time);
  reject(record, {.code = "E410_TIME_AHEAD",
                  .field = event_time_field_,
                  .value = arena_->copy(time),
                  .rule = "event_time",
                  .message_en = "the event time lies too far in the future (in milliseconds since "
                                "1970): compare its unit, or set the source's `ahead`",
                  .message_zh = "事件时间远晚于当前时间（自1970年起的毫秒数），请核对时间单位"});
}

void Outputs::refuse_unplaced() {
  throw StatusError(
      Status::failed("a keyed operator made records in on_watermark() or on_epoch() without saying "
                     "of which shard: "
                     "call Outputs::begin_rows() before emit_new()"));
}

void Outputs::emit_new(Record& record, std::size_t port) {
  created_.add(record);
  if (unplaced_) [[unlikely]] {
    refuse_unplaced();
  }
  if (tracer_ != nullptr) [[unlikely]] {
    tracer_->emitted(*this, port, record);
  }
  deliver(ports_[port], record);
}

void Outputs::reject(Record& record, const Reject& reject) {
  rejected_.add(record);
  count_code(reject.code);
  if (tracer_ != nullptr) [[unlikely]] {
    tracer_->rejected(*this, record, reject);
  }
  Value* slot = record.values + input_width_;
  const std::string_view origin = arena_->copy(origin_text(record.origin));
  for (std::string_view text : texts_of(reject, node_, origin)) *slot++ = Value::of_text(text);
  record.width = input_width_ + static_cast<std::uint32_t>(kRejectFieldCount);
  record.change = Change::kInsert;  // whatever it would have changed, this is one more reject
  deliver(reject_port_, record);
}

// A slice has few codes; most often it is the last one again.
void Outputs::count_code(std::string_view code) {
  for (auto known = codes_.rbegin(); known != codes_.rend(); ++known) {
    if (known->first != code) continue;
    ++known->second;
    return;
  }
  codes_.emplace_back(code, 1);
}

void Outputs::drop(const Record& record, std::string_view why) {
  dropped_.add(record);
  if (tracer_ != nullptr) [[unlikely]] {
    tracer_->dropped(*this, record, why);
  }
}

Outputs::Counts Outputs::take_counts() {
  Counts counts{received_, emitted_, rejected_, dropped_, absorbed_, created_, {}, {}};
  counts.codes.swap(codes_);
  counts.ports.reserve(ports_.size() + 1);
  for (Port& port : ports_) {
    counts.ports.push_back(port.sent);
    port.sent = {};
  }
  counts.ports.push_back(reject_port_.sent);
  reject_port_.sent = {};
  received_ = emitted_ = rejected_ = dropped_ = absorbed_ = created_ = {};
  return counts;
}

}  // namespace huiliu::runtime
