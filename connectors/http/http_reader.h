#pragma once

#include <memory>

#include "connectors/http/http_options.h"
#include "runtime/component/source.h"

namespace huiliu::connectors {

/// Listens, keeps what comes in the topology's intake, and reads it from there.
std::unique_ptr<runtime::SourceReader> make_http_reader(const HttpOptions& options);

/// The batch and the row in it of a record's offset, and back: batches count from 1, rows too.
struct BatchRow {
  std::uint64_t batch = 0, row = 0;
  static constexpr unsigned kRowBits = 24;  ///< a row takes two bytes at least, of 16 MiB
  static BatchRow of(std::uint64_t offset) {
    return {offset >> kRowBits, offset & ((1u << kRowBits) - 1)};
  }
  std::uint64_t offset() const { return batch << kRowBits | row; }
};

}  // namespace huiliu::connectors
