#include <algorithm>
#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "operators/compare_settings.h"
#include "operators/compare_state.h"
#include "operators/record_book.h"
#include "runtime/component/registry.h"
#include "runtime/record/compact_row.h"
#include "runtime/record/key.h"
#include "state/table.h"

namespace huiliu::operators {
namespace {

using runtime::Change;
using runtime::Declaration;
using runtime::Outputs;
using runtime::Record;
using runtime::Type;
using runtime::Value;

// Ports in the order of the descriptor's outputs.
constexpr std::size_t kHistoryPort = 1;
constexpr std::size_t kConflictsPort = 2;
constexpr std::size_t kOutcomesPort = 3;
constexpr std::size_t kChangesPort = 4;
constexpr std::size_t kLeftPort = 5;

class Compare final : public runtime::Operator {
 public:
  explicit Compare(CompareSettings settings)
      : settings_(std::move(settings)),
        key_(settings_.input, settings_.key),
        content_(settings_.input, sorted(settings_.content)),
        unsorted_(settings_.input, settings_.content),
        content_list_(settings_.content_list(settings_.content)),
        incoming_(settings_.shape()),
        identities_(settings_.identity.size()),
        counts_(std::count(settings_.is_counted.begin(), settings_.is_counted.end(), true) > 0) {
    known_.state.resize(settings_.shape());
    if (!settings_.content_before.empty()) {
      const auto& before = settings_.content_before;
      older_.emplace(Before{{settings_.input, sorted(before)},
                            {settings_.input, before},
                            settings_.content_list(before)});
    }
    if (settings_.amend) {
      rows_.emplace(settings_.input);
      rows_schema_ =
          static_cast<std::uint32_t>(runtime::KeyBuilder::hash_bytes(settings_.input.to_string()));
      again_.resize(settings_.input.width());
    }
  }

  runtime::Status open(runtime::OperatorContext& context) override {
    context_ = &context;
    HUILIU_ASSIGN_OR_RETURN(table_, context.table("current"));
    book_.emplace(settings_.shape(), *table_);
    row_.resize(context.row_slots());
    return runtime::Status::ok();
  }

  void expect(std::uint64_t key_hash) override {
    // With identities the row is found by another hash, which only the record itself tells.
    if (settings_.identity.empty()) table_->prefetch(key_hash);
  }

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    out_ = &out;
    if (const std::size_t missing = missing_key(record); missing < settings_.key.size()) {
      return out.reject(record, {.code = "E101_MISSING",
                                 .field = settings_.key[missing],
                                 .value = {},
                                 .rule = "compare",
                                 .message_en = "a field of the natural key is empty: without it "
                                               "the record cannot be told from others",
                                 .message_zh = "业务主键缺项，无法与其他记录区分"});
    }
    if (!read_identities(record)) {
      return out.reject(record, {.code = "E403_PARTY_FIELDS",
                                 .field = settings_.input[settings_.identity.front()].name,
                                 .value = {},
                                 .rule = "compare",
                                 .message_en = "no code or number says whom the record is about",
                                 .message_zh = "没有可以识别主体的代码或证件号码"});
    }
    const RecordBook::Place place{key_.build(record), context_->shard_of(record.key_hash),
                                  record.key_hash};
    const bool exists = book_->find(place, identities_, known_);
    if (!exists) number(place);
    merged_.clear();
    book_->merge(place, identities_, known_, merged_);
    if (settings_.amend && settings_.amend->when.holds(record)) {
      return amend(place, exists, record, out);
    }
    version(place, exists, record, out);
  }

 private:
  std::size_t missing_key(const Record& record) const {
    for (std::size_t i = 0; i < settings_.key.size(); ++i) {
      if (settings_.may_be_absent[i]) continue;
      const std::size_t field = key_.fields()[i];
      if (is_blank(record[field], settings_.input[field].type)) return i;
    }
    return settings_.key.size();
  }

