#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// For tests and fuzzers: makes small .xls files.
namespace huiliu::formats::testing {

inline std::string little(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (; bytes > 0; --bytes, value >>= 8) text.push_back(static_cast<char>(value & 0xFF));
  return text;
}

inline std::string xls_record(std::uint16_t id, std::string_view data) {
  return little(id, 2) + little(data.size(), 2) + std::string(data);
}

// Characters of the first plane as an .xls has them, two bytes each; the length goes in front.
inline std::string xls_text(std::u16string_view text, std::size_t length_bytes = 2) {
  std::string bytes = little(text.size(), length_bytes) + '\1';
  for (const char16_t unit : text) bytes += little(unit, 2);
  return bytes;
}

// A compound file with streams in its root folder, each in sectors one behind the other. Up to 127
// sectors in all.
inline std::string ole_of(const std::vector<std::pair<std::u16string, std::string>>& streams) {
  constexpr std::size_t kSector = 512;
  constexpr std::uint32_t kEnd = 0xFFFFFFFE, kFree = 0xFFFFFFFF, kTable = 0xFFFFFFFD;
  const auto padded = [](std::string text, std::size_t to, char with) {
    text.resize((text.size() + to - 1) / to * to, with);
    return text;
  };
  const auto entry = [](std::u16string_view name, char type, std::uint32_t right,
                        std::uint32_t child, std::uint32_t start, std::size_t size) {
    std::string bytes;
    for (const char16_t unit : name) bytes += little(unit, 2);
    bytes.resize(64, '\0');
    bytes += little(name.size() * 2 + 2, 2) + type + '\1' + little(kFree, 4) + little(right, 4) +
             little(child, 4);
    bytes.resize(0x74, '\0');
    return bytes + little(start, 4) + little(size, 8);
  };
  // Sector 0 is the table, 1 the folder.
  std::string table = little(kTable, 4) + little(kEnd, 4);
  std::string folder = entry(u"Root Entry", 5, kFree, streams.empty() ? kFree : 1, kEnd, 0);
  std::string body;
  std::uint32_t at = 2;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const std::size_t size = std::max<std::size_t>(streams[i].second.size(), 4096);
    const std::uint32_t right = i + 1 < streams.size() ? static_cast<std::uint32_t>(i + 2) : kFree;
    folder += entry(streams[i].first, 2, right, kFree, at, size);
    std::string content = streams[i].second;
    content.resize(size, '\0');
    content = padded(std::move(content), kSector, '\0');
    for (std::size_t left = content.size() / kSector; left > 0; --left) {
      table += little(left == 1 ? kEnd : ++at, 4);
    }
    ++at;
    body += content;
  }
  std::string head = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
  head.resize(0x18, '\0');
  head += little(0x3E, 2) + little(3, 2) + little(0xFFFE, 2) + little(9, 2) + little(6, 2);
  head.resize(0x2C, '\0');
  head += little(1, 4) + little(1, 4) + little(0, 4) + little(4096, 4) + little(kEnd, 4) +
          little(0, 4) + little(kEnd, 4) + little(0, 4) + little(0, 4);
  head = padded(std::move(head), kSector, '\xFF');
  return head + padded(table, kSector, '\xFF') + padded(folder, kSector, '\0') + body;
}

// The records of a workbook: formats and sheets are added, then stream() or file() has it all.
class XlsBuilder {
 public:
  struct Sheet {
    std::u16string name;
    bool visible = true;
    std::string cells = {};  // records
    std::uint8_t kind = 0;
  };

  bool dates_from_1904 = false;
  std::vector<std::u16string> strings;
  std::string more_globals;  // records

  XlsBuilder() { style(0); }

  // Returns the number of a style with a number format of the file's own, or a built-in one.
  std::uint16_t style(std::u16string_view code) {
    const std::size_t id = 164 + formats_++;
    styles_ += xls_record(0x041E, little(id, 2) + xls_text(code));
    return style(static_cast<std::uint16_t>(id));
  }
  std::uint16_t style(std::uint16_t format_id) {
    std::string data = little(0, 2) + little(format_id, 2);
    data.resize(20, '\0');
    styles_ += xls_record(0x00E0, data);
    return static_cast<std::uint16_t>(styles_count_++);
  }
  Sheet& sheet(std::u16string name) {
    sheets_.push_back({std::move(name)});
    return sheets_.back();
  }
  std::deque<Sheet>& sheets() { return sheets_; }

  static std::string place(unsigned row, unsigned column, unsigned style) {
    return little(row - 1, 2) + little(column, 2) + little(style, 2);
  }
  std::string text(unsigned row, unsigned column, std::u16string text) {
    strings.push_back(std::move(text));
    return xls_record(0x00FD, place(row, column, 0) + little(strings.size() - 1, 4));
  }
  static std::string number(unsigned row, unsigned column, double value, unsigned style = 0) {
    return xls_record(0x0203,
                      place(row, column, style) + little(std::bit_cast<std::uint64_t>(value), 8));
  }

  std::string stream() const {
    std::string shared = little(strings.size(), 4) + little(strings.size(), 4);
    for (const std::u16string& text : strings) shared += xls_text(text);
    std::string heads;
    for (const Sheet& sheet : sheets_) heads += sheet_head(sheet, 0);
    const std::string front =
        begin(5) + xls_record(0x0022, little(dates_from_1904 ? 1 : 0, 2)) + styles_ + more_globals;
    const std::string behind = xls_record(0x00FC, shared) + xls_record(0x000A, "");
    std::size_t at = front.size() + heads.size() + behind.size();
    heads.clear();
    std::string parts;
    for (const Sheet& sheet : sheets_) {
      heads += sheet_head(sheet, at + parts.size());
      parts += begin(sheet.kind == 0 ? 16 : 32) + sheet.cells + xls_record(0x000A, "");
    }
    return front + heads + behind + parts;
  }
  std::string file() const { return ole_of({{u"Workbook", stream()}}); }

  static std::string begin(std::uint16_t type) {
    return xls_record(0x0809, little(0x0600, 2) + little(type, 2) + std::string(12, '\0'));
  }

 private:
  static std::string sheet_head(const Sheet& sheet, std::size_t at) {
    return xls_record(0x0085, little(at, 4) + little(sheet.visible ? 0 : 1, 1) +
                                  little(sheet.kind, 1) + xls_text(sheet.name, 1));
  }

  std::string styles_;
  std::size_t styles_count_ = 0;
  std::size_t formats_ = 0;
  std::deque<Sheet> sheets_;  // handed out by reference
};

}  // namespace huiliu::formats::testing
