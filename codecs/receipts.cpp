#include "codecs/receipts.h"

#include <algorithm>
#include <array>
#include <future>
#include <utility>

#include <fmt/format.h>

#include "codecs/json_text.h"

namespace huiliu::codecs {

using runtime::Field;
using runtime::IntakeEntry;
using runtime::IntakeReceipt;
using runtime::Schema;
using runtime::Status;
using runtime::StatusCode;
using runtime::Type;

namespace {

namespace fields = receipt_fields;

constexpr std::size_t kEntryBytes = 512u << 10;
/// About as much as a receiver's words, which must not decide where entries are cut.
constexpr std::size_t kWordsBytes = 512;

void append_text(std::string_view name, std::string_view text, std::string& out) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":", name);
  append_json_string(text, out);
}

void append_line(const ReceiptBatch& batch, std::size_t index, std::string& out) {
  const Receipt& receipt = batch.receipts[index];
  fmt::format_to(std::back_inserter(out), "{{\"{}\":{},\"{}\":{}", fields::kTime, batch.at_ms,
                 fields::kIndex, index);
  append_text(fields::kBatch, batch.name, out);
  append_text(fields::kOutcome, receipt.accepted ? kAccepted : kRefused, out);
  if (!receipt.code.empty()) append_text(fields::kCode, receipt.code, out);
  if (!receipt.message.empty()) append_text(fields::kMessage, receipt.message, out);
  if (!receipt.number.empty()) append_text(fields::kNumber, receipt.number, out);
  // The rest of the record's own object.
  const std::string_view rest = receipt.row.substr(1);
  if (rest.size() > 1) out += ',';
  out += rest;
  out += '\n';
}

}  // namespace

Schema receipt_schema(const Schema& row) {
  std::vector<Field> all;
  for (const auto& [name, type] : {std::pair(fields::kTime, Type::kTimestamp),
                                   {fields::kBatch, Type::kString},
                                   {fields::kIndex, Type::kInt64},
                                   {fields::kOutcome, Type::kString},
                                   {fields::kCode, Type::kString},
                                   {fields::kMessage, Type::kString},
                                   {fields::kNumber, Type::kString}}) {
    all.push_back({std::string(name), type});
  }
  all.insert(all.end(), row.fields().begin(), row.fields().end());
  return Schema(std::move(all));
}

std::string_view taken_receipt_field(const Schema& row) {
  const Schema own = receipt_schema({});
  for (const Field& field : row.fields()) {
    if (own.index_of(field.name)) return field.name;
  }
  return {};
}

std::vector<IntakeEntry> receipt_entries(const ReceiptBatch& batch) {
  std::vector<IntakeEntry> entries;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < batch.receipts.size(); ++i) {
    const std::size_t size = batch.receipts[i].row.size() + kWordsBytes;
    if (entries.empty() || bytes + size > kEntryBytes) {
      IntakeEntry& entry = entries.emplace_back();
      entry.key = fmt::format("{}/{}", batch.key, entries.size() - 1);
      bytes = 0;
    }
    bytes += size;
    ++entries.back().records;
    append_line(batch, i, entries.back().body);
  }
  return entries;
}

Status keep_receipts(runtime::Intake& intake, const ReceiptBatch& batch) {
  std::vector<std::promise<IntakeReceipt>> kept;
  std::vector<IntakeEntry> entries = receipt_entries(batch);
  kept.resize(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    intake.append(std::move(entries[i]),
                  [&kept, i](const IntakeReceipt& receipt) { kept[i].set_value(receipt); });
  }
  Status status = Status::ok();
  for (std::promise<IntakeReceipt>& one : kept) {
    const IntakeReceipt receipt = one.get_future().get();
    // A receiver has other words for what it has already: what it said first holds.
    if (receipt.status.is_ok() || receipt.status.code() == StatusCode::kInvalid) continue;
    if (status.is_ok()) status = receipt.status;
  }
  return status;
}

}  // namespace huiliu::codecs
