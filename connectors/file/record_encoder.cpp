#include "connectors/file/record_encoder.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <charconv>

#include <fmt/format.h>

#include "formats/csv.h"

namespace huiliu::connectors {

using runtime::Config;
using runtime::Record;
using runtime::Type;
using runtime::Value;

namespace {

bool needs_escape(unsigned char c) { return c == '"' || c == '\\' || c < 0x20; }

// Index of the first byte that JSON wants escaped, or the size.
std::size_t clean_prefix(const char* text, std::size_t size) {
  std::size_t i = 0;
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
  const __m128i control = _mm_set1_epi8(0x1F);
  for (; i + 16 <= size; i += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + i));
    const __m128i bad =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, slash)),
                     _mm_cmpeq_epi8(_mm_min_epu8(block, control), block));
    const int mask = _mm_movemask_epi8(bad);
    if (mask != 0) return i + static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  while (i < size && !needs_escape(static_cast<unsigned char>(text[i]))) ++i;
  return i;
}

void append_escape(unsigned char c, std::string& out) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += fmt::format("\\u{:04x}", c);
  }
}

void append_number(const Value& value, Type type, std::string& out) {
  char digits[32];
  const auto result = type == Type::kFloat64
                          ? std::to_chars(digits, digits + sizeof digits, value.real())
                          : std::to_chars(digits, digits + sizeof digits, value.integer());
  out.append(digits, static_cast<std::size_t>(result.ptr - digits));
}

void append_plain(const Value& value, Type type, std::string& out) {
  if (type == Type::kBool) {
    out += value.boolean() ? "true" : "false";
  } else {
    append_number(value, type, out);
  }
}

void append_provenance(const Record& record, std::string& out) {
  if (record.origin.partition != nullptr) out += *record.origin.partition;
  out += ':';
  out += std::to_string(record.origin.offset);
}

class JsonEncoder final : public runtime::SinkEncoder {
 public:
  JsonEncoder(std::vector<OutputField> fields, Nulls nulls)
      : fields_(std::move(fields)), nulls_(nulls) {
    for (const OutputField& field : fields_) {
      std::string key;
      append_json_string(field.name, key);
      keys_.push_back("," + key + ":");
    }
  }

  void encode(const Record& record, std::string& out) override {
    const std::size_t start = out.size();
    for (std::size_t i = 0; i < fields_.size(); ++i) append_field(record, i, out);
    if (out.size() == start) out += '{';
    out[start] = '{';
    out += "}\n";
  }

 private:
  void append_field(const Record& record, std::size_t i, std::string& out) {
    const OutputField& field = fields_[i];
    if (field.provenance) {
      out += keys_[i];
      scratch_.clear();
      append_provenance(record, scratch_);
      append_json_string(scratch_, out);
      return;
    }
    const Value value = field.index < 0 ? Value() : record[static_cast<std::size_t>(field.index)];
    if (value.is_null()) {
      if (nulls_ == Nulls::kOmit) return;
      out += keys_[i];
      if (nulls_ == Nulls::kNull) {
        out += "null";
      } else {
        out += runtime::is_text(field.type) ? "\"\"" : field.type == Type::kBool ? "false" : "0";
      }
      return;
    }
    out += keys_[i];
    if (field.type == Type::kJson) {
      out += value.text();
    } else if (runtime::is_text(field.type)) {
      append_json_string(value.text(), out);
    } else {
      append_plain(value, field.type, out);
    }
  }

  std::vector<OutputField> fields_;
  std::vector<std::string> keys_;
  Nulls nulls_;
  std::string scratch_;
};

class CsvEncoder final : public runtime::SinkEncoder {
 public:
  explicit CsvEncoder(std::vector<OutputField> fields)
      : fields_(std::move(fields)), cells_(fields_.size()) {}

  void encode(const Record& record, std::string& out) override {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const OutputField& field = fields_[i];
      std::string& cell = cells_[i];
      cell.clear();
      if (field.provenance) {
        append_provenance(record, cell);
        continue;
      }
      const Value value = field.index < 0 ? Value() : record[static_cast<std::size_t>(field.index)];
      if (value.is_null()) continue;
      if (runtime::is_text(field.type)) {
        cell = value.text();
      } else {
        append_plain(value, field.type, cell);
      }
    }
    writer_.append_row(cells_, out);
  }

 private:
  std::vector<OutputField> fields_;
  std::vector<std::string> cells_;
  formats::CsvWriter writer_;
};

// The field's type in the first input that has it.
bool find_in_inputs(const runtime::SinkDeclaration& declaration, const std::string& name,
                    Type& type) {
  for (const runtime::Schema* schema : declaration.inputs) {
    if (const auto index = schema->index_of(name)) {
      type = (*schema)[*index].type;
      return true;
    }
  }
  return false;
}

void add_field(const runtime::SinkDeclaration& declaration, std::size_t input,
               const std::string& name, const std::string& field, const runtime::Place& place,
               bool report, std::vector<OutputField>& fields) {
  OutputField output;
  output.name = name;
  if (field == "_source") {
    output.provenance = true;
    fields.push_back(output);
    return;
  }
  if (!find_in_inputs(declaration, field, output.type)) {
    if (!report) return;
    std::vector<std::string> names;
    for (const runtime::Schema* schema : declaration.inputs) {
      for (const runtime::Field& known : schema->fields()) names.push_back(known.name);
    }
    declaration.diagnostics.error(place, fmt::format("no input has a field '{}'", field),
                                  runtime::nearest_hint(field, names));
    return;
  }
  if (const auto index = declaration.inputs[input]->index_of(field)) {
    output.index = static_cast<int>(*index);
  }
  fields.push_back(output);
}

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const std::size_t clean = clean_prefix(text.data(), text.size());
    out.append(text.data(), clean);
    if (clean == text.size()) break;
    append_escape(static_cast<unsigned char>(text[clean]), out);
    text.remove_prefix(clean + 1);
  }
  out += '"';
}

std::vector<OutputField> output_fields(const runtime::SinkDeclaration& declaration,
                                       std::size_t input, bool report) {
  std::vector<OutputField> fields;
  const Config& list = declaration.config["fields"];
  for (const Config& item : list.items()) {
    const std::string name = item.is_scalar() ? item.text() : item.string_or("name", "");
    const std::string field = item.is_scalar() ? name : item.string_or("field", name);
    add_field(declaration, input, name, field, item.place(), report, fields);
  }
  if (!list.is_null()) return fields;
  for (const runtime::Schema* schema : declaration.inputs) {
    for (const runtime::Field& field : schema->fields()) {
      bool there = false;
      for (const OutputField& known : fields) there = there || known.name == field.name;
      if (!there)
        add_field(declaration, input, field.name, field.name, list.place(), false, fields);
    }
  }
  return fields;
}

std::unique_ptr<runtime::SinkEncoder> make_json_encoder(std::vector<OutputField> fields,
                                                        Nulls nulls) {
  return std::make_unique<JsonEncoder>(std::move(fields), nulls);
}

std::unique_ptr<runtime::SinkEncoder> make_csv_encoder(std::vector<OutputField> fields) {
  return std::make_unique<CsvEncoder>(std::move(fields));
}

}  // namespace huiliu::connectors
