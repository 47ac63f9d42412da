#pragma once

#include <memory>

#include "runtime/component/source.h"

namespace huiliu::connectors {

/// Of the slices of receipts_reader.h.
std::unique_ptr<runtime::Decoder> make_receipts_decoder(const runtime::SourceDeclaration& source,
                                                        const runtime::DecoderContext& context);

}  // namespace huiliu::connectors