  bool read_identities(const Record& record) {
    bool any = identities_.empty();
    for (std::size_t i = 0; i < identities_.size(); ++i) {
      const std::string_view text = record[settings_.identity[i]].text();
      if (text.empty()) {
        identities_[i].reset();
        continue;
      }
      if (!identities_[i]) identities_[i].emplace();
      identities_[i]->assign(text);
      any = true;
    }
    return any;
  }

  /// Gives a new record a name for outputs, if its identity must not stand there.
  void number(const RecordBook::Place& place) {
    for (std::size_t i = 0; i < identities_.size(); ++i) {
      if (!identities_[i]) continue;
      if (!settings_.is_numbered[i]) return;
      const std::string_view type(known_.identity.data(), known_.identity.find(':') + 1);
      known_.state.name = fmt::format("{}#{}", type, book_->next_number(place));
      return;
    }
  }

  /// A row that is a version of its record.
  void version(const RecordBook::Place& place, bool exists, Record& record, Outputs& out) {
    VersionState& known = known_.state;
    if (exists && !known.awaited) keep_values(record);
    read(record);
    const Precedence precedence{
        settings_.priority, settings_.owner ? record[*settings_.owner].text() : std::string_view{}};
    const Outcome outcome =
        decide(incoming_, exists ? &known : nullptr, exists && same_content(record), precedence);
    Changes changes;
    if (becomes_current(outcome)) {
      take_over(record, exists, changes);
      book_->store(place, known_);
    } else if (raise(outcome) || known_.grew || !merged_.empty()) {
      changes.inserted = outcome == Outcome::kDuplicate && count_at_last(record);
      book_->store(place, known_);
    }
    send(outcome, becomes_current(outcome), changes, record, out);
  }

  /// What a version does to those who keep or count the record.
  struct Changes {
    bool removed = false;   ///< from the counts: as before_ has it
    bool inserted = false;  ///< into the counts
    bool left = false;      ///< the place where it was kept
  };

