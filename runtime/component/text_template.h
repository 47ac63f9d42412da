#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/component/config.h"
#include "runtime/record/arena.h"
#include "runtime/record/record.h"
#include "runtime/record/schema.h"
#include "runtime/record/value_text.h"

namespace huiliu::runtime {

/// Text with fields of the record in braces: "{party_type}/{kind}". Doubled braces stand for
/// themselves, dates are written yyyy-mm-dd. Absent fields give nothing.
class TextTemplate {
 public:
  /// What is wrong becomes diagnostics, an unknown field with the nearest name.
  static TextTemplate parse(const Config& node, const Schema& schema, Diagnostics& diagnostics);

  /// A template without fields gives text that lives as long as the template.
  std::string_view expand(const Record& record, Arena& arena) const;
  /// The same behind what `out` holds.
  void append(const Record& record, std::string& out) const;

 private:
  struct Part {
    std::string literal;
    std::size_t field = 0;
    Type type = Type::kString;
    bool is_field = false;
  };
  using NumberText = std::array<char, kScalarTextBytes>;
  static std::string_view text_of(const Part& part, const Record& record, NumberText& buffer);

  std::vector<Part> parts_;
};

}  // namespace huiliu::runtime
