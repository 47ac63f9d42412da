#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace huiliu::formats {

// The kinds of records that are read ([MS-XLS] 2.3).
enum class XlsRecordId : std::uint16_t {
  kFormula = 0x0006,
  kEnd = 0x000A,
  kDateMode = 0x0022,
  kPassword = 0x002F,
  kContinue = 0x003C,
  kSheet = 0x0085,
  kNumbers = 0x00BD,
  kRichText = 0x00D6,
  kStyle = 0x00E0,
  kMerges = 0x00E5,
  kSharedStrings = 0x00FC,
  kSharedText = 0x00FD,
  kNumber = 0x0203,
  kText = 0x0204,
  kBoolOrError = 0x0205,
  kFormulaText = 0x0207,
  kArrayFormula = 0x0221,
  kTableFormula = 0x0236,
  kShortNumber = 0x027E,
  kFormat = 0x041E,
  kSharedFormula = 0x04BC,
  kBegin = 0x0809
};

struct XlsRecord {
  XlsRecordId id{};
  std::size_t at = 0;  // offset of its head
  std::string_view data;
};

// Goes through the records of a stream from an offset on.
class XlsRecords {
 public:
  XlsRecords(std::string_view stream, std::size_t from) : stream_(stream), at_(from) {}

  // False at the stream's end, and where a record is cut short: see is_cut().
  bool next(XlsRecord& record);
  bool is_cut() const { return cut_; }
  // The data of the records that continue the last one; passes over them.
  std::vector<std::string_view> continuations();

 private:
  std::string_view stream_;
  std::size_t at_;
  bool cut_ = false;
};

// Reads texts that may run on in further records, where each says anew whether its characters are
// of one byte or two.
class XlsTextReader {
 public:
  explicit XlsTextReader(std::vector<std::string_view> pieces) : pieces_(std::move(pieces)) {}

  bool skip(std::size_t bytes);
  bool at_end();
  // A text with a length of `length_bytes` (1 or 2) in front, as UTF-8 behind `output`. False, with
  // what there is of it, when the records end within.
  bool append(unsigned length_bytes, std::string& output);

 private:
  bool get(std::size_t bytes, std::uint32_t& value);
  bool append_characters(std::size_t count, bool wide, std::string& output);

  std::vector<std::string_view> pieces_;
  std::size_t piece_ = 0;
  std::size_t at_ = 0;
};

}  // namespace huiliu::formats
