#include "operators/refused.h"

#include <algorithm>
#include <cstring>

#include "operators/field_names.h"
#include "runtime/base/failpoint.h"
#include "runtime/component/registry.h"
#include "runtime/record/key.h"
#include "state/table.h"

namespace huiliu::operators {

namespace {

void append_number(std::string& bytes, std::uint64_t number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void append_text(std::string& bytes, std::string_view text) {
  append_number(bytes, text.size());
  bytes.append(text);
}

bool take_number(std::string_view& bytes, std::uint64_t& number) {
  if (bytes.size() < sizeof number) return false;
  std::memcpy(&number, bytes.data(), sizeof number);
  bytes.remove_prefix(sizeof number);
  return true;
}

bool take_text(std::string_view& bytes, std::string& text) {
  std::uint64_t size = 0;
  if (!take_number(bytes, size) || bytes.size() < size) return false;
  text = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

}  // namespace

std::string RefusedRow::to_bytes() const {
  std::string bytes;
  for (const std::uint64_t number : {rejudgement, id, row}) append_number(bytes, number);
  for (const std::string* text : {&partition, &code, &rule}) append_text(bytes, *text);
  return bytes;
}

std::optional<RefusedRow> RefusedRow::parse(std::string_view bytes) {
  RefusedRow row;
  bool good = true;
  for (std::uint64_t* number : {&row.rejudgement, &row.id, &row.row}) {
    good = good && take_number(bytes, *number);
  }
  for (std::string* text : {&row.partition, &row.code, &row.rule}) {
    good = good && take_text(bytes, *text);
  }
  if (!good || !bytes.empty()) return std::nullopt;
  return row;
}

std::string VerdictCount::to_bytes() const {
  std::string bytes;
  append_number(bytes, rejudgement);
  append_number(bytes, count);
  return bytes;
}

std::optional<VerdictCount> VerdictCount::parse(std::string_view bytes) {
  VerdictCount verdict;
  const bool good = take_number(bytes, verdict.rejudgement) && take_number(bytes, verdict.count);
  if (!good || !bytes.empty()) return std::nullopt;
  return verdict;
}

namespace {

using runtime::Config;
using runtime::Declaration;
using runtime::KeyBuilder;
using runtime::OptionType;
using runtime::Outputs;
using runtime::Record;

struct Fields {
  std::size_t outcome = 0, code = 0, rule = 0;
};

class Refused final : public runtime::Operator {
 public:
  Refused(KeyBuilder key, Fields fields) : key_(std::move(key)), fields_(fields) {}

  runtime::Status open(runtime::OperatorContext& context) override {
    context_ = &context;
    HUILIU_ASSIGN_OR_RETURN(rows_, context.table(kRefusedRows));
    HUILIU_ASSIGN_OR_RETURN(verdicts_, context.table(kRefusedVerdicts));
    rejudgement_ = context.rejudgement();
    row_values_.resize(key_.fields().size());
    return runtime::Status::ok();
  }

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    const std::string_view outcome = text(record, fields_.outcome);
    const bool rejected = outcome == kRejected;
    const std::uint16_t shard = context_->shard_of(record.key_hash);
    if (rejudgement_ != 0) count(shard, outcome);
    if (rejected) {
      remember(shard, record);
    } else if (rejudgement_ != 0) {
      const std::string_view key = table_key(record);
      if (!runtime::mutant("refused.not_removed")) {
        rows_->erase(shard, key, KeyBuilder::hash_bytes(key));
      }
      return settle(record, out);
    }
    out.absorb(record);
  }

 private:
  /// Only the key goes on.
  void settle(Record& record, Outputs& out) {
    std::size_t width = 0;
    for (const std::size_t field : key_.fields()) row_values_[width++] = record[field];
    std::copy_n(row_values_.begin(), width, record.values);
    record.width = static_cast<std::uint32_t>(width);
    out.emit(record);
  }

  static std::string_view text(const Record& record, std::size_t field) {
    return record[field].is_null() ? std::string_view() : record[field].text();
  }

  /// Two deliveries may have one name: a row of either is a row of its own.
  std::string_view table_key(const Record& record) {
    bytes_ = key_.build(record);
    append_number(bytes_, record.id);
    return bytes_;
  }

  void remember(std::uint16_t shard, const Record& record) {
    row_.rejudgement = rejudgement_;
    row_.id = record.id;
    row_.partition = record.origin.partition == nullptr ? "" : *record.origin.partition;
    row_.row = record.origin.offset;
    row_.code = text(record, fields_.code);
    row_.rule = text(record, fields_.rule);
    const std::string_view key = table_key(record);
    rows_->put(shard, key, KeyBuilder::hash_bytes(key), row_.to_bytes());
  }

  void count(std::uint16_t shard, std::string_view outcome) {
    const std::uint64_t hash = KeyBuilder::hash_bytes(outcome);
    VerdictCount verdict;
    if (const auto stored = verdicts_->get(shard, outcome, hash)) {
      const auto parsed = VerdictCount::parse(*stored);
      if (!parsed) verdicts_->refuse_row(shard);
      verdict = *parsed;
    }
    if (verdict.rejudgement != rejudgement_) verdict = {rejudgement_, 0};
    ++verdict.count;
    verdicts_->put(shard, outcome, hash, verdict.to_bytes());
  }

  KeyBuilder key_;
  Fields fields_;
  runtime::OperatorContext* context_ = nullptr;
  state::Table* rows_ = nullptr;
  state::Table* verdicts_ = nullptr;
  std::uint64_t rejudgement_ = 0;
  RefusedRow row_;
  std::vector<runtime::Value> row_values_;
  std::string bytes_;
};

runtime::RowText damaged(std::string_view bytes) {
  return {{"damaged", std::to_string(bytes.size()) + " bytes"}};
}

runtime::RowText describe_row(std::string_view, std::string_view value) {
  const auto row = RefusedRow::parse(value);
  if (!row) return damaged(value);
  return {{"file", row->partition},
          {"row", std::to_string(row->row)},
          {"code", row->code},
          {"rule", row->rule},
          {"rejudgement", std::to_string(row->rejudgement)}};
}

runtime::RowText describe_verdict(std::string_view key, std::string_view value) {
  const auto verdict = VerdictCount::parse(value);
  if (!verdict) return damaged(value);
  return {{"outcome", std::string(key)},
          {"rejudgement", std::to_string(verdict->rejudgement)},
          {"count", std::to_string(verdict->count)}};
}

Fields parse(const Declaration& declaration) {
  const Config& config = declaration.config;
  const auto find = [&](const char* option) {
    return find_text_field(config[option], declaration.input(), declaration.diagnostics);
  };
  return {find("outcome"), find("code"), find("rule")};
}

void declare(Declaration& declaration) {
  const Config& config = declaration.config;
  const runtime::Schema& input = declaration.input();
  parse(declaration);
  declaration.key_fields = config["key"].as_strings();
  for (const std::size_t field : find_fields(config["key"], input, declaration.diagnostics)) {
    if (input.width() == 0 || declaration.output.index_of(input[field].name)) continue;
    declaration.output.add(input[field].name, input[field].type);
  }
  declaration.tables = {{.name = std::string(kRefusedRows),
                         .layout = "refused",
                         .describe = describe_row,
                         .longer_keys = true},
                        {.name = std::string(kRefusedVerdicts),
                         .layout = "rejudged",
                         .describe = describe_verdict,
                         .longer_keys = true}};
}

std::unique_ptr<runtime::Operator> create(const Declaration& declaration) {
  return std::make_unique<Refused>(KeyBuilder(declaration.input(), declaration.key_fields),
                                   parse(declaration));
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor =
        {.name = std::string(kRefusedType),
         .summary = "Knows which rows are refused at the moment, for `huiliu rejudge`.",
         .description =
             "Its input are verdicts, exactly one for each row that was read. A verdict REJECTED "
             "puts the row into the table `rows`. In a rejudgement any other verdict takes it out, "
             "and its key comes out: a sink that lists refused rows can delete it by that. Other "
             "verdicts on rows that are read for the first time change nothing; they need not come "
             "here (output `rejudged` of `entry`). Rows are told apart by content, so that two "
             "deliveries of one name do not meet.",
         .options = {{.name = "key",
                      .type = OptionType::kList,
                      .doc = "Fields that say where the row was read.",
                      .required = true,
                      .members = {{.name = "field",
                                   .type = OptionType::kField,
                                   .doc = "A field of the input."}}},
                     {.name = "outcome",
                      .type = OptionType::kField,
                      .doc = "The verdict.",
                      .default_text = "outcome"},
                     {.name = "code",
                      .type = OptionType::kField,
                      .doc = "Code of the reject.",
                      .default_text = "code"},
                     {.name = "rule",
                      .type = OptionType::kField,
                      .doc = "Rule that refused the row.",
                      .default_text = "rule"}},
         .outputs = {},
         .keyed = true,
         .stateful = true,
         .output_optional = true,
         .example = "type: refused\ninput: verdicts\nkey: [file, row]\noutcome: verdict\n"},
    .declare = declare,
    .create = create});

}  // namespace
}  // namespace huiliu::operators