  // What the first version said, or the last one that said anything, stays.
  void keep_values(Record& record) {
    for (std::size_t i = 0; i < settings_.remembered.size(); ++i) {
      const auto& before = known_.state.remembered[i];
      Value& value = record[settings_.remembered[i]];
      const bool kept = settings_.is_first[i] || (settings_.is_kept[i] && value.text().empty());
      if (kept && before) value = Value::of_text(lasting(*before));
    }
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

  bool same_content(const Record& record) {
    const VersionState& known = known_.state;
    if (is_owed(record)) return false;
    if (known.content_list == content_list_) return incoming_.content == known.content;
    if (older_ && known.content_list == older_->list) {
      return older_->sorted.hash(record) == known.content;
    }
    // Versions before 2026.2 took the fields in the order of the config: 0 for the only list that
    // there was, 1 for the newer of two.
    if (known.content_list > 1) return false;
    const bool older = known.content_list == 0 && older_;
    return (older ? older_->unsorted : unsorted_).hash(record) == known.content;
  }

  bool has_row() const {
    const std::string& row = known_.state.row;
    std::uint32_t schema = 0;
    if (row.size() < sizeof schema) return false;
    std::memcpy(&schema, row.data(), sizeof schema);
    return schema == rows_schema_;
  }

  /// Whether amendments could not be sent, since the state held no row to send them with.
  bool is_owed(const Record& record) const {
    const VersionState& known = known_.state;
    return rows_ && !has_row() && !known.withdrawn && settings_.amend->of.holds(record) &&
           std::any_of(known.amended.begin(), known.amended.end(),
                       [](const auto& text) { return text.has_value(); });
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

  /// Makes the row the current version.
  void take_over(Record& record, bool exists, Changes& changes) {
    VersionState& known = known_.state;
    const bool was_there = exists && !known.awaited && !known.withdrawn;
    const bool was_counted = known.announced;
    before_.clear();
    known.version = incoming_.version;
    known.content = incoming_.content;
    known.content_list = content_list_;
    known.source = incoming_.source;
    known.withdrawn = incoming_.withdrawn;
    known.awaited = false;
    bool moved = false, recount = false;
    for (std::size_t i = 0; i < settings_.remembered.size(); ++i) {
      const Value& value = record[settings_.remembered[i]];
      auto& remembered = known.remembered[i];
      const bool same = value.is_null() ? !remembered : remembered && *remembered == value.text();
      moved = moved || (!same && settings_.is_place[i]);
      recount = recount || (!same && settings_.is_counted[i]);
      if (same) continue;
      // What was is needed for those who counted or kept it.
      if (before_.empty() && exists) before_ = known.remembered;
      if (value.is_null()) {
        remembered.reset();
      } else {
        remembered.emplace(value.text());
      }
    }
    if (before_.empty() && (was_there || was_counted)) before_ = known.remembered;
    changes.left = was_there && moved;
    changes.removed = was_counted && (recount || known.withdrawn);
    changes.inserted = !known.withdrawn && (!was_counted || recount);
    known.announced = !known.withdrawn && counts_;
    keep_row(record);
  }

  /// A record of a state that knew of no counts is counted when it is seen again.
  bool count_at_last(const Record& record) {
    VersionState& known = known_.state;
    if (!counts_ || known.announced || known.withdrawn || known.awaited) return false;
    for (std::size_t i = 0; i < settings_.remembered.size(); ++i) {
      const Value& value = record[settings_.remembered[i]];
      if (!value.is_null()) known.remembered[i].emplace(value.text());
    }
    known.announced = true;
    return true;
  }

  /// Whether what is known changes by a row that is not taken over.
  bool raise(Outcome outcome) {
    VersionState& known = known_.state;
    if (outcome != Outcome::kDuplicate) return false;
    bool raised = false;
    if (known.content_list != content_list_) {
      known.content = incoming_.content;
      known.content_list = content_list_;
      raised = true;
    }
    // A newer version with the same content makes what is known newer, so that versions in between
    // are stale.
    if (compare_versions(incoming_.version, known.version) == VersionOrder::kNewer) {
      known.version = incoming_.version;
      raised = true;
    }
    return raised || (counts_ && !known.announced && !known.withdrawn);
  }

  void keep_row(const Record& record) {
    if (!rows_) return;
    known_.state.row.clear();
    if (known_.state.withdrawn || !settings_.amend->of.holds(record)) return;
    // A row of another schema would be read as other fields.
    known_.state.row.assign(reinterpret_cast<const char*>(&rows_schema_), sizeof rows_schema_);
    rows_->append(record.values, known_.state.row);
  }

  /// A row that changes single fields of its record.
  void amend(const RecordBook::Place& place, bool exists, Record& record, Outputs& out) {
    VersionState& known = known_.state;
    if (!exists) known.awaited = true;
    read(record);
    // Without its row, or with one of another schema, the record changes when its next version
    // comes.
    const bool sent = has_row() || known.withdrawn;
    Outcome outcome = sent ? Outcome::kAmended : Outcome::kWaiting;
    if (compare_versions(incoming_.version, known.amended_version) == VersionOrder::kOlder) {
      outcome = Outcome::kStale;
    } else if (!set_amended(record)) {
      outcome = Outcome::kDuplicate;
    }
    const bool changed = outcome == Outcome::kAmended || outcome == Outcome::kWaiting;
    if (changed) known.amended_version = incoming_.version;
    if (changed || known_.grew || !merged_.empty()) book_->store(place, known_);
    send(outcome, false, {}, record, out);
    if (outcome == Outcome::kAmended && has_row()) send_again(record, out);
  }

  /// False if nothing is new.
  bool set_amended(const Record& record) {
    bool changed = false;
    const auto& fields = settings_.amend->fields;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const Value& value = record[fields[i]];
      auto& amended = known_.state.amended[i];
      if (value.text().empty() || (amended && *amended == value.text())) continue;
      amended.emplace(value.text());
      changed = true;
    }
    return changed;
  }

  /// The current version, with what amendments have set, in place of the row that amended it.
  void send_again(const Record& by, Outputs& out) {
    std::string_view bytes = out.arena().copy(known_.state.row);
    bytes.remove_prefix(sizeof rows_schema_);
    if (!rows_->take(bytes, again_.data())) table_->refuse_row(context_->shard_of(by.key_hash));
    std::copy(again_.begin(), again_.end(), row_.begin());
    Record record = by;
    record.values = row_.data();
    finish(Outcome::kAmended, record);
    out.emit_new(record);
  }

  /// Appends what the operator makes, and applies amendments.
  void finish(Outcome outcome, Record& record) {
    record[settings_.outcome] = Value::of_text(outcome_name(outcome));
    if (settings_.name) record[*settings_.name] = Value::of_text(lasting(name()));
    record.width = static_cast<std::uint32_t>(settings_.output.width());
    if (!settings_.amend) return;
    const auto& fields = settings_.amend->fields;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const auto& amended = known_.state.amended[i];
      if (amended) record[fields[i]] = Value::of_text(lasting(*amended));
    }
  }

