#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "connectors/metrics/expected_table.h"
#include "connectors/metrics/label_counts.h"
#include "connectors/metrics/label_text.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors::metrics {
namespace {

using runtime::Config;
using runtime::Figure;
using runtime::OptionType;
using runtime::SinkContext;
using runtime::SinkDeclaration;
using runtime::Status;

struct Settings {
  std::string metric;
  std::vector<std::string> labels, fields;  // side by side
  std::size_t most_series = 0;
  bool last_arrival = true;
  Expected expected;
};

/// Which label is made of which slot; none: the input has no such field.
constexpr std::size_t kNoField = static_cast<std::size_t>(-1);

/// A line a record: '+', or '-' if a value became "other"; the label values; a line feed.
class LabelEncoder final : public runtime::SinkEncoder {
 public:
  explicit LabelEncoder(std::vector<std::size_t> slots) : slots_(std::move(slots)) {
    texts_.resize(slots_.size());
  }

  const runtime::Reject* encode(const runtime::Record& record, std::string& out) override {
    if (!is_as_before(record)) make_line(record);
    out += line_;
    return nullptr;
  }

 private:
  std::string_view text_of(const runtime::Record& record, std::size_t label) const {
    const std::size_t slot = slots_[label];
    return slot == kNoField || record[slot].is_null() ? "" : record[slot].text();
  }

  // Records of one department mostly come together.
  bool is_as_before(const runtime::Record& record) const {
    if (line_.empty()) return false;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (text_of(record, i) != texts_[i]) return false;
    }
    return true;
  }

  void make_line(const runtime::Record& record) {
    line_ = '+';
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      texts_[i] = text_of(record, i);
      if (i > 0) line_ += kSeparator;
      if (!append_label(texts_[i], line_)) line_[0] = '-';
    }
    line_ += '\n';
  }

  std::vector<std::size_t> slots_;
  std::vector<std::string> texts_;  // of the last record
  std::string line_;                // made of them
};

class MetricsSink final : public runtime::EpochSink {
 public:
  explicit MetricsSink(const Settings& settings)
      : settings_(settings), counts_(settings.labels, settings.most_series, settings.expected) {}

  Status open(const SinkContext& context) override {
    name_ = context.node_name;
    clock_ = context.clock;
    rejudges_ = context.rejudges;
    const auto& shards = context.owned_shards;
    counts_.open(context.positions, shards.empty() ? std::uint16_t{0} : shards.front(),
                 clock_->now_ms());
    return Status::ok();
  }

  Status append(std::string_view bytes, std::uint64_t /*records*/) override {
    const std::int64_t now = rejudges_ ? 0 : clock_->now_ms();
    while (!bytes.empty()) {
      const std::string_view line = bytes.substr(0, bytes.find('\n'));
      bytes.remove_prefix(line.size() + 1);
      counts_.add(line.substr(1), line.front() == '-', now);
    }
    return Status::ok();
  }

  Status prepare(std::vector<std::pair<std::string, std::string>>& positions) override {
    counts_.save(positions);
    return Status::ok();
  }

  void committed() override { counts_.committed(); }

  std::vector<Figure> figures() const override {
    std::vector<Figure> all;
    for (const auto& [joined, series] : counts_.series()) add_series(joined, series, all);
    all.push_back(figure("folded_records_total",
                         "Records of which a label became \"other\": there are too many series, or "
                         "the value may not be shown.",
                         {{"sink", name_}}, static_cast<double>(counts_.folded()), true));
    return all;
  }

 private:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  Figure figure(std::string_view what, std::string help, Labels labels, double value,
                bool counter) const {
    return {fmt::format("by_{}_{}", settings_.metric, what), std::move(help), std::move(labels),
            value, counter};
  }

  void add_series(const std::string& joined, const Series& series, std::vector<Figure>& to) const {
    Labels labels = {{"sink", name_}};
    std::vector<std::string> values = split_labels(joined);
    for (std::size_t i = 0; i < values.size(); ++i) {
      labels.emplace_back(settings_.labels[i], std::move(values[i]));
    }
    to.push_back(figure("records_total", "Records by their fields, committed since the start.",
                        labels, static_cast<double>(series.records), true));
    if (!settings_.last_arrival) return;
    const double last = static_cast<double>(series.last_ms) / 1000;
    if (series.arrived) {
      to.push_back(figure("last_arrival_timestamp_seconds",
                          "When the last of these records was written, across restarts.", labels,
                          last, false));
    } else if (series.expected_seconds > 0) {
      to.push_back(figure("awaited_since_timestamp_seconds",
                          "Since when these records are expected, of which none ever came.", labels,
                          last, false));
    }
    if (series.expected_seconds == 0) return;
    to.push_back(figure("expected_seconds",
                        "Within which time the next of these records should come.", labels,
                        series.expected_seconds, false));
  }

  const Settings& settings_;
  LabelCounts counts_;
  std::string name_;
  runtime::Clock* clock_ = nullptr;
  bool rejudges_ = false;
};

bool is_word(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.front() >= 'a' && name.front() <= 'z' &&
         std::all_of(name.begin(), name.end(), fits);
}

constexpr const char* kWordRule =
    "names begin with a small letter and have small letters, digits and _";

void check_label(const Config& labels, const std::string& name, SinkDeclaration& declaration) {
  // Those that the page and Prometheus add by themselves.
  constexpr std::string_view kTaken[] = {"topology", "sink", "instance", "job", "le", "quantile"};
  const auto& place = labels.key_place(name);
  if (!is_word(name)) {
    declaration.diagnostics.error(place, fmt::format("'{}' cannot name a label", name), kWordRule);
  } else if (std::find(std::begin(kTaken), std::end(kTaken), name) != std::end(kTaken)) {
    declaration.diagnostics.error(place, fmt::format("the label '{}' is given already", name),
                                  "choose another name");
  }
}

