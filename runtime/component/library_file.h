#pragma once

#include <optional>
#include <string>

#include "runtime/component/library.h"

namespace huiliu::runtime {

/// Why a library is refused, and what to do about it.
struct LibraryProblem {
  std::string message;
  std::string hint;
};

/// Reads a shared library's file, without loading it, and checks that this binary can use it: an
/// ELF library for this machine whose entry has this binary's ABI number, version, C++ ABI and
/// layout. Nothing if all is well.
std::optional<LibraryProblem> check_library_file(const std::string& path);

/// Compares an entry as found in a file (where its function is not set yet) with this binary's.
std::optional<LibraryProblem> check_library_entry(const LibraryEntry& entry);

}  // namespace huiliu::runtime
