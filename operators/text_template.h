#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/arena.h"
#include "runtime/config.h"
#include "runtime/record.h"
#include "runtime/schema.h"

namespace huiliu::operators {

/// Text with fields of the record in braces: "{party_type}/{kind}". Doubled braces stand for
/// themselves. Absent fields give nothing.
class TextTemplate {
 public:
  static TextTemplate parse(const runtime::Config& node, const runtime::Schema& schema,
                            runtime::Diagnostics& diagnostics);

  /// A template without fields gives text that lives as long as the template.
  std::string_view expand(const runtime::Record& record, runtime::Arena& arena) const;

 private:
  struct Part {
    std::string literal;
    std::size_t field = 0;
    runtime::Type type = runtime::Type::kString;
    bool is_field = false;
  };
  std::vector<Part> parts_;
};

}  // namespace huiliu::operators
