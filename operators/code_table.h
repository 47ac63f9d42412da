#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "runtime/config.h"

namespace huiliu::operators {

/// Hash of text that lets maps of strings be searched by views, without a copy.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};
template <class T>
using TextMap = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;
using TextSet = std::unordered_set<std::string, TextHash, std::equal_to<>>;

/// A CSV file in memory: UTF-8, first row = column names, lines that start with # are comments.
class CsvTable {
 public:
  /// `path` is relative to the file it is written in. Unreadable files, bad rows and missing
  /// columns of `required` are reported at the node's place; the table is then empty.
  static CsvTable load(const runtime::Config& path, const std::vector<std::string>& required,
                       runtime::Diagnostics& diagnostics);

  std::size_t rows() const { return rows_.size(); }
  /// Text of a cell; empty if the table has no such column.
  std::string_view cell(std::size_t row, std::string_view column) const;

 private:
  void parse(std::string_view text, const runtime::Config& path, runtime::Diagnostics& diagnostics);

  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// A code table: codes with the days they were in force (columns code, valid_from, valid_to; an
/// empty day is an open end; a code may have several periods).
class CodeTable {
 public:
  enum class Answer { kInForce, kUnknown, kNotInForce };

  static CodeTable load(const runtime::Config& path, const std::string& column,
                        runtime::Diagnostics& diagnostics);

  /// `day` is ISO (2019-03-05); an empty day asks for the code only.
  Answer look_up(std::string_view code, std::string_view day) const;

 private:
  struct Period {
    std::string from, to;
  };
  TextMap<std::vector<Period>> codes_;
};

/// Words and what to write instead (columns from, to, optionally department; a row of a department
/// goes before one for all).
class SynonymTable {
 public:
  static SynonymTable load(const runtime::Config& path, runtime::Diagnostics& diagnostics);

  /// Null if the word has no synonym. The text lives as long as the table.
  const std::string* find(std::string_view word, std::string_view department) const;

 private:
  struct Entry {
    std::string department, to;
  };
  TextMap<std::vector<Entry>> words_;
};

/// Which sources may upload for which authorities (columns source, authority; "*" = all).
class PermissionTable {
 public:
  static PermissionTable load(const runtime::Config& path, runtime::Diagnostics& diagnostics);

  /// A source may always upload for itself.
  bool permits(std::string_view source, std::string_view authority) const;

 private:
  TextMap<TextSet> sources_;
};

}  // namespace huiliu::operators
