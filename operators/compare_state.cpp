#include "operators/compare_state.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operators/compare_settings.h"
#include "runtime/record/key.h"
#include "state/table.h"

namespace huiliu::operators {

using runtime::Record;
using runtime::Type;
using runtime::Value;

namespace {

std::vector<std::string> names_of(const CompareSettings& settings,
                                  const std::vector<std::size_t>& fields) {
  std::vector<std::string> names;
  for (const std::size_t field : fields) names.push_back(settings.input[field].name);
  return names;
}

/// Names of the fields of a state's texts.
struct StateNames {
  StateShape shape;
  std::vector<std::string> version, remembered, amended;
};

runtime::RowText describe_state(std::string_view value, const StateNames& names) {
  if (const auto alias = read_alias(value)) return {{"known as", std::string(*alias)}};
  VersionState state(names.shape);
  if (!read_state(value, state)) return {{"damaged", std::to_string(value.size()) + " bytes"}};
  runtime::RowText text;
  for (std::size_t i = 0; i < names.version.size(); ++i) {
    text.emplace_back(names.version[i], state.version[i]);
  }
  if (!state.source.empty()) text.emplace_back("source", state.source);
  text.emplace_back("withdrawn", state.withdrawn ? "true" : "false");
  text.emplace_back("content", fmt::format("{:016x}", state.content));
  const auto list = [&text](const std::vector<std::string>& fields, const OptionalTexts& values) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (values[i]) text.emplace_back(fields[i], *values[i]);
    }
  };
  list(names.remembered, state.remembered);
  list(names.amended, state.amended);
  if (state.awaited) text.emplace_back("awaited", "true");
  return text;
}

/// Takes over states of the first form, in which what is the identity now may have been a field of
/// the key.
class FirstFormAdopter {
 public:
  /// Nothing if the layout is none of the first form of this operator.
  static std::optional<FirstFormAdopter> of(const CompareSettings& settings,
                                            std::string_view layout) {
    FirstFormAdopter adopter(settings);
    const std::string versions =
        fmt::format(" version=({})", fmt::join(names_of(settings, settings.version), ", "));
    constexpr std::string_view kHead = "compare key=(";
    const std::size_t close = layout.find(')');
    if (!layout.starts_with(kHead) || close == std::string_view::npos) return {};
    const std::string_view rest = layout.substr(close + 1);
    if (!rest.starts_with(versions) || !settings.knows_content(rest.substr(versions.size()))) {
      return {};
    }
    if (!adopter.read_fields(layout.substr(kHead.size(), close - kHead.size()))) return {};
    return adopter;
  }

  std::optional<runtime::AdoptedRow> row(std::string_view key, std::string_view value) const {
    std::vector<std::optional<std::string_view>> before;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      before.push_back(runtime::KeyBuilder::take_field(key));
    }
    VersionState state(shape_);
    if (!read_plain(value, state)) return {};
    runtime::AdoptedRow row;
    std::vector<Value> slots(schema_.width());
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const auto slot = schema_.index_of(fields_[i]);
      if (slot && before[i]) slots[*slot] = Value::of_text(*before[i]);
    }
    Record record;
    record.values = slots.data();
    record.width = static_cast<std::uint32_t>(slots.size());
    runtime::KeyBuilder builder(schema_, key_);
    row.record_key = builder.build(record);
    row.key = row.record_key;
    if (identity_ < fields_.size()) {
      // Without it strangers shared the row, and nobody can say whose it is.
      if (!before[identity_]) return runtime::AdoptedRow{};
      const std::string old(*before[identity_]);
      std::string buffer = old;
      if (step_ != nullptr) buffer = std::string(step_(old, buffer).text);
      row.key += buffer;
      // Outputs go on calling the record what they called it.
      if (buffer != old) state.name = old;
    }
    encode_state(state, row.value);
    return row;
  }

 private:
  /// A state of a config that names versions only.
  bool read_plain(std::string_view value, VersionState& state) const {
    VersionState plain(StateShape{.versions = shape_.versions});
    if (!read_state(value, plain)) return false;
    state.version = plain.version;
    state.content = plain.content;
    state.content_list = plain.content_list;
    state.source = plain.source;
    state.withdrawn = plain.withdrawn;
    return true;
  }

  explicit FirstFormAdopter(const CompareSettings& settings)
      : key_(settings.key), step_(settings.identity_before), shape_(settings.shape()) {
    if (settings.name) name_ = settings.output[*settings.name].name;
    for (const std::string& field : key_) schema_.add(field, Type::kString);
    schema_.add(name_.empty() ? "-" : name_, Type::kString);
  }

  // "kind string, document_no string": all texts, the same fields as today's key and the identity.
  bool read_fields(std::string_view list) {
    while (!list.empty()) {
      const std::size_t comma = std::min(list.find(", "), list.size());
      const std::string_view field = list.substr(0, comma);
      list.remove_prefix(std::min(comma + 2, list.size()));
      const std::size_t blank = field.find(' ');
      if (blank == std::string_view::npos || field.substr(blank + 1) != "string") return false;
      fields_.emplace_back(field.substr(0, blank));
    }
    const auto found = std::find(fields_.begin(), fields_.end(), name_);
    identity_ = static_cast<std::size_t>(found - fields_.begin());
    if (!name_.empty() && found == fields_.end()) return false;
    std::vector<std::string> ours = key_, theirs = fields_;
    if (!name_.empty()) ours.push_back(name_);
    std::sort(ours.begin(), ours.end());
    std::sort(theirs.begin(), theirs.end());
    return ours == theirs;
  }

  std::vector<std::string> key_, fields_;
  std::string name_;
  std::size_t identity_ = 0;
  CleansingStep step_;
  StateShape shape_;
  runtime::Schema schema_;
};

}  // namespace

runtime::TableDeclaration state_table(const CompareSettings& settings) {
  const StateNames names{
      settings.shape(), names_of(settings, settings.version),
      names_of(settings, settings.remembered),
      settings.amend ? names_of(settings, settings.amend->fields) : std::vector<std::string>{}};
  runtime::TableDeclaration table;
  table.name = "current";
  table.layout = settings.layout();
  table.longer_keys = !settings.identity.empty();
  table.remedy =
      "If only the compared fields changed, name in `content_before` those of before: rows that "
      "say "
      "the same are duplicates then";
  table.accepts = [settings](std::string_view layout) { return settings.accepts(layout); };
  table.adopt = [settings](std::string_view layout) -> std::optional<runtime::Adoption> {
    const auto adopter = FirstFormAdopter::of(settings, layout);
    if (!adopter) return {};
    return runtime::Adoption{"goes over to this layout",
                             [adopter = *adopter](std::string_view key, std::string_view value) {
                               return adopter.row(key, value);
                             }};
  };
  const auto key = settings.key;
  const auto schema = settings.input;
  const bool longer = table.longer_keys;
  table.describe = [names, key, schema, longer](std::string_view bytes, std::string_view value) {
    runtime::RowText text;
    if (longer) {
      text = runtime::take_key_text(schema, key, bytes);
      text.emplace_back("identity", std::string(bytes));
    }
    for (auto& one : describe_state(value, names)) text.push_back(std::move(one));
    return text;
  };
  return table;
}

}  // namespace huiliu::operators
