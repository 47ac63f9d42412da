#include <algorithm>

#include "codecs/value_parsers.h"
#include "connectors/postgres/packed_cells.h"
#include "connectors/postgres/table_reader.h"

namespace huiliu::connectors::postgres {
namespace {

using runtime::Outputs;
using runtime::Record;
using runtime::Reject;
using runtime::Slice;
using runtime::Value;

constexpr Reject kFormat{
    "E201_FORMAT",       "", "", "postgres", "The value does not fit the field's type.",
    "值与字段类型不符。"};

class TableDecoder final : public runtime::Decoder {
 public:
  TableDecoder(const TableSourceOptions& options, const runtime::DecoderContext& context)
      : schema_(options.columns),
        event_time_(context.event_time_field),
        key_(options.key),
        says_change_(options.deletes),
        row_(std::max(context.row_slots, schema_.width() + 1 + runtime::kRejectFieldCount)) {
    for (std::size_t i = 0; i < schema_.width(); ++i) all_.push_back(i);
  }

  void decode(const Slice& slice, Outputs& out) override {
    const bool deletes = static_cast<TableSlice>(slice.format) == TableSlice::kDeletes;
    std::string_view rest = slice.bytes;
    for (std::uint64_t offset = slice.first_offset; !rest.empty(); ++offset) {
      Record record;
      record.values = row_.data();
      record.width = static_cast<std::uint32_t>(schema_.width() + (says_change_ ? 1 : 0));
      record.origin = {slice.partition, offset};
      record.id = runtime::record_id(slice.partition_hash, offset);
      if (deletes) record.change = runtime::Change::kDelete;
      if (says_change_) row_[schema_.width()] = Value::of_text(runtime::change_text(deletes));
      const Reject* reject = read_row(rest, deletes ? key_ : all_, out);
      if (reject != nullptr) {
        out.reject(record, *reject);
        continue;
      }
      if (event_time_ >= 0) {
        const Value& time = row_[static_cast<std::size_t>(event_time_)];
        if (!time.is_null()) record.event_time = time.integer();
      }
      out.emit(record);
    }
  }

 private:
  // All cells are taken, whatever is wrong with one of them.
  const Reject* read_row(std::string_view& rest, const std::vector<std::size_t>& fields,
                         Outputs& out) {
    std::fill_n(row_.begin(), schema_.width(), Value());
    const Reject* found = nullptr;
    for (const std::size_t field : fields) {
      std::optional<std::string_view> cell;
      if (!take_cell(rest, cell)) {
        rest = {};
        break;
      }
      if (!cell) continue;
      const auto value = codecs::parse_cell(schema_[field].type, *cell);
      if (value) {
        row_[field] = *value;
      } else if (found == nullptr) {
        reject_ = kFormat;
        reject_.field = schema_[field].name;
        reject_.value = out.arena().copy(codecs::excerpt_of(schema_[field].type, *cell));
        found = &reject_;
      }
    }
    return found;
  }

  const runtime::Schema schema_;
  const int event_time_;
  const std::vector<std::size_t> key_;
  const bool says_change_;
  std::vector<std::size_t> all_;
  std::vector<Value> row_;
  Reject reject_;
};

}  // namespace

std::unique_ptr<runtime::Decoder> make_table_decoder(const TableSourceOptions& options,
                                                     const runtime::DecoderContext& context) {
  return std::make_unique<TableDecoder>(options, context);
}

}  // namespace huiliu::connectors::postgres
