#include "runtime/component/library_file.h"

#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <elf.h>
#include <fmt/format.h>

namespace huiliu::runtime {
namespace {

constexpr std::uint64_t kMostNames = 64u << 20;  // bytes; a larger table is a damaged file

#if defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
#else
constexpr Elf64_Half kMachine = EM_X86_64;
#endif

/// Reads parts of an ELF file; nothing in it is trusted.
class ElfFile {
 public:
  explicit ElfFile(const std::string& path) : file_(path, std::ios::binary) {
    std::error_code ignored;
    size_ = std::filesystem::file_size(path, ignored);
    if (ignored) size_ = 0;
  }

  bool is_open() const { return file_.is_open(); }

  bool read(std::uint64_t offset, void* out, std::uint64_t bytes) {
    if (offset > size_ || bytes > size_ - offset) return false;
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(offset));
    file_.read(static_cast<char*>(out), static_cast<std::streamsize>(bytes));
    return file_.good();
  }

  bool read_header() { return read(0, &header_, sizeof header_); }
  const Elf64_Ehdr& header() const { return header_; }

  bool section(std::uint64_t index, Elf64_Shdr& out) {
    return index < header_.e_shnum && header_.e_shentsize == sizeof out &&
           header_.e_shoff <= size_ && read(header_.e_shoff + index * sizeof out, &out, sizeof out);
  }

  /// Finds the dynamic symbol and reads the first bytes of its content.
  bool symbol(std::string_view name, void* out, std::uint64_t bytes) {
    for (std::uint64_t i = 0; i < header_.e_shnum; ++i) {
      Elf64_Shdr symbols, names;
      if (!section(i, symbols) || symbols.sh_type != SHT_DYNSYM) continue;
      if (!section(symbols.sh_link, names) || names.sh_size > kMostNames) return false;
      std::string text(names.sh_size, '\0');
      if (!read(names.sh_offset, text.data(), text.size())) return false;
      return find(symbols, text, name, out, bytes);
    }
    return false;
  }

 private:
  bool find(const Elf64_Shdr& symbols, const std::string& names, std::string_view name, void* out,
            std::uint64_t bytes) {
    for (std::uint64_t i = 0; i < symbols.sh_size / sizeof(Elf64_Sym); ++i) {
      Elf64_Sym symbol;
      if (!read(symbols.sh_offset + i * sizeof symbol, &symbol, sizeof symbol)) return false;
      if (symbol.st_name >= names.size() || symbol.st_shndx == SHN_UNDEF) continue;
      if (name != names.c_str() + symbol.st_name) continue;
      Elf64_Shdr home;
      if (ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT || !section(symbol.st_shndx, home) ||
          home.sh_type != SHT_PROGBITS || symbol.st_value < home.sh_addr) {
        return false;
      }
      const std::uint64_t within = symbol.st_value - home.sh_addr;
      return within <= home.sh_size && bytes <= home.sh_size - within &&
             read(home.sh_offset + within, out, bytes);
    }
    return false;
  }

  std::ifstream file_;
  std::uint64_t size_ = 0;
  Elf64_Ehdr header_{};
};

std::optional<LibraryProblem> check_header(const Elf64_Ehdr& header) {
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return LibraryProblem{"it is not an ELF file", "give the .so file that the build made"};
  }
  constexpr unsigned char kOrder =
      std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != kOrder ||
      header.e_machine != kMachine) {
    return LibraryProblem{"it is for another kind of processor", "build it on this machine"};
  }
  if (header.e_type != ET_DYN) {
    return LibraryProblem{"it is an ELF file, but no shared library",
                          "link it as one: add_library(NAME MODULE ...), or -shared"};
  }
  return std::nullopt;
}

// Fixed-size text of a file need not end.
template <std::size_t N>
std::string_view text_of(const char (&text)[N]) {
  return {text, ::strnlen(text, N)};
}

}  // namespace

std::optional<LibraryProblem> check_library_entry(const LibraryEntry& entry) {
  static constexpr char kRebuild[] = "build the library again with this version's headers";
  const LibraryTag& tag = entry.tag;
  if (tag.abi != kLibraryAbi) {
    return LibraryProblem{
        fmt::format("its ABI number is {}, this huiliu's is {}", tag.abi, kLibraryAbi), kRebuild};
  }
  if (text_of(tag.version) != kVersion) {
    return LibraryProblem{fmt::format("it was built for huiliu {}, this is huiliu {}",
                                      text_of(tag.version), kVersion),
                          kRebuild};
  }
  if (text_of(tag.cxx_abi) != kCxxAbi) {
    return LibraryProblem{
        fmt::format("its C++ ABI is '{}', this huiliu's is '{}'", text_of(tag.cxx_abi), kCxxAbi),
        "build it with the compiler that built huiliu"};
  }
  if (tag.size != sizeof(LibraryEntry) || entry.layout != library_layout()) {
    return LibraryProblem{"it was built with other headers than this huiliu", kRebuild};
  }
  return std::nullopt;
}

std::optional<LibraryProblem> check_library_file(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    const bool there = std::filesystem::exists(path, ignored);
    return LibraryProblem{there ? "it is no file" : "there is no such file",
                          "the path is relative to the topology file; is the library built?"};
  }
  ElfFile file(path);
  if (!file.is_open()) return LibraryProblem{std::strerror(errno), "check the permissions"};
  if (!file.read_header()) {
    return LibraryProblem{"it is not an ELF file", "give the .so file that the build made"};
  }
  if (auto problem = check_header(file.header())) return problem;
  // The tag first: the rest of an entry may differ between ABI numbers.
  LibraryEntry entry;
  entry.tag.abi = 0;
  if (!file.symbol(kLibrarySymbol, &entry.tag, sizeof entry.tag)) {
    return LibraryProblem{fmt::format("it has no symbol '{}'", kLibrarySymbol),
                          "is it a huiliu library? It says HUILIU_LIBRARY(register_function) once"};
  }
  if (entry.tag.abi == kLibraryAbi) file.symbol(kLibrarySymbol, &entry, sizeof entry);
  return check_library_entry(entry);
}

}  // namespace huiliu::runtime
