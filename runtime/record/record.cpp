#include "runtime/record/record.h"

#include <string_view>

namespace huiliu::runtime {
namespace {

/// Where "FILE#SHEET" is cut; npos if the partition is no sheet of a workbook.
std::size_t sheet_mark(std::string_view partition) {
  const std::size_t mark = partition.rfind('#');
  if (mark == std::string_view::npos) return mark;
  const std::size_t dot = partition.substr(0, mark).rfind('.');
  if (dot == std::string_view::npos) return dot;
  std::string extension(partition.substr(dot, mark - dot));
  for (char& c : extension) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return extension == ".xlsx" || extension == ".xls" ? mark : std::string_view::npos;
}

}  // namespace

std::string origin_text(const Origin& origin) {
  if (origin.partition == nullptr) return {};
  std::string text = *origin.partition;
  if (const std::size_t mark = sheet_mark(text); mark != std::string::npos) text[mark] = ':';
  // The partitions of a log are named like "topic[3]", as the header huiliu.origin has them.
  text += text.ends_with(']') ? '@' : ':';
  return text + std::to_string(origin.offset);
}

}  // namespace huiliu::runtime
