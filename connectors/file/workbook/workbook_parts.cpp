#include "connectors/file/workbook/workbook_parts.h"

#include <fmt/format.h>

#include "codecs/files/content_hash.h"
#include "formats/encoding.h"
#include "runtime/record/row_codec.h"
#include "runtime/record/value_text.h"

namespace huiliu::connectors {

using runtime::Status;
using runtime::Value;

namespace {

constexpr std::size_t kNameBytes = 150;
constexpr std::string_view kExtension = ".xlsx";

std::string with_hash(const std::string& name, const std::string& value, std::uint64_t salt) {
  return fmt::format("{}-{:08x}", name, (codecs::hash_of_name(value) + salt) & 0xFFFFFFFFu);
}

}  // namespace

std::string workbook_name(std::string_view value) {
  std::string name(value);
  if (name.size() > kExtension.size() && name.ends_with(kExtension)) {
    name.resize(name.size() - kExtension.size());
  }
  for (char& c : name) {
    if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20) c = '_';
  }
  if (name.size() > kNameBytes) {
    // A character that the cut goes through is left out.
    name.resize(kNameBytes);
    name.resize(formats::valid_utf8_prefix(name));
    name = with_hash(name, std::string(value), 0);
  }
  return name.empty() || name.front() == '.' ? "_" + name : name;
}

std::string WorkbookParts::free_name(const std::string& value) {
  const std::string plain = workbook_name(value);
  std::string name = plain;
  // 06_x and 06_x.xlsx, a/b and a_b: the one that came first has the plain name.
  for (std::uint64_t salt = 0; !names_.insert(name).second; ++salt) {
    name = with_hash(plain, value, salt);
  }
  return name;
}

std::string WorkbookParts::key_of(const std::vector<Value>& row) {
  std::string key;
  for (const std::size_t field : layout_.key) {
    const std::string_view text = value_text(layout_.rows[field].type, row[field], scratch_);
    key += std::to_string(text.size()) + ":";
    key += text;
  }
  return key;
}

std::string WorkbookParts::value_of(const std::vector<Value>& row) {
  if (!layout_.split_by) return {};
  const std::size_t field = *layout_.split_by;
  std::string value(value_text(layout_.rows[field].type, row[field], scratch_));
  if (field == layout_.place()) value.resize(std::min(value.size(), value.rfind(':')));
  return value;
}

std::size_t WorkbookParts::part_of(const std::vector<Value>& row) {
  const std::string value = value_of(row);
  const auto [at, added] = by_value_.try_emplace(value, parts_.size());
  if (added) parts_.push_back({free_name(value), {}, false});
  return at->second;
}

bool WorkbookParts::counts(std::uint64_t offset, const std::vector<Value>& row) {
  if (layout_.key.empty()) return true;
  return newest_.at(key_of(row)).offset == offset && !layout_.delete_when.holds(row.data());
}

Status WorkbookParts::scan(std::string_view spool, std::uint64_t shown) {
  std::string_view rest = spool.substr(std::min<std::size_t>(scanned_, spool.size()));
  while (!rest.empty()) {
    const std::uint64_t offset = spool.size() - rest.size();
    if (!runtime::take_row(layout_.rows, rest, row_)) {
      return Status::corrupt(fmt::format("the spooled row at {} cannot be read", offset));
    }
    const std::size_t part = part_of(row_);
    parts_[part].rows.push_back(offset);
    parts_[part].dirty = parts_[part].dirty || offset >= shown;
    if (!layout_.key.empty()) {
      const auto [at, added] = newest_.try_emplace(key_of(row_), Newest{offset, part});
      // The row that it replaces leaves its workbook.
      if (!added && offset >= shown) parts_[at->second.part].dirty = true;
      at->second = {offset, part};
    }
    scanned_ = spool.size() - rest.size();
  }
  return Status::ok();
}

}  // namespace huiliu::connectors
