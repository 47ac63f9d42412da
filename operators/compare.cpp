#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operators/condition.h"
#include "operators/field_names.h"
#include "operators/version_state.h"
#include "runtime/key.h"
#include "runtime/registry.h"
#include "state/table.h"

namespace huiliu::operators {
namespace {

using runtime::Config;
using runtime::Declaration;
using runtime::OptionType;
using runtime::Outputs;
using runtime::Record;
using runtime::Schema;
using runtime::Type;
using runtime::Value;

constexpr std::size_t kHistoryPort = 1;
constexpr std::size_t kConflictsPort = 2;
constexpr std::size_t kOutcomesPort = 3;
constexpr const char* kOutcomeField = "outcome";

struct Settings {
  Schema input;
  std::vector<std::string> key, content;
  std::vector<std::size_t> version;
  std::optional<std::size_t> source;
  SourcePriority priority;
  Condition withdrawn;
  bool can_withdraw = false;
};

bool names_field(const Config& list, const std::string& name) {
  for (const Config* item : items_of(list)) {
    if (item->is_scalar() && item->text() == name) return true;
  }
  return false;
}

Settings parse(const Declaration& declaration) {
  const Config& config = declaration.config;
  const Schema& input = declaration.input();
  runtime::Diagnostics& diagnostics = declaration.diagnostics;
  Settings settings;
  settings.input = input;
  find_fields(config["key"], input, diagnostics);
  settings.key = config["key"].as_strings();
  settings.version = find_fields(config["version"], input, diagnostics);
  if (config.has("source")) settings.source = find_text_field(config["source"], input, diagnostics);
  if (config.has("priority")) {
    settings.priority = config["priority"].as_strings();
    if (!config.has("source")) {
      diagnostics.error(config.key_place("priority"), "a priority needs `source: FIELD`");
    }
  }
  settings.can_withdraw = config.has("withdrawn");
  settings.withdrawn = Condition::parse(config["withdrawn"], input, diagnostics);
  if (config.has("content")) {
    find_fields(config["content"], input, diagnostics);
    settings.content = config["content"].as_strings();
    return settings;
  }
  for (const runtime::Field& field : input.fields()) {
    const bool left_out = names_field(config["key"], field.name) ||
                          names_field(config["version"], field.name) ||
                          names_field(config["source"], field.name) || field.name == "warnings";
    if (!left_out) settings.content.push_back(field.name);
  }
  return settings;
}

class Compare final : public runtime::Operator {
 public:
  explicit Compare(Settings settings)
      : settings_(std::move(settings)),
        key_(settings_.input, settings_.key),
        content_(settings_.input, settings_.content) {
    incoming_.version.resize(settings_.version.size());
    known_.version.resize(settings_.version.size());
  }

  void open(runtime::OperatorContext& context) override {
    context_ = &context;
    table_ = &context.table("current");
    row_.resize(context.row_slots());
    for (std::size_t i = 0; i < kOutcomes; ++i) {
      counters_[i] = context.counter(outcome_name(static_cast<Outcome>(i)));
    }
  }

  void expect(std::uint64_t key_hash) override { table_->prefetch(key_hash); }

  void process(Record& record, Outputs& out) override {
    if (!has_key(record)) {
      out.reject(record, {"E101_MISSING",
                          settings_.key.front(),
                          {},
                          "compare",
                          "every field of the natural key is empty",
                          "业务主键各项均为空"});
      return;
    }
    read(record);
    const std::string_view key = key_.build(record);
    const std::uint16_t shard = context_->shard_of(record.key_hash);
    const auto stored = table_->get(shard, key, record.key_hash);
    if (stored) decode_state(*stored, known_);
    const Outcome outcome = decide(incoming_, stored ? &known_ : nullptr, settings_.priority);
    if (becomes_current(outcome)) {
      store(shard, key, record.key_hash, incoming_);
    } else if (outcome == Outcome::kDuplicate && raise_version()) {
      store(shard, key, record.key_hash, known_);
    }
    ++*counters_[static_cast<std::size_t>(outcome)];
    send(outcome, record, out);
  }

 private:
  bool has_key(const Record& record) const {
    for (std::size_t field : key_.fields()) {
      if (!is_blank(record[field], settings_.input[field].type)) return true;
    }
    return false;
  }

  void read(const Record& record) {
    for (std::size_t i = 0; i < settings_.version.size(); ++i) {
      const std::size_t field = settings_.version[i];
      read_version(record[field], settings_.input[field].type, incoming_.version[i]);
    }
    incoming_.content = content_.hash(record);
    incoming_.source.assign(settings_.source ? record[*settings_.source].text()
                                             : std::string_view{});
    incoming_.withdrawn = settings_.can_withdraw && settings_.withdrawn.holds(record);
  }

  static void read_version(const Value& value, Type type, std::string& into) {
    into.clear();
    if (value.is_null()) return;
    if (runtime::is_text(type)) {
      into.assign(value.text());
      return;
    }
    char digits[32];
    const auto written = type == Type::kFloat64
                             ? std::to_chars(digits, digits + sizeof digits, value.real())
                             : std::to_chars(digits, digits + sizeof digits, value.integer());
    into.assign(digits, written.ptr);
  }

  /// A newer version with the same content makes what is known newer, so that versions in between
  /// are stale. True if it did.
  bool raise_version() {
    if (compare_versions(incoming_.version, known_.version) != VersionOrder::kNewer) return false;
    known_.version = incoming_.version;
    return true;
  }

  void store(std::uint16_t shard, std::string_view key, std::uint64_t hash,
             const VersionState& state) {
    encode_state(state, bytes_);
    table_->put(shard, key, hash, bytes_);
  }