  const std::string& name() const {
    return known_.state.name.empty() ? known_.identity : known_.state.name;
  }
  /// A copy of the state's text that lives until the slice is done.
  std::string_view lasting(std::string_view text) { return out_->arena().copy(text); }

  void send(Outcome outcome, bool current, const Changes& changes, Record& record, Outputs& out) {
    finish(outcome, record);
    if (outcome != Outcome::kDuplicate) send_copy(record, kHistoryPort, out);
    if (outcome == Outcome::kConflict) send_copy(record, kConflictsPort, out);
    if (current) send_copy(record, kOutcomesPort, out);
    // Before the record itself, which whoever gets it may change.
    send_left(record, changes, out);
    send_changes(record, changes, out);
    out.emit(record, current ? 0 : kOutcomesPort);
  }

  void send_copy(const Record& record, std::size_t port, Outputs& out) {
    if (!out.is_read(port)) return;
    std::copy_n(record.values, record.width, row_.data());
    Record copy = record;
    copy.values = row_.data();
    out.emit_new(copy, port);
  }

  void send_left(const Record& record, const Changes& changes, Outputs& out) {
    for (const RecordBook::Entry& entry : merged_) {
      const VersionState& state = entry.state;
      const std::string& called = state.name.empty() ? entry.identity : state.name;
      if (state.withdrawn || state.awaited) continue;
      send_short(record, called, state.remembered, settings_.is_place, "MERGED", kLeftPort, out);
      if (state.announced) send_change(record, called, state.remembered, Change::kDelete, out);
    }
    if (!changes.left) return;
    send_short(record, name(), before_, settings_.is_place, "LEFT", kLeftPort, out);
  }

  void send_changes(const Record& record, const Changes& changes, Outputs& out) {
    const bool updated = changes.removed && changes.inserted;
    if (changes.removed) {
      send_change(record, name(), before_, updated ? Change::kUpdateBefore : Change::kDelete, out);
    }
    if (changes.inserted) {
      send_change(record, name(), known_.state.remembered,
                  updated ? Change::kUpdateAfter : Change::kInsert, out);
    }
  }

  void send_change(const Record& by, const std::string& called, const OptionalTexts& remembered,
                   Change change, Outputs& out) {
    Record record = by;
    record.change = change;
    send_short(record, called, remembered, settings_.is_counted,
               runtime::change_text(takes_back(change)), kChangesPort, out);
  }

