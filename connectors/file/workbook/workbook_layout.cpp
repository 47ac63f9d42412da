#include "connectors/file/workbook/workbook_layout.h"

#include <algorithm>

#include "codecs/files/content_hash.h"
#include "codecs/row_encoder.h"
#include "runtime/component/outputs.h"
#include "runtime/component/source.h"

namespace huiliu::connectors {

using runtime::Config;
using runtime::Diagnostics;
using runtime::OptionType;
using runtime::Schema;
using runtime::SinkDeclaration;

namespace {

bool is_reject_field(std::string_view name) {
  return std::find(std::begin(runtime::kRejectFields), std::end(runtime::kRejectFields), name) !=
         std::end(runtime::kRejectFields);
}

/// All fields of all inputs are spooled as text of their type, so that columns may change. Where a
/// row was read stands in the column of its source; states of before `reject_origin` go on so.
void add_fields(WorkbookLayout& layout, const std::vector<const Schema*>& inputs) {
  for (const Schema* input : inputs) {
    for (const runtime::Field& field : input->fields()) {
      if (layout.rows.index_of(field.name) || field.name == "reject_origin") continue;
      layout.rows.add(field.name, field.type);
      layout.fields.push_back(field.name);
    }
  }
  layout.rows.add(std::string(kPlaceField), runtime::Type::kString);
}

std::optional<std::size_t> known(const Config& at, const std::string& name,
                                 const WorkbookLayout& layout, Diagnostics& diagnostics) {
  const auto index = layout.rows.index_of(name);
  if (!index) {
    diagnostics.error(at.place(), "no input has a field '" + name + "'",
                      runtime::nearest_hint(name, layout.fields));
  }
  return index;
}

void parse_column(const Config& item, WorkbookLayout& layout, Diagnostics& diagnostics) {
  const bool good = item.is_scalar() || (item.is_map() && item["field"].is_scalar());
  if (!good) {
    diagnostics.error(item.place(), "expected a field's name, or a map of field, heading, width");
    return;
  }
  const std::string field = item.is_scalar() ? item.text() : item["field"].text();
  const auto index = known(item, field, layout, diagnostics);
  if (!index) return;
  WorkbookColumn column{field, static_cast<int>(*index), 0, false};
  if (item.is_map()) {
    column.heading = item.string_or("heading", field);
    if (item.has("width")) column.width = item["width"].as_float();
    for (const auto& [key, value] : item.entries()) {
      if (key == "field" || key == "heading" || key == "width") continue;
      diagnostics.error(item.key_place(key), "unknown key '" + key + "'",
                        "known are field, heading, width");
    }
  }
  layout.columns.push_back(std::move(column));
}

void parse_columns_of(const Config& columns, WorkbookLayout& layout, Diagnostics& diagnostics) {
  if (columns.is_list()) {
    for (const Config& item : columns.items()) parse_column(item, layout, diagnostics);
  } else if (!columns.is_null()) {
    parse_column(columns, layout, diagnostics);
  } else if (!layout.originals) {
    for (std::size_t i = 0; i < layout.place(); ++i) {
      const std::string& name = layout.rows[i].name;
      if (!is_reject_field(name)) layout.columns.push_back({name, static_cast<int>(i), 0, false});
    }
  }
}

void parse_originals(const SinkDeclaration& declaration, WorkbookLayout& layout,
                     Diagnostics& diagnostics) {
  const Config& config = declaration.config;
  for (const std::string& field :
       config.has("mask") ? config["mask"].as_strings() : std::vector<std::string>()) {
    if (known(config["mask"], field, layout, diagnostics)) layout.mask.push_back(field);
  }
  if (!config.has("originals")) {
    if (!layout.mask.empty()) {
      diagnostics.error(config["mask"].place(), "`mask` is about the columns of `originals`");
    }
    return;
  }
  const auto source = declaration.sources.find(config["originals"].text());
  if (source == declaration.sources.end() ||
      source->second->config["type"].text() != std::string_view("file")) {
    diagnostics.error(config["originals"].place(), "`originals` names no source of type `file`");
    return;
  }
  codecs::FileOptions options = source->second->kept<codecs::FileOptions>();
  options.quiet = true;
  layout.originals = std::make_shared<const codecs::FileOptions>(std::move(options));
  layout.rows.add("_id", runtime::Type::kInt64);
}

void parse_split(const Config& config, WorkbookLayout& layout, Diagnostics& diagnostics) {
  if (!config.has("split_by")) return;
  layout.split_by = known(config["split_by"], config["split_by"].text(), layout, diagnostics);
  if (config["path"].text().find("{}") == std::string::npos) {
    diagnostics.error(config["path"].place(),
                      "with `split_by` the path needs {} where the value goes");
  }
}

void parse_key(const Config& config, WorkbookLayout& layout, Diagnostics& diagnostics) {
  if (config.has("key")) {
    for (const std::string& field : config["key"].as_strings()) {
      if (const auto index = known(config["key"], field, layout, diagnostics)) {
        layout.key.push_back(*index);
      }
    }
  }
  layout.delete_when = codecs::DeleteWhen::parse(config["delete_when"], layout.rows, diagnostics);
  if (!layout.delete_when.empty() && layout.key.empty()) {
    diagnostics.error(config["delete_when"].place(), "`delete_when` needs a `key`");
  }
}

WorkbookColumn column_of(const WorkbookLayout& layout, std::string heading, int file_field) {
  WorkbookColumn column{std::move(heading), WorkbookColumn::kNoField, 0, false};
  if (file_field < 0) return column;
  const std::string& name = layout.originals->fields[static_cast<std::size_t>(file_field)].name;
  if (const auto index = layout.rows.index_of(name)) column.field = static_cast<int>(*index);
  column.personal = std::find(layout.mask.begin(), layout.mask.end(), name) != layout.mask.end();
  return column;
}

}  // namespace

WorkbookLayout parse_workbook_layout(const SinkDeclaration& declaration, Diagnostics& diagnostics) {
  const Config& config = declaration.config;
  WorkbookLayout layout;
  add_fields(layout, declaration.inputs);
  layout.sheet = config.string_or("sheet", "退回数据");
  layout.reason_heading = config.string_or("reason", "退回原因");
  layout.source_heading = config.string_or("source", "来源");
  layout.chinese = config.string_or("language", "zh") == "zh";
  if (!layout.rows.index_of("reject_code")) layout.reason_heading.clear();
  if (config.has("every")) layout.every_ms = config["every"].as_duration().count();
  parse_originals(declaration, layout, diagnostics);
  parse_columns_of(config["columns"], layout, diagnostics);
  parse_split(config, layout, diagnostics);
  parse_key(config, layout, diagnostics);
  return layout;
}

std::string WorkbookLayout::signature() const {
  codecs::ContentHash hash;
  const auto add = [&hash](const std::string& text) { hash.add(text + "\n"); };
  for (const std::string& text : {sheet, reason_heading, source_heading}) add(text);
  for (const WorkbookColumn& column : columns)
    add(column.heading + "=" + rows[static_cast<std::size_t>(column.field)].name);
  for (const std::string& field : mask) add(field);
  add(std::string(chinese ? "zh" : "en") + (originals ? " originals" : ""));
  return hash.digest();
}

std::vector<WorkbookColumn> columns_of_file(const WorkbookLayout& layout, const OriginalRow& row,
                                            std::vector<std::size_t>& cells_of) {
  std::vector<WorkbookColumn> columns;
  cells_of.clear();
  for (std::size_t i = 0; i < row.headings.size(); ++i) {
    const std::string key = codecs::heading_key(row.headings[i]);
    // The file may be a workbook of ours, mended: what we add to it is added anew.
    const bool ours = !key.empty() && (key == codecs::heading_key(layout.reason_heading) ||
                                       key == codecs::heading_key(layout.source_heading));
    if (ours) continue;
    columns.push_back(column_of(layout, row.headings[i], row.columns[i]));
    cells_of.push_back(i);
  }
  return columns;
}

std::vector<WorkbookColumn> columns_of_mapping(const WorkbookLayout& layout,
                                               const std::string& file) {
  std::vector<WorkbookColumn> columns;
  const auto known = codecs::make_layout(*layout.originals, file);
  std::vector<bool> taken(layout.originals->fields.size());
  for (const auto& [field, text] : known->set) taken[field] = true;
  const bool mapped = known->keys.size() > taken.size();
  for (std::size_t i = 0; i < known->keys.size(); ++i) {
    const int key = static_cast<int>(i);
    const auto field = static_cast<std::size_t>(known->keys.field(key));
    const std::string heading(known->keys.name(key));
    // A field's own name is the heading only where there is no mapping.
    if (taken[field] || (mapped && heading == layout.originals->fields[field].name)) continue;
    taken[field] = true;
    columns.push_back(column_of(layout, heading, static_cast<int>(field)));
  }
  return columns;
}

std::vector<runtime::Option> workbook_options() {
  return {
      {.name = "path",
       .type = OptionType::kPath,
       .doc = "Workbook to write; with `split_by` it has {} where the value goes.",
       .required = true},
      {.name = "columns",
       .type = OptionType::kAny,
       .doc =
           "Field names, or maps of `field`, `heading` and `width` (in characters). Default: all "
           "fields but those of the reject."},
      {.name = "split_by",
       .type = OptionType::kString,
       .doc = "One workbook for each value of this field; `_source` for each file."},
      {.name = "key",
       .type = OptionType::kList,
       .doc =
           "Fields of a key: of rows with the same key the newest is written. Default: all rows.",
       .members = {{.name = "field", .type = OptionType::kString}}},
      codecs::DeleteWhen::option(),
      {.name = "sheet",
       .type = OptionType::kString,
       .doc = "Name of the sheet.",
       .default_text = "退回数据"},
      {.name = "reason",
       .type = OptionType::kString,
       .doc = "Heading of the reason.",
       .default_text = "退回原因"},
      {.name = "source",
       .type = OptionType::kString,
       .doc = "Heading of the place (file:row) that a row comes from.",
       .default_text = "来源"},
      {.name = "language",
       .type = OptionType::kEnum,
       .doc = "Of the reasons.",
       .default_text = "zh",
       .choices = {"zh", "en"}},
      {.name = "originals",
       .type = OptionType::kString,
       .doc = "Name of a source of type `file` that the rows come from: the workbook has the "
              "columns of the file as it was sent, under its own headings, which is read again "
              "for it. Where that is not possible it has `columns`, else the headings of the "
              "file's mapping."},
      {.name = "mask",
       .type = OptionType::kList,
       .doc = "With `originals`: fields whose columns hold numbers of persons' documents. They are "
              "masked and say so; citizens' numbers are masked in all other columns too.",
       .members = {{.name = "field", .type = OptionType::kString}}},
      {.name = "every",
       .type = OptionType::kDuration,
       .doc = "While the input goes on: how often workbooks with new rows are written, at most.",
       .default_text = "1m"}};
}

}  // namespace huiliu::connectors
