#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "connectors/http/batch_rows.h"
#include "runtime/component/outputs.h"

namespace huiliu::connectors {

/// A row that cannot be read.
struct BadRow {
  std::uint64_t row = 0;  ///< data row, from 1
  std::string field;      ///< "" = the row as a whole
  std::string code, value, message_en, message_zh;
};

/// What a body holds.
struct BatchCounts {
  std::uint64_t rows = 0, bad = 0;
  std::vector<BadRow> first_bad;  ///< kMostShown at most
  static constexpr std::size_t kMostShown = 100;
};

/// Reads bodies before they are taken, as they will be read afterwards. Belongs to one thread.
class BatchCheck {
 public:
  /// `options` outlive it.
  explicit BatchCheck(const codecs::FileOptions& options);
  ~BatchCheck();
  runtime::Result<BatchCounts> count(const BatchForm& form, std::string_view body);

 private:
  class Counter;
  const codecs::FileOptions& options_;
  std::unique_ptr<runtime::Decoder> decoder_;
  std::unique_ptr<Counter> counter_;
  std::unique_ptr<runtime::Outputs> outputs_, ends_;
  runtime::Arena arena_;
};

}  // namespace huiliu::connectors
