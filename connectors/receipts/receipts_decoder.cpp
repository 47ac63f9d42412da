#include "connectors/receipts/receipts_decoder.h"

#include <algorithm>
#include <vector>

#include "codecs/json_row.h"
#include "codecs/receipts.h"
#include "codecs/value_parsers.h"
#include "connectors/receipts/receipts_reader.h"

namespace huiliu::connectors {
namespace {

using runtime::Outputs;
using runtime::Record;
using runtime::Reject;
using runtime::Slice;
using runtime::Value;

namespace fields = codecs::receipt_fields;

constexpr int kMostDepth = 256;
constexpr Reject kUnreadable{"E817_BAD_RECEIPT",
                             "",
                             "",
                             "receipts",
                             "A value of the record, as it was sent, is none of the field's type.",
                             "已推送记录中的值与字段类型不符。"};
constexpr std::string_view kNoCode = "E818_REFUSED";
constexpr std::string_view kNoWordsEn = "The receiver refused the record and did not say why.";
constexpr std::string_view kNoWordsZh = "接收方拒收该记录，未说明原因。";

class ReceiptsDecoder final : public runtime::Decoder {
 public:
  ReceiptsDecoder(const runtime::SourceDeclaration& source, const runtime::DecoderContext& context)
      : schema_(source.output),
        event_time_(context.event_time_field),
        json_(types(), kMostDepth),
        row_(std::max(context.row_slots, schema_.width() + runtime::kRejectFieldCount)),
        outcome_(*schema_.index_of(fields::kOutcome)),
        code_(*schema_.index_of(fields::kCode)),
        message_(*schema_.index_of(fields::kMessage)) {
    for (std::size_t i = 0; i < schema_.width(); ++i) {
      keys_.add(schema_[i].name, static_cast<int>(i));
    }
  }

  void decode(const Slice& slice, Outputs& out) override {
    const bool rejects = static_cast<ReceiptSlice>(slice.format) == ReceiptSlice::kRejects;
    const char* at = slice.bytes.data();
    const char* const end = at + slice.bytes.size();
    for (std::uint64_t offset = slice.first_offset; at < end; ++offset) {
      std::fill_n(row_.begin(), schema_.width(), Value());
      const char* stop = nullptr;
      const codecs::JsonFault fault = json_.parse(at, keys_, row_.data(), out.arena(), stop);
      Record record = made(slice, offset);
      if (fault != codecs::JsonFault::kNone) {
        refuse_unreadable(record, rejects, out);
      } else if (!rejects) {
        if (event_time_ >= 0)
          record.event_time = row_[static_cast<std::size_t>(event_time_)].integer();
        out.emit(record);
      } else if (row_[outcome_].text() == codecs::kRefused) {
        out.reject(record, reason());
      }
      at = std::find(at, end, '\n') + 1;
    }
  }

 private:
  std::vector<runtime::Type> types() const {
    std::vector<runtime::Type> all;
    for (const runtime::Field& field : schema_.fields()) all.push_back(field.type);
    return all;
  }

  Record made(const Slice& slice, std::uint64_t offset) {
    Record record;
    record.values = row_.data();
    record.width = static_cast<std::uint32_t>(schema_.width());
    record.origin = {slice.partition, offset};
    record.id = runtime::record_id(slice.partition_hash, offset);
    return record;
  }

  // Once: the slice with the rejects has the record again.
  void refuse_unreadable(Record& record, bool again, Outputs& out) {
    if (again) return;
    Reject reject = kUnreadable;
    if (json_.field() >= 0) reject.field = schema_[static_cast<std::size_t>(json_.field())].name;
    reject.value = out.arena().copy(codecs::excerpt(json_.value()));
    out.reject(record, reject);
  }

  Reject reason() const {
    const auto text = [this](std::size_t field, std::string_view otherwise) {
      return row_[field].is_null() ? otherwise : row_[field].text();
    };
    Reject reject{text(code_, kNoCode), "", "", "receipts"};
    reject.message_en = text(message_, kNoWordsEn);
    reject.message_zh = text(message_, kNoWordsZh);
    return reject;
  }

  const runtime::Schema schema_;
  const int event_time_;
  codecs::JsonRow json_;
  codecs::KeyTable keys_;
  std::vector<Value> row_;
  const std::size_t outcome_, code_, message_;
};

}  // namespace

std::unique_ptr<runtime::Decoder> make_receipts_decoder(const runtime::SourceDeclaration& source,
                                                        const runtime::DecoderContext& context) {
  return std::make_unique<ReceiptsDecoder>(source, context);
}

}  // namespace huiliu::connectors