  void send(Outcome outcome, Record& record, Outputs& out) {
    record[settings_.input.width()] = Value::of_text(outcome_name(outcome));
    record.width = static_cast<std::uint32_t>(settings_.input.width() + 1);
    if (outcome != Outcome::kDuplicate) send_copy(record, kHistoryPort, out);
    if (outcome == Outcome::kConflict) send_copy(record, kConflictsPort, out);
    if (!becomes_current(outcome)) return out.emit(record, kOutcomesPort);
    send_copy(record, kOutcomesPort, out);
    out.emit(record);
  }

  void send_copy(const Record& record, std::size_t port, Outputs& out) {
    std::copy_n(record.values, record.width, row_.data());
    Record copy = record;
    copy.values = row_.data();
    out.emit_new(copy, port);
  }

  Settings settings_;
  runtime::KeyBuilder key_, content_;
  runtime::OperatorContext* context_ = nullptr;
  state::Table* table_ = nullptr;
  VersionState incoming_, known_;
  std::string bytes_;
  std::vector<Value> row_;
  std::uint64_t* counters_[kOutcomes] = {};
};

runtime::RowText describe_state(std::string_view value, const std::vector<std::string>& names) {
  VersionState state;
  state.version.resize(names.size());
  if (!read_state(value, state)) return {{"damaged", std::to_string(value.size()) + " bytes"}};
  runtime::RowText text;
  for (std::size_t i = 0; i < names.size(); ++i) text.emplace_back(names[i], state.version[i]);
  if (!state.source.empty()) text.emplace_back("source", state.source);
  text.emplace_back("withdrawn", state.withdrawn ? "true" : "false");
  text.emplace_back("content", fmt::format("{:016x}", state.content));
  return text;
}

void declare(Declaration& declaration) {
  const Settings settings = parse(declaration);
  declaration.key_fields = settings.key;
  const auto names = declaration.config["version"].as_strings();
  declaration.tables = {{.name = "current",
                         .layout = fmt::format("version=({})", fmt::join(names, ", ")),
                         .describe = [names](std::string_view, std::string_view value) {
                           return describe_state(value, names);
                         }}};
  if (settings.key.empty()) {
    declaration.diagnostics.error(declaration.config["key"].place(), "expected at least one field");
  }
  if (settings.content.empty()) {
    declaration.diagnostics.error(declaration.config.place(),
                                  "no field is left to compare; name them in `content`");
  }
  declaration.output = declaration.input();
  if (declaration.output.index_of(kOutcomeField)) {
    declaration.diagnostics.error(declaration.config.place(),
                                  "the input has a field 'outcome', which the operator makes");
  }
  declaration.output.add(kOutcomeField, Type::kString);
  for (const char* port : {"history", "conflicts", "outcomes"}) {
    declaration.side_outputs.emplace_back(port, declaration.output);
  }
}

std::unique_ptr<runtime::Operator> create(const Declaration& declaration) {
  return std::make_unique<Compare>(parse(declaration));
}

runtime::Option field_list(std::string name, std::string doc, bool required = false) {
  return {
      .name = std::move(name),
      .type = OptionType::kList,
      .doc = std::move(doc),
      .required = required,
      .members = {{.name = "field", .type = OptionType::kField, .doc = "A field of the input."}}};
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor =
        {.name = "compare",
         .summary = "Compares each record with the current version of its natural key.",
         .description =
             "Every record has one `outcome`, a field that is appended:\n\n"
             "- `ACCEPTED`: the key is new\n"
             "- `DUPLICATE`: same content as the current version\n"
             "- `UPDATED`: newer version, or no order but the same source or one that goes before\n"
             "- `STALE`: older version, or not explicitly newer than a withdrawal\n"
             "- `CONFLICT`: no order, another source, neither goes before\n"
             "- `WITHDRAWN`: `withdrawn` holds; the key stays as a tombstone\n"
             "- `REACTIVATED`: explicitly newer than the withdrawal\n\n"
             "The main output has the new current versions (ACCEPTED, UPDATED, REACTIVATED, "
             "WITHDRAWN). Versions are ordered by the first of the `version` fields that both "
             "records have and that differs; without one, rows of one source by their order.",
         .options = {field_list("key", "Natural key.", true),
                     field_list("version",
                                "Version number, then the source's time stamp, ...; may be empty "
                                "in records."),
                     field_list("content",
                                "Fields whose change makes a new version. Default: all but key, "
                                "version, source and `warnings`."),
                     {.name = "source",
                      .type = OptionType::kField,
                      .doc = "Field that says who reported the record."},
                     {.name = "priority",
                      .type = OptionType::kList,
                      .doc = "Sources that go before others, highest first.",
                      .members = {{.name = "source", .doc = "Value of the source field."}}},
                     {.name = "withdrawn",
                      .type = OptionType::kAny,
                      .doc = "Condition that makes a record a withdrawal. " +
                             std::string(Condition::doc())}},
         .outputs = {{.name = "history", .doc = "Every version but duplicates, with its outcome."},
                     {.name = "conflicts", .doc = "Records of outcome CONFLICT."},
                     {.name = "outcomes", .doc = "Every record, with its outcome."}},
         .keyed = true,
         .stateful = true,
         .rejects = true,
         .example = "type: compare\n"
                    "key: [authority_code, doc_no, subject_key]\n"
                    "version: [version_no, updated_at]\n"
                    "source: source_code\n"
                    "priority: [11350800004000016A]\n"
                    "withdrawn: {status: \"2\"}\n"},
    .declare = declare,
    .create = create});

}  // namespace
}  // namespace huiliu::operators
