#include "service/golden/input_files.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>
#include <vector>

#include "codecs/delimiter.h"
#include "codecs/json_text.h"

namespace huiliu::service {
namespace {

namespace fs = std::filesystem;
using runtime::Config;
using runtime::Diagnostics;

constexpr char kLike[] = "like";

std::vector<std::string> keys_of(const Config& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map.entries()) keys.push_back(key);
  return keys;
}

bool is_json_number(const std::string& text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  const char first = text.empty() ? ' ' : text.front();
  return result.ec == std::errc() && result.ptr == end &&
         (first == '-' || (first >= '0' && first <= '9'));
}

// As YAML means it: only what is not quoted is a number or a boolean.
std::string json_value(const Config& value) {
  if (value.is_null()) return "null";
  const std::string& text = value.text();
  if (!value.quoted() && (text == "true" || text == "false" || is_json_number(text))) return text;
  std::string out;
  codecs::append_json_string(text, out);
  return out;
}

std::string ndjson(const std::vector<Config>& records) {
  std::string out;
  for (const Config& record : records) {
    std::string line;
    for (const auto& [key, value] : record.entries()) {
      line += line.empty() ? "{" : ",";
      codecs::append_json_string(key, line);
      line += ":" + json_value(value);
    }
    out += (line.empty() ? "{" : line) + "}\n";
  }
  return out;
}

std::string csv_cell(const std::string& text, char delimiter) {
  if (text.find_first_of(std::string("\"\r\n") + delimiter) == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string csv(const std::vector<Config>& records, char delimiter) {
  std::vector<std::string> columns;
  for (const Config& record : records) {
    for (const auto& [key, value] : record.entries()) {
      if (std::find(columns.begin(), columns.end(), key) == columns.end()) columns.push_back(key);
    }
  }
  std::string out;
  const auto add_row = [&](const auto& cell) {
    for (const std::string& column : columns) {
      if (&column != &columns.front()) out += delimiter;
      out += csv_cell(cell(column), delimiter);
    }
    out += '\n';
  };
  add_row([](const std::string& column) { return column; });
  for (const Config& record : records) {
    add_row([&record](const std::string& column) { return record[column].text(); });
  }
  return out;
}

bool are_flat(const Config& list, Diagnostics& diagnostics) {
  const std::size_t errors = diagnostics.errors();
  for (const Config& record : list.items()) {
    if (!record.is_map()) diagnostics.error(record.place(), "expected a record: a map");
    for (const auto& [key, value] : record.entries()) {
      if (value.is_scalar() || value.is_null()) continue;
      diagnostics.error(value.place(), "expected a single value",
                        "give the file's content as text (`name: |`) for more");
    }
  }
  return diagnostics.errors() == errors;
}

std::string content_of(const Config& content, const fs::path& name, char delimiter,
                       const Config& templates, Diagnostics& diagnostics) {
  if (!content.is_list()) return content.is_scalar() ? content.text() : "";
  if (!are_flat(content, diagnostics)) return "";
  std::vector<Config> records;
  for (const Config& record : content.items()) {
    records.push_back(complete_record(record, templates, diagnostics));
  }
  const std::string ending = name.extension();
  if (ending == ".csv") return csv(records, delimiter);
  if (ending != ".ndjson" && ending != ".jsonl") {
    diagnostics.error(content.place(),
                      "a list of records needs a name that ends in .ndjson or .csv",
                      "give the file's content as text (`name: |`) instead");
  }
  return ndjson(records);
}

}  // namespace

Config complete_record(const Config& record, const Config& templates, Diagnostics& diagnostics) {
  Config whole = Config::map({}, record.place());
  if (record.has(kLike)) {
    const Config& like = record[kLike];
    if (!templates[like.text()].is_map()) {
      diagnostics.error(like.place(), "there is no template '" + like.text() + "'",
                        runtime::nearest_hint(like.text(), keys_of(templates)));
      return whole;
    }
    whole = complete_record(templates[like.text()], Config(), diagnostics);
  }
  for (const auto& [key, value] : record.entries()) {
    if (key != kLike) whole.set(key, value);
  }
  return whole;
}

void write_input_files(const runtime::Topology& topology, const Config& input,
                       const Config& templates, const fs::path& folder, Diagnostics& diagnostics) {
  for (const auto& [source, files] : input.entries()) {
    const runtime::Node* node = topology.find(source);
    if (node == nullptr || node->source == nullptr || node->type_name != "file") continue;
    const char delimiter = codecs::named_delimiter(node->config->string_or("delimiter", ","));
    for (const auto& [name, content] : files.entries()) {
      const fs::path path = (folder / name).lexically_normal();
      if (!path.string().starts_with(folder.string() + "/")) {
        diagnostics.error(files.key_place(name), "the file is outside of the input folder");
        continue;
      }
      fs::create_directories(path.parent_path());
      std::ofstream(path, std::ios::binary)
          << content_of(content, path, delimiter, templates, diagnostics);
    }
  }
}

}  // namespace huiliu::service
