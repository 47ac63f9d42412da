#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "operators/csv_table.h"
#include "operators/periods.h"
#include "runtime/component/config.h"

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

/// A code table: codes with the days they were in force (columns code, valid_from, valid_to; an
/// empty day is an open end; a code may have several periods). Periods of one code must not overlap
/// or leave a gap; the comment `# gaps: allowed` permits gaps, `# overlaps: allowed` both (bodies
/// with several names at a time). The comment `# valid_to: first day
/// no longer in force` changes what valid_to means.
class CodeTable {
 public:
  enum class Answer { kInForce, kUnknown, kNotInForce };

  static CodeTable load(const runtime::Config& path, const std::string& column,
                        runtime::Diagnostics& diagnostics,
                        OutOfDate out_of_date = OutOfDate::kError);

  /// `day` is ISO (2019-03-05); an empty day asks for the code only.
  Answer look_up(std::string_view code, std::string_view day) const;
  std::size_t longest_code() const { return longest_; }
  std::vector<std::string> codes() const;

 private:
  TextMap<std::vector<Period>> codes_;
  std::size_t longest_ = 0;
};

/// Words and what to write instead (columns from, to, optionally department, valid_from, valid_to;
/// a row of a department goes before one for all). Two rows for the same word, department and day
/// must say the same.
class SynonymTable {
 public:
  static SynonymTable load(const runtime::Config& path, runtime::Diagnostics& diagnostics);

  /// Null if the word has no synonym on the ISO day (empty: on any day). The text lives as long as
  /// the table.
  const std::string* find(std::string_view word, std::string_view department,
                          std::string_view day = {}) const;
  /// Reports every synonym that leads to no code of any of the tables, which stand in `files`.
  void check_leads_to(const std::vector<CodeTable>& tables, const std::string& files,
                      runtime::Diagnostics& diagnostics) const;

 private:
  struct Entry {
    std::string department, to;
    Period period;
    runtime::Place place;
  };
  TextMap<std::vector<Entry>> words_;
};

/// Bodies by code under the names of their time (columns code, name, valid_from, valid_to). A body
/// may have several names at a time: old seals are used for a while.
class NameTable {
 public:
  /// What is known of one code.
  struct Body {
    struct Name {
      std::string name;
      Period period;
    };
    std::vector<Name> names;
    std::string message_en, message_zh;  ///< what is wrong when another name is given
    bool has(std::string_view name, std::string_view day) const;
  };

  static NameTable load(const runtime::Config& path, runtime::Diagnostics& diagnostics,
                        OutOfDate out_of_date = OutOfDate::kError);

  /// Null if the table does not know the code.
  const Body* find(std::string_view code) const;

 private:
  TextMap<Body> bodies_;
};

/// Which sources may upload for which authorities (columns source, authority, optionally
/// valid_from, valid_to; "*" = all).
class PermissionTable {
 public:
  static PermissionTable load(const runtime::Config& path, runtime::Diagnostics& diagnostics,
                              OutOfDate out_of_date = OutOfDate::kError);

  /// A source may always upload for itself. An empty day asks for any time.
  bool permits(std::string_view source, std::string_view authority,
               std::string_view day = {}) const;

 private:
  TextMap<TextMap<std::vector<Period>>> sources_;
};

}  // namespace huiliu::operators
