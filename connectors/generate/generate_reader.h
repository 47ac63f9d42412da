#pragma once

#include <memory>

#include "connectors/generate/generate_options.h"
#include "runtime/component/source.h"

namespace huiliu::connectors {

/// Says which rows are to be made: a slice has the numbers of its rows and no bytes of them, since
/// the threads that decode make them (make_generate_decoder).
std::unique_ptr<runtime::SourceReader> make_generate_reader(const GenerateOptions& options);
std::unique_ptr<runtime::Decoder> make_generate_decoder(const GenerateOptions& options,
                                                        const runtime::DecoderContext& context);

}  // namespace huiliu::connectors