  /// Key, name, the flagged remembered values, and a word.
  void send_short(const Record& record, const std::string& called, const OptionalTexts& remembered,
                  const std::vector<bool>& flags, std::string_view word, std::size_t port,
                  Outputs& out) {
    if (!out.is_read(port)) return;
    std::size_t width = 0;
    for (const std::size_t field : key_.fields()) row_[width++] = record[field];
    if (settings_.name) row_[width++] = Value::of_text(lasting(called));
    for (std::size_t i = 0; i < flags.size(); ++i) {
      if (!flags[i]) continue;
      const auto& text = remembered[i];
      row_[width++] = text ? Value::of_text(lasting(*text)) : Value();
    }
    row_[width++] = Value::of_text(word);
    Record made = record;
    made.values = row_.data();
    made.width = static_cast<std::uint32_t>(width);
    out.emit_new(made, port);
  }

  CompareSettings settings_;
  static std::vector<std::string> sorted(std::vector<std::string> fields) {
    std::sort(fields.begin(), fields.end());
    return fields;
  }

  /// What was compared before.
  struct Before {
    runtime::KeyBuilder sorted, unsorted;
    std::uint8_t list = 0;
  };

  runtime::KeyBuilder key_, content_, unsorted_;
  std::uint8_t content_list_ = 0;
  std::optional<Before> older_;
  std::optional<runtime::CompactRowCodec> rows_;
  std::uint32_t rows_schema_ = 0;
  runtime::OperatorContext* context_ = nullptr;
  Outputs* out_ = nullptr;
  state::Table* table_ = nullptr;
  std::optional<RecordBook> book_;
  VersionState incoming_;
  RecordBook::Entry known_;
  OptionalTexts identities_;
  bool counts_;           ///< output `changes` is asked for
  OptionalTexts before_;  ///< remembered values of the version before
  std::vector<RecordBook::Entry> merged_;
  std::vector<Value> row_, again_;
};

void declare(Declaration& declaration) {
  CompareSettings settings = CompareSettings::parse(declaration);
  declaration.key_fields = settings.key;
  declaration.tables = {state_table(settings)};
  for (const char* port : {"history", "conflicts", "outcomes"}) {
    declaration.side_outputs.emplace_back(port, settings.output);
  }
  declaration.side_outputs.emplace_back("changes", settings.changes);
  declaration.side_outputs.emplace_back("left", settings.left);
  declaration.changing_outputs = {"changes"};
  declaration.output = std::move(settings.output);
}

std::unique_ptr<runtime::Operator> create(const Declaration& declaration) {
  return std::make_unique<Compare>(CompareSettings::parse(declaration));
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
             "- `CONFLICT`: no order, another source, neither goes before; the same for a "
             "withdrawal\n"
             "- `WITHDRAWN`: `withdrawn` holds; the key stays as a tombstone\n"
             "- `REACTIVATED`: explicitly newer than the withdrawal\n"
             "- `AMENDED`: `amend` holds; the current version comes out again, changed so\n"
             "- `WAITING`: `amend` holds and the record has not come yet: it will be changed so\n\n"
             "The main output has the new current versions (ACCEPTED, UPDATED, REACTIVATED, "
             "WITHDRAWN, AMENDED). Versions are ordered by the first of the `version` fields that "
             "both records have and that differs; without one, rows of one source by their order.",
         .options = compare_options(),
         .outputs = {{.name = "history", .doc = "Every version but duplicates, with its outcome."},
                     {.name = "conflicts", .doc = "Records of outcome CONFLICT."},
                     {.name = "outcomes", .doc = "Every record, with its outcome."},
                     {.name = "changes",
                      .doc = "For counts over records and not over versions: key, identity and the "
                             "`changes` fields, with `change` = `insert` or `delete`. A version "
                             "that changes one of them deletes what was and inserts what is. A "
                             "`count` behind it takes back what is deleted."},
                     {.name = "left",
                      .doc =
                          "Records that are no longer kept where they were (another `place`, two "
                          "that turned out to be one): key, identity and the former `place` "
                          "fields, with `outcome` = `LEFT`, or `MERGED` of two that are one. A "
                          "withdrawal comes out of the main output itself."}},
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
