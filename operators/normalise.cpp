#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "operators/cleansing_steps.h"
#include "operators/code_table.h"
#include "operators/faults.h"
#include "operators/field_names.h"
#include "runtime/component/registry.h"

namespace huiliu::operators {
namespace {

using runtime::Config;
using runtime::Declaration;
using runtime::Diagnostics;
using runtime::OptionType;
using runtime::Outputs;
using runtime::Record;
using runtime::Schema;
using runtime::Type;
using runtime::Value;

/// What is done to one field.
struct Task {
  std::size_t field = 0;
  std::size_t into = 0;
  std::vector<CleansingStep> steps;
  std::optional<SynonymTable> synonyms;
  bool keep_unknown = true;              ///< a value that has no synonym; else it becomes absent
  std::vector<std::size_t> departments;  ///< fields whose texts, parted by /, are the department
  std::optional<std::size_t> date;       ///< field of the ISO day that synonyms are judged by
  std::string field_name;
  std::string code;  ///< empty: the failing step's own
  std::string rule;
  bool optional = false;  ///< a failing step is a warning
};

struct Tasks {
  Schema output;
  std::vector<Task> tasks;
  std::optional<std::size_t> carried;  ///< field that faults are handed on in; else they refuse
};

void add_step(const Config& name, bool end, Task& task, Diagnostics& diagnostics) {
  if (find_word(name, "step", cleansing_step_names(), diagnostics) <
      cleansing_step_names().size()) {
    task.steps.push_back(find_cleansing_step(name.text(), end));
  }
}

// Values of these kinds can be null words; amounts cannot, since "0" is one.
bool takes_null_words(const std::string& kind) {
  static const std::vector<std::string> kinds = {"text",   "code", "name",     "name_key",
                                                 "doc_no", "date", "timestamp"};
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

void check_leads_to(const Config& node, const SynonymTable& synonyms, Diagnostics& diagnostics) {
  if (!node.has("to_table")) return;
  const std::size_t errors = diagnostics.errors();
  std::vector<CodeTable> tables;
  std::string files;
  for (const Config* file : items_of(node["to_table"])) {
    tables.push_back(CodeTable::load(*file, "code", diagnostics));
    files += fmt::format("{}'{}'", files.empty() ? "" : " or ", resolve_path(*file));
  }
  if (diagnostics.errors() == errors) synonyms.check_leads_to(tables, files, diagnostics);
}

void parse_steps(const Config& node, Task& task, Diagnostics& diagnostics) {
  const bool end = node.bool_or("end", false);
  if (node.has("as")) {
    if (takes_null_words(node["as"].text())) {
      add_step(Config::scalar("null_words", node["as"].place()), end, task, diagnostics);
    }
    add_step(node["as"], end, task, diagnostics);
  }
  for (const Config* step : items_of(node["steps"])) add_step(*step, end, task, diagnostics);
  fuse_cleansing_steps(task.steps);
  if (node.has("synonyms")) {
    task.synonyms = SynonymTable::load(node["synonyms"], diagnostics);
    check_leads_to(node, *task.synonyms, diagnostics);
  }
  for (const char* key : {"to_table", "date"}) {
    if (node.has(key) && !task.synonyms) {
      diagnostics.error(node.key_place(key), "goes with `synonyms`");
    }
  }
  if (node.has("unknown")) {
    if (!task.synonyms) diagnostics.error(node.key_place("unknown"), "goes with `synonyms`");
    task.keep_unknown = find_word(node["unknown"], "choice", {"keep", "absent"}, diagnostics) == 0;
  }
  if (!node.has("as") && !node.has("steps") && !node.has("synonyms")) {
    diagnostics.error(node.place(), "expected `as`, `steps` or `synonyms`");
  }
  if (node.has("as") && node.has("steps")) {
    diagnostics.error(node.key_place("steps"), "`as` and `steps` exclude each other");
  }
}

void parse_task(const Config& node, const std::string& version, const Schema& input, Tasks& into,
                Diagnostics& diagnostics) {
  if (!node.is_map()) {
    diagnostics.error(node.place(), "expected a map with field and steps");
    return;
  }
  check_keys(node,
             {"field", "fields", "as", "steps", "into", "code", "end", "synonyms", "unknown",
              "department", "optional", "to_table", "date"},
             diagnostics);
  const bool several = node.has("fields");
  const std::vector<const Config*> names = items_of(node[several ? "fields" : "field"]);
  if (names.empty()) diagnostics.error(node.place(), "expected `field: NAME`");
  for (const Config* name : names) {
    Task task;
    task.field = find_text_field(*name, input, diagnostics);
    task.field_name = name->is_scalar() ? name->text() : "";
    task.into = task.field;
    parse_steps(node, task, diagnostics);
    if (node.has("into")) {
      task.into = into.output.add(node["into"].text(), Type::kString);
      if (!runtime::is_text(into.output[task.into].type) || several) {
        diagnostics.error(node.key_place("into"), "expected one field of text to store into");
      }
    }
    for (const Config* field : items_of(node["department"])) {
      task.departments.push_back(find_text_field(*field, input, diagnostics));
    }
    if (node.has("date")) task.date = find_text_field(node["date"], input, diagnostics);
    task.optional = node.bool_or("optional", false);
    task.code = node.string_or("code", "");
    task.rule = fmt::format("normalise.{}@{}", task.field_name, version);
    into.tasks.push_back(std::move(task));
  }
}

Tasks parse(const Config& config, const Schema& input, Diagnostics& diagnostics) {
  Tasks result;
  result.output = input;
  const Config& fields = config["fields"];
  // An included file is a map with its version beside the list.
  const bool versioned = fields.is_map() && fields.has("fields") && !fields.has("as") &&
                         !fields.has("steps") && !fields.has("synonyms");
  const std::string version =
      versioned ? fields.string_or("version", "1") : config.string_or("version", "1");
  for (const Config* node : items_of(versioned ? fields["fields"] : fields)) {
    parse_task(*node, version, input, result, diagnostics);
  }
  if (config.string_or("on_failure", "reject") == "carry") {
    result.carried = result.output.add("warnings", Type::kString);
    if (!runtime::is_text(result.output[*result.carried].type)) {
      diagnostics.error(config["on_failure"].place(), "the field 'warnings' must be text");
    }
  } else if (std::any_of(result.tasks.begin(), result.tasks.end(),
                         [](const Task& task) { return task.optional; })) {
    diagnostics.error(fields.place(), "`optional: true` needs `on_failure: carry`");
  }
  return result;
}

class Normalise final : public runtime::Operator {
 public:
  Normalise(Tasks tasks, std::size_t input_width)
      : tasks_(std::move(tasks)), input_width_(input_width) {}

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    const std::size_t width = tasks_.output.width();
    for (std::size_t i = input_width_; i < width; ++i) record[i] = Value();
    record.width = static_cast<std::uint32_t>(width);
    for (const Task& task : tasks_.tasks) {
      const Value& value = record[task.field];
      if (value.is_null()) continue;
      if (!run(task, record, value.text(), out)) return;
    }
    if (!faults_.empty()) {
      record[*tasks_.carried] = Value::of_text(out.arena().copy(faults_to_json(faults_)));
      faults_.clear();
    }
    out.emit(record);
  }

 private:
  /// False if the record was rejected.
  bool run(const Task& task, Record& record, std::string_view received, Outputs& out) {
    std::string_view text = received;
    std::size_t buffer = 0;
    bool stored = true;  // whether `text` lives as long as the slice
    for (CleansingStep step : task.steps) {
      const Cleansed done = step(text, buffers_[buffer]);
      if (done.failure != nullptr) {
        const std::string_view code =
            task.code.empty() ? done.failure->code : std::string_view(task.code);
        if (tasks_.carried) return carry(task, code, received, *done.failure, record);
        out.reject(record, {code, task.field_name, received, task.rule, done.failure->message_en,
                            done.failure->message_zh});
        return false;
      }
      if (done.is_null) {
        record[task.into] = Value();
        return true;
      }
      text = done.text;
      const std::string& used = buffers_[buffer];
      if (text.data() >= used.data() && text.data() <= used.data() + used.size()) {
        stored = false;
        buffer = 1 - buffer;
      }
    }
    if (task.synonyms) {
      const std::string_view department = department_of(task, record);
      const std::string_view day =
          task.date ? iso_day_of(record[*task.date].text()) : std::string_view{};
      if (const std::string* to = task.synonyms->find(text, department, day)) {
        text = *to;
        stored = true;
      } else if (!task.keep_unknown) {
        record[task.into] = Value();
        return true;
      }
    }
    record[task.into] = Value::of_text(stored ? text : out.arena().copy(text));
    return true;
  }

  /// The field is empty from here on, and the rules say what else is wrong with the row.
  bool carry(const Task& task, std::string_view code, std::string_view received,
             const CleansingFailure& failure, Record& record) {
    if (!has_fault(faults_, task.field_name)) {
      faults_.push_back({.field = task.field_name,
                         .heading = {},
                         .code = std::string(code),
                         .value = std::string(received),
                         .rule = task.rule,
                         .message_en = std::string(failure.message_en),
                         .message_zh = std::string(failure.message_zh),
                         .warns = task.optional});
    }
    record[task.into] = Value();
    return true;
  }

  std::string_view department_of(const Task& task, const Record& record) {
    if (task.departments.empty()) return {};
    if (task.departments.size() == 1) return record[task.departments[0]].text();
    department_.clear();
    for (std::size_t field : task.departments) {
      if (field != task.departments.front()) department_ += '/';
      department_ += record[field].text();
    }
    return department_;
  }

  Tasks tasks_;
  std::size_t input_width_;
  std::string buffers_[2];
  Faults faults_;
  std::string department_;
};

void declare(Declaration& declaration) {
  Tasks tasks = parse(declaration.config, declaration.input(), declaration.diagnostics);
  declaration.output = std::move(tasks.output);
}

std::unique_ptr<runtime::Operator> create(const Declaration& declaration) {
  return std::make_unique<Normalise>(
      parse(declaration.config, declaration.input(), declaration.diagnostics),
      declaration.input().width());
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor =
        {.name = "normalise",
         .summary = "Brings fields of text into their canonical form.",
         .description =
             "Fields are worked on in order, in place or `into` another field (appended if it "
             "does not exist). Absent fields are skipped; a step that fails rejects the record "
             "with the value as received. Steps:\n\n" +
             cleansing_steps_doc() +
             "\n`as: KIND` is short for `steps: [null_words, KIND]` where null words make sense "
             "(not for money_wan and date_simple). `synonyms` is a CSV table (from, to, optionally "
             "department, valid_from and valid_to) that the result is looked up in; `unknown` says "
             "whether a value that is not there is kept (`keep`, the default) or becomes `absent`. "
             "`date` names the field whose ISO day synonyms are judged by (it must have been "
             "normalised before; without a day every synonym counts); `to_table` is the code table "
             "(or tables) that every synonym must lead to, checked before start; of several fields "
             "in `department` the texts are joined by /.",
         .options = {{.name = "fields",
                      .type = OptionType::kAny,
                      .doc =
                          "List of {field or fields, as: kind or steps: [names], into: field, "
                          "code: of the reject, optional: whether a step that fails is a warning, "
                          "end: whether 长期 is a date, synonyms: file, "
                          "unknown: keep or absent, department: field or fields, date: "
                          "field, to_table: file or files}; or a file with `version` and `fields`.",
                      .required = true},
                     {.name = "version",
                      .doc = "Version of the rules; part of the rule's name in rejects.",
                      .default_text = "1"},
                     {.name = "on_failure",
                      .type = OptionType::kEnum,
                      .doc = "What a step that fails does: `reject` refuses the record; `carry` "
                             "empties the field and hands the fault on in `warnings`, so that a "
                             "`validate` behind it refuses the record with all its faults at once.",
                      .default_text = "reject",
                      .choices = {"reject", "carry"}}},
         .changes = runtime::Changes::kPassedOn,
         .rejects = true,
         .example = "type: normalise\n"
                    "fields:\n"
                    "  - {fields: [id, doc_name], steps: [half_width, trim]}\n"
                    "  - {field: uscc, steps: [half_width, trim, upper]}\n"
                    "  - {field: decided_at, as: date_simple, code: bad_decided_at}\n"},
    .declare = declare,
    .create = create});

}  // namespace
}  // namespace huiliu::operators
