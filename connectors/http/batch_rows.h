#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "codecs/files/file_cursor.h"
#include "connectors/http/batch_form.h"
#include "runtime/base/status.h"
#include "runtime/component/source.h"

namespace huiliu::connectors {

/// The rows of one body, read as those of a file: the same encodings, headings, workbooks.
class BatchRows {
 public:
  /// `options` outlive it. `position`: where an earlier reading stopped, "" = at the beginning.
  /// kUnavailable if the machine has no memory or descriptor for it, kCorrupt if the position is
  /// not one of this body.
  static runtime::Result<std::unique_ptr<BatchRows>> open(const codecs::FileOptions& options,
                                                          const BatchForm& form,
                                                          std::string_view body,
                                                          const std::string& position = "");
  /// The next slice, without its partition and positions; false at the end.
  bool read(runtime::Slice& slice, std::size_t slice_bytes) {
    return cursor_->read(slice, slice_bytes);
  }
  bool done() const { return cursor_->position().done; }
  std::string position() const { return cursor_->position().to_text(); }

 private:
  explicit BatchRows(codecs::FileOptions options) : options_(std::move(options)) {}

  codecs::FileOptions options_;  // with the format of this body
  std::unique_ptr<codecs::FileCursor> cursor_;
};

}  // namespace huiliu::connectors
