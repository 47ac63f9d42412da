#pragma once

/// What a shared library with operators, sources or sinks includes;
/// docs/guides/write-an-operator.md shows how. It needs no other symbols of the binary than
/// cmake/library_symbols.txt lists.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/base/version.h"
#include "runtime/component/headers_digest.h"
#include "runtime/component/operator.h"
#include "runtime/component/sink.h"
#include "runtime/component/source.h"

#define HUILIU_TEXT_OF_(x) #x
#define HUILIU_TEXT_OF(x) HUILIU_TEXT_OF_(x)

namespace huiliu::runtime {

/// Raise it when something that a library uses changes its meaning or its layout.
inline constexpr std::uint32_t kLibraryAbi = 5;

/// What must be equal so that std::string and the like have one layout on both sides: processor,
/// standard library, its release and its modes. g++ and clang with one libstdc++ are compatible.
inline constexpr char kCxxAbi[] =
#if defined(__x86_64__)
    "x86_64"
#elif defined(__aarch64__)
    "aarch64"
#else
    "other"
#endif
#if defined(_GLIBCXX_RELEASE)
    " libstdc++-" HUILIU_TEXT_OF(_GLIBCXX_RELEASE) " cxx11=" HUILIU_TEXT_OF(_GLIBCXX_USE_CXX11_ABI)
#elif defined(_LIBCPP_VERSION)
    " libc++-" HUILIU_TEXT_OF(_LIBCPP_VERSION)
#endif
#if defined(_GLIBCXX_DEBUG)
        " debug"
#endif
    ;

/// Notices headers that changed without a change of kLibraryAbi: a digest of what they say, and the
/// sizes of what passes between library and binary, which settings of a compiler may change.
constexpr std::uint64_t library_layout() {
  std::uint64_t sum = kHeadersDigest;
  for (const std::size_t size :
       {sizeof(OperatorType),    sizeof(SourceType),    sizeof(SinkType),
        sizeof(Descriptor),      sizeof(Option),        sizeof(Config),
        sizeof(Diagnostics),     sizeof(Declaration),   sizeof(SourceDeclaration),
        sizeof(SinkDeclaration), sizeof(Schema),        sizeof(Record),
        sizeof(Value),           sizeof(Outputs),       sizeof(Arena),
        sizeof(Slice),           sizeof(SourceContext), sizeof(DecoderContext),
        sizeof(SinkContext),     sizeof(OutboxEntry),   sizeof(Status)}) {
    sum = sum * 1'000'003 + size;
  }
  return sum;
}

/// The types a library offers; its register function adds them.
struct LibraryTypes {
  std::vector<SourceType> sources;
  std::vector<OperatorType> operators;
  std::vector<SinkType> sinks;

  void add(SourceType type) { sources.push_back(std::move(type)); }
  void add(OperatorType type) { operators.push_back(std::move(type)); }
  void add(SinkType type) { sinks.push_back(std::move(type)); }
};

/// The first lines of an entry. They stay as they are in every version, so that any binary can say
/// what is wrong with any library.
struct LibraryTag {
  std::uint32_t abi = kLibraryAbi;
  std::uint32_t size = 0;  ///< of the whole entry
  char version[24] = {};
  char cxx_abi[64] = {};
};

/// The entry of a library: the data symbol `huiliu_library_v1`. It is data and no function, because
/// the binary reads and checks it in the file, before anything of the library can run.
struct LibraryEntry {
  LibraryTag tag;
  std::uint64_t layout = 0;
  void (*register_types)(LibraryTypes&) = nullptr;
};

inline constexpr char kLibrarySymbol[] = "huiliu_library_v1";

/// The entry as this compiler and these headers make it.
constexpr LibraryEntry library_entry(void (*register_types)(LibraryTypes&)) {
  LibraryEntry entry{{}, library_layout(), register_types};
  entry.tag.size = sizeof(LibraryEntry);
  static_assert(sizeof kVersion <= sizeof entry.tag.version);
  static_assert(sizeof kCxxAbi <= sizeof entry.tag.cxx_abi);
  std::copy_n(kVersion, sizeof kVersion, entry.tag.version);
  std::copy_n(kCxxAbi, sizeof kCxxAbi, entry.tag.cxx_abi);
  return entry;
}

}  // namespace huiliu::runtime

/// Once in a library, at namespace scope: `HUILIU_LIBRARY(register_types)` with a function
/// void(huiliu::runtime::LibraryTypes&).
#define HUILIU_LIBRARY(register_types)                                \
  extern "C" {                                                        \
  extern __attribute__((visibility("default")))                       \
  const ::huiliu::runtime::LibraryEntry huiliu_library_v1;            \
  constinit const ::huiliu::runtime::LibraryEntry huiliu_library_v1 = \
      ::huiliu::runtime::library_entry(register_types);               \
  }                                                                   \
  static_assert(true)
