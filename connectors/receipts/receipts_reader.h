#pragma once

#include <memory>

#include "runtime/component/source.h"

namespace huiliu::connectors {

/// Reads the receipts that a sink keeps in its intake. Each entry is given as a slice of all its
/// receipts and one in which those of refused records are rejects (ReceiptSlice).
std::unique_ptr<runtime::SourceReader> make_receipts_reader();

/// How the receipts of a slice are to be read (Slice::format).
enum class ReceiptSlice : std::uint32_t { kReceipts, kRejects };

/// The offset of a receipt, or of the reject beside it: entry, then index within it.
inline std::uint64_t receipt_offset(std::uint64_t entry, ReceiptSlice slice) {
  constexpr unsigned kIndexBits = 20;  // an entry has 512 KiB, and a receipt 512 bytes
  return entry << (kIndexBits + 1) | std::uint64_t{slice == ReceiptSlice::kRejects} << kIndexBits;
}

}  // namespace huiliu::connectors
