#include "connectors/postgres/server_error.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace huiliu::connectors::postgres {

using runtime::Status;

namespace {

constexpr std::size_t kCodeLength = 5;

struct Remedy {
  std::string_view code;  ///< or the class, its first two characters
  std::string_view text;
};

// The longer ones go before their class.
constexpr Remedy kRemedies[] = {
    {"28", "check `user` and `password`, and the server's pg_hba.conf"},
    {"3D000", "create the database, or correct `database`"},
    {"3F000", "create the schema, or correct `table`"},
    {"42501", "let the table's owner GRANT the right, or name another `user`"},
    {"42P01",
     "restore the table from a backup, then start again: the rows that were written into it are "
     "not written again"},
    {"42703", "add the column to the table, or leave its field out of `fields`"},
    {"23",
     "the table has a rule of its own that a row breaks: relax it, or refuse such rows before the "
     "sink"},
    {"22001", "make the column wider"},
};

/// Classes and codes of what passes by itself: connections, resources, transactions that others
/// have undone, an operator's hand, input and output; a lock, an idle transaction, a standby, a
/// fault inside the server.
constexpr std::string_view kPassing[] = {"08",    "53",    "40",    "57",   "58",
                                         "55P03", "25P03", "25006", "XX000"};

bool passes(std::string_view code) {
  if (code == "57P04") return false;  // the database was dropped
  return std::any_of(std::begin(kPassing), std::end(kPassing),
                     [code](std::string_view prefix) { return code.starts_with(prefix); });
}

bool is_code(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

}  // namespace

Status server_error(std::string_view sqlstate, const std::string& message) {
  if (sqlstate.empty() || passes(sqlstate)) return Status::unavailable(message);
  if (sqlstate == "XX001" || sqlstate == "XX002") {
    return Status::corrupt(message + ": the server's files are damaged, restore them");
  }
  for (const Remedy& remedy : kRemedies) {
    if (!sqlstate.starts_with(remedy.code)) continue;
    return Status::invalid(fmt::format("{} ({}): {}", message, sqlstate, remedy.text));
  }
  return Status::invalid(fmt::format("{} ({})", message, sqlstate));
}

std::string_view sqlstate_in(std::string_view message) {
  // As in "FATAL:  28P01: password authentication failed": two blanks stand before a code only.
  constexpr std::string_view kBefore = ":  ";
  for (std::size_t at = message.find(kBefore); at != std::string_view::npos;
       at = message.find(kBefore, at + 1)) {
    const std::size_t begin = at + kBefore.size();
    if (begin + kCodeLength >= message.size()) return {};
    const std::string_view code = message.substr(begin, kCodeLength);
    if (is_code(code) && message[begin + kCodeLength] == ':') return code;
  }
  return {};
}

std::string first_line(std::string_view message) {
  while (!message.empty() && message.back() == '\n') message.remove_suffix(1);
  const std::string_view code = sqlstate_in(message);
  if (!code.empty()) {
    const auto behind = static_cast<std::size_t>(code.data() - message.data()) + kCodeLength + 2;
    message.remove_prefix(std::min(behind, message.size()));
  }
  return std::string(message.substr(0, message.find('\n')));
}

}  // namespace huiliu::connectors::postgres
