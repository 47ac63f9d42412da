#pragma once

#include <cstdint>
#include <vector>

#include "connectors/generate/generate_options.h"
#include "runtime/record/arena.h"
#include "runtime/record/value.h"

namespace huiliu::connectors {

/// Makes rows by their number: the same row of the same options is the same everywhere, at any
/// time, whatever was made before.
class RowMaker {
 public:
  explicit RowMaker(GenerateOptions options);
  RowMaker(const RowMaker&) = delete;
  RowMaker& operator=(const RowMaker&) = delete;

  /// Fills a slot for each field; text lives in `arena` or as long as the maker. Rows count from 0.
  void make(std::uint64_t row, runtime::Value* slots, runtime::Arena& arena) const;

 private:
  std::int64_t number(const GeneratedField& field, std::uint64_t row, Chance& chance) const;
  std::size_t chosen(const GeneratedField& field, Chance& chance) const;

  const GenerateOptions options_;
  std::vector<std::vector<runtime::Value>> values_;  // per field; text views options_
};

}  // namespace huiliu::connectors
