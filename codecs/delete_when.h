#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "runtime/component/config.h"
#include "runtime/component/descriptor.h"
#include "runtime/record/schema.h"
#include "runtime/record/value.h"

namespace huiliu::codecs {

/// The option `delete_when` of sinks that keep one row a key: field → text or list of texts. A row
/// in which all fields have one of their texts takes the row with its key away. Null counts as "".
class DeleteWhen {
 public:
  /// Fields are those of `schema`; unknown ones are reported.
  static DeleteWhen parse(const runtime::Config& node, const runtime::Schema& schema,
                          runtime::Diagnostics& diagnostics);
  /// The same for one of several inputs: where it lacks a field, nothing is a deletion.
  static DeleteWhen of_input(const runtime::Config& node, const runtime::Schema& input);

  bool empty() const { return tests_.empty(); }
  bool holds(const runtime::Value* row) const;

  /// For the descriptors of sinks.
  static runtime::Option option();

 private:
  struct Test {
    std::size_t field = 0;
    runtime::Type type = runtime::Type::kString;
    std::vector<std::string> texts;
  };
  static void add(DeleteWhen& into, std::size_t field, const runtime::Schema& schema,
                  const runtime::Config& texts);

  std::vector<Test> tests_;
};

}  // namespace huiliu::codecs