void check_field(const Config& field, SinkDeclaration& declaration) {
  bool found = false;
  for (const runtime::Schema* schema : declaration.inputs) {
    const auto index = schema->index_of(field.text());
    if (!index) continue;
    found = true;
    if (runtime::is_text((*schema)[*index].type)) continue;
    declaration.diagnostics.error(field.place(), fmt::format("'{}' is not a text", field.text()));
    return;
  }
  if (found) return;
  declaration.diagnostics.error(field.place(),
                                fmt::format("no input has a field '{}'", field.text()));
}

Settings parse(SinkDeclaration& declaration) {
  const Config& config = declaration.config;
  Settings settings;
  settings.metric = config.string_or("metric", "");
  if (!is_word(settings.metric)) {
    declaration.diagnostics.error(config["metric"].place(),
                                  fmt::format("'{}' cannot name a metric", settings.metric),
                                  kWordRule);
  }
  for (const auto& [name, field] : config["labels"].entries()) {
    check_label(config["labels"], name, declaration);
    check_field(field, declaration);
    settings.labels.push_back(name);
    settings.fields.push_back(field.text());
  }
  if (settings.labels.empty()) {
    declaration.diagnostics.error(config["labels"].place(), "there are no labels",
                                  "write labels: {LABEL: FIELD}");
  }
  settings.most_series = static_cast<std::size_t>(config.int_or("most_series", 2000));
  settings.last_arrival = config.bool_or("last_arrival", true);
  if (!config.has("expect")) return settings;
  if (!settings.last_arrival) {
    declaration.diagnostics.error(config["expect"].place(),
                                  "what is expected is told by the last arrival",
                                  "leave `last_arrival: false` out");
  }
  settings.expected = load_expected(config["expect"], settings.labels, settings.most_series,
                                    declaration.diagnostics);
  return settings;
}

std::vector<std::size_t> slots_of(const Settings& settings, const runtime::Schema& schema) {
  std::vector<std::size_t> slots;
  for (const std::string& field : settings.fields) {
    slots.push_back(schema.index_of(field).value_or(kNoField));
  }
  return slots;
}

std::vector<runtime::Option> options() {
  return {
      {.name = "metric",
       .doc = "Goes into the names: `huiliu_by_METRIC_records_total`.",
       .required = true},
      {.name = "labels",
       .type = OptionType::kMap,
       .doc = "Names of labels, each with the field (a text) that it is made of. An input that "
              "has no such field, and a record without a value there, give `none`.",
       .required = true,
       .members = {{.name = "field", .type = OptionType::kString}}},
      {.name = "most_series",
       .type = OptionType::kInt,
       .doc = "Sets of label values that are counted apart. What comes beyond them counts as "
              "`other`.",
       .default_text = "2000",
       .minimum = 1,
       .maximum = 100000},
      {.name = "last_arrival",
       .type = OptionType::kBool,
       .doc = "Whether it is shown when the last record of each set of labels came.",
       .default_text = "true"},
      {.name = "expect",
       .type = OptionType::kPath,
       .doc = "CSV table of what should come: a column for each label, and `every`, the longest "
              "time between two records (8h, 1d). A column `remark` is for people."}};
}

runtime::Descriptor descriptor() {
  runtime::Descriptor d;
  d.name = "metrics";
  d.kind = runtime::ComponentKind::kSink;
  d.summary = "Counts records by their fields for /metrics, and knows who is silent.";
  d.description =
      "Gives, with a label for each field that is named, and `sink`:\n\n"
      "- `huiliu_by_METRIC_records_total`: records, from 0 at each start, also of what came before "
      "it;\n"
      "- `huiliu_by_METRIC_last_arrival_timestamp_seconds`: when the last of them came, also after "
      "a restart;\n"
      "- `huiliu_by_METRIC_awaited_since_timestamp_seconds`: of what is expected and never came, "
      "since when it is expected;\n"
      "- `huiliu_by_METRIC_expected_seconds`: what the table of `expect` says;\n"
      "- `huiliu_by_METRIC_folded_records_total`: records of which a label became `other`.\n\n"
      "Overdue is what has `time() - (last_arrival or awaited_since) > expected`; of several "
      "workers the latest arrival counts. Records count when their epoch is "
      "committed. Arrivals are part of the commit; one is written again when it is a minute older "
      "than the last, so after a crash the last arrival may be up to a minute too early. Rows that "
      "`huiliu rejudge` judges again are no arrivals.\n\nNo page has more than 3 × (`most_series` "
      "+ 1) + 1 series of a sink. Values of more than 32 bytes, citizens' identity numbers and "
      "credit codes of individuals' businesses (92...) never become a label: they are `other`. "
      "Two sinks with one `metric` should have the same labels.";
  d.options = options();
  d.traits = {.transactional = true, .reason = "arrivals are part of the commit"};
  d.example =
      "type: metrics\ninput: accepted\nmetric: department\nlabels: {department: dept, kind: "
      "kind}\n";
  return d;
}

runtime::SinkType type() {
  runtime::SinkType t;
  t.descriptor = descriptor();
  t.declare = [](SinkDeclaration& declaration) { declaration.keep(parse(declaration)); };
  t.create_encoder = [](const SinkDeclaration& declaration, std::size_t input) {
    return std::make_unique<LabelEncoder>(
        slots_of(declaration.kept<Settings>(), *declaration.inputs[input]));
  };
  t.create_epoch_sink = [](const SinkDeclaration& declaration) {
    return std::make_unique<MetricsSink>(declaration.kept<Settings>());
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors::metrics
