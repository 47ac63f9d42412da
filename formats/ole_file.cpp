#include "formats/ole_file.h"

#include <algorithm>

#include "formats/little_endian.h"

namespace huiliu::formats {
namespace {

constexpr std::size_t kHeaderBytes = 512;
constexpr std::size_t kEntryBytes = 128;
constexpr std::size_t kTableEntriesInHeader = 109;
constexpr unsigned kShortShift = 6;
constexpr std::uint64_t kMaxFolder = 8 << 20;  // 65,536 entries
constexpr std::uint64_t kMaxShort = 64 << 20;
constexpr std::uint32_t kLastRegular = 0xFFFFFFF9;  // greater numbers are marks, e.g. of an end
constexpr std::uint8_t kStream = 2;
constexpr std::uint8_t kRoot = 5;

Outcome damaged(const char* what) {
  return Outcome::failure(OutcomeCode::kCorrupt,
                          std::string("the workbook is damaged or cut short: ") + what,
                          "工作簿已损坏或不完整，请用Excel或WPS修复后另存为.xlsx再报送");
}

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return lower;
}

}  // namespace

std::uint32_t OleFile::sector_count() const {
  // Some programs leave the last sector short.
  const std::uint64_t size = std::uint64_t{1} << sector_shift_;
  const std::uint64_t sectors = bytes_.size() <= size ? 0 : (bytes_.size() - 1) / size;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(sectors, kLastRegular));
}

// Empty beyond the file's end.
std::string_view OleFile::sector(std::uint32_t number) const {
  const std::uint64_t at = (std::uint64_t{number} + 1) << sector_shift_;
  if (number > kLastRegular || at >= bytes_.size()) return {};
  return bytes_.substr(static_cast<std::size_t>(at), std::size_t{1} << sector_shift_);
}

Outcome OleFile::open(std::string_view bytes) {
  bytes_ = bytes;
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kOleSignature)) {
    return damaged("it has no whole header");
  }
  sector_shift_ = get_u16(bytes, 0x1E);
  if (sector_shift_ != 9 && sector_shift_ != 12) return damaged("its sectors have no size");
  short_limit_ = std::min<std::uint32_t>(get_u32(bytes, 0x38), 1 << 20);
  short_table_ = get_u32(bytes, 0x3C);
  if (!load_table(get_u32(bytes, 0x44))) return damaged("its table of sectors is broken");
  std::string folder;
  if (!chain(get_u32(bytes, 0x30), kMaxFolder, folder)) return damaged("its folder is broken");
  load_entries(folder);
  if (entries_.empty() || entries_[0].type != kRoot) return damaged("it has no root folder");
  list_root();
  return {};
}

// The numbers of the sectors that hold the table stand in the header and in a chain of their own.
bool OleFile::load_table(std::uint32_t first_extra) {
  next_.clear();
  const auto append = [this](std::uint32_t number) {
    if (number <= kLastRegular) next_.append(sector(number));
  };
  const std::size_t wanted = std::size_t{sector_count()} * 4;
  for (std::size_t i = 0; i < kTableEntriesInHeader; ++i) append(get_u32(bytes_, 0x4C + i * 4));
  const std::size_t last = (std::size_t{1} << sector_shift_) - 4;
  for (std::uint32_t extra = first_extra; extra <= kLastRegular && next_.size() < wanted;) {
    const std::string_view list = sector(extra);
    if (list.size() < last + 4) return false;
    const std::size_t before = next_.size();
    for (std::size_t at = 0; at < last; at += 4) append(get_u32(list, at));
    if (next_.size() == before) break;
    extra = get_u32(list, last);
  }
  return !next_.empty();
}

void OleFile::load_entries(std::string_view folder) {
  entries_.clear();
  for (std::size_t at = 0; at + kEntryBytes <= folder.size(); at += kEntryBytes) {
    const std::string_view raw = folder.substr(at, kEntryBytes);
    Entry entry;
    const std::size_t name_bytes = std::min<std::size_t>(get_u16(raw, 0x40), 64);
    for (std::size_t i = 0; i + 2 < name_bytes; i += 2) {
      const std::uint16_t unit = get_u16(raw, i);
      if (unit < 0x80) entry.name.push_back(static_cast<char>(unit));
    }
    entry.name = lower_ascii(entry.name);
    entry.type = get_u8(raw, 0x42);
    entry.left = get_u32(raw, 0x44);
    entry.right = get_u32(raw, 0x48);
    entry.child = get_u32(raw, 0x4C);
    entry.start = get_u32(raw, 0x74);
    entry.size = get_u32(raw, 0x78);
    entries_.push_back(std::move(entry));
  }
}

// A folder is a tree of entries. Workbooks within the workbook lie in folders of their own.
void OleFile::list_root() {
  root_.clear();
  std::vector<bool> seen(entries_.size());
  std::vector<std::uint32_t> waiting = {entries_[0].child};
  while (!waiting.empty()) {
    const std::uint32_t at = waiting.back();
    waiting.pop_back();
    if (at >= entries_.size() || seen[at]) continue;
    seen[at] = true;
    root_.push_back(at);
    waiting.push_back(entries_[at].left);
    waiting.push_back(entries_[at].right);
  }
}

const OleFile::Entry* OleFile::find(std::string_view name) const {
  const std::string wanted = lower_ascii(name);
  for (const std::uint32_t at : root_) {
    if (entries_[at].type == kStream && entries_[at].name == wanted) return &entries_[at];
  }
  return nullptr;
}

// Ends with the chain or when there is as much as wanted: what a file has behind it is its own
// business. False where it leads nowhere or to a sector of its own again.
bool OleFile::chain(std::uint32_t start, std::uint64_t wanted, std::string& content) const {
  content.clear();
  std::vector<bool> seen(sector_count());
  for (std::uint32_t at = start; at <= kLastRegular && content.size() < wanted;
       at = get_u32(next_, std::size_t{at} * 4)) {
    if (at >= seen.size() || seen[at] || std::size_t{at} * 4 + 4 > next_.size()) return false;
    seen[at] = true;
    content.append(sector(at));
  }
  return true;
}

bool OleFile::short_chain(const Entry& entry, std::string& content) const {
  constexpr std::size_t kBytes = std::size_t{1} << kShortShift;
  std::string next, sectors;
  content.clear();
  if (!chain(short_table_, kMaxShort, next) || !chain(entries_[0].start, kMaxShort, sectors)) {
    return false;
  }
  for (std::uint32_t at = entry.start; content.size() < entry.size;
       at = get_u32(next, std::size_t{at} * 4)) {
    const std::size_t from = std::size_t{at} << kShortShift;
    if (from >= sectors.size() || std::size_t{at} * 4 + 4 > next.size()) return false;
    content.append(sectors, from, kBytes);
  }
  return true;
}

Outcome OleFile::read(std::string_view name, std::string& content) const {
  const Entry* const entry = find(name);
  if (entry == nullptr) {
    return Outcome::failure(OutcomeCode::kNotFound, "no stream " + std::string(name));
  }
  const bool whole = entry->size < short_limit_ ? short_chain(*entry, content)
                                                : chain(entry->start, entry->size, content);
  if (!whole || content.size() < entry->size) return damaged("sectors of it are missing");
  content.resize(static_cast<std::size_t>(entry->size));
  return {};
}

}  // namespace huiliu::formats
