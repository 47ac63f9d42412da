#pragma once

#include <memory>

#include "codecs/files/file_options.h"
#include "runtime/component/source.h"

namespace huiliu::codecs {

/// Decoder of the slices that the file reader cuts.
std::unique_ptr<runtime::Decoder> make_file_decoder(FileOptions options,
                                                    const runtime::DecoderContext& context);

/// Bytes of a row of spreadsheet cells within a slice; see append_cells().
struct CellHead {
  std::uint32_t size;  ///< of the text that follows
  std::uint16_t column;
  std::uint16_t kind;  ///< formats::CellKind
};
struct CellRowHead {
  std::uint32_t row;  ///< data row, from 1
  std::uint32_t cells;
};

}  // namespace huiliu::codecs
