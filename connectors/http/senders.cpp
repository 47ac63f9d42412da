#include "connectors/http/senders.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <sys/stat.h>

#include "net/digest.h"

namespace huiliu::connectors {

using runtime::Result;
using runtime::Status;

namespace {

constexpr std::size_t kHexDigits = 64;

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream text(line);
  for (std::string cell; std::getline(text, cell, ',');) {
    const std::size_t first = cell.find_first_not_of(" \t\r");
    const std::size_t last = cell.find_last_not_of(" \t\r");
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
  }
  return cells;
}

bool is_hash(const std::string& text) {
  return text.size() == kHexDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool is_day(const std::string& text) {
  constexpr std::string_view kForm = "0000-00-00";
  return text.size() == kForm.size() &&
         std::equal(text.begin(), text.end(), kForm.begin(), [](char c, char form) {
           return form == '0' ? c >= '0' && c <= '9' : c == form;
         });
}

/// A name goes into origins, labels and logs.
bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= 64 && std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '/' || c == '\\';
  });
}

/// The columns of a line by their headings.
class Line {
 public:
  Line(const std::vector<std::string>& headings, std::vector<std::string> cells)
      : headings_(headings), cells_(std::move(cells)) {}
  std::string operator[](std::string_view heading) const {
    const auto found = std::find(headings_.begin(), headings_.end(), heading);
    const auto at = static_cast<std::size_t>(found - headings_.begin());
    return found == headings_.end() || at >= cells_.size() ? "" : cells_[at];
  }

 private:
  const std::vector<std::string>& headings_;
  std::vector<std::string> cells_;
};

/// What is wrong with a line; "" = nothing.
std::string read_line(const Line& line, Senders::Sender& sender) {
  sender.name = line["sender"];
  if (!is_name(sender.name)) return "`sender` is no name of 1 to 64 characters without / \\ \"";
  if (!is_hash(line["token_sha256"])) {
    return "`token_sha256` is not 64 digits of lower-case hex: printf %s TOKEN | sha256sum";
  }
  const std::string rows = line["rows_per_minute"];
  const auto read = std::from_chars(rows.data(), rows.data() + rows.size(), sender.rows_per_minute);
  if (!rows.empty() && (read.ec != std::errc() || read.ptr != rows.data() + rows.size())) {
    return fmt::format("`rows_per_minute` is no number: {}", rows);
  }
  sender.until = line["until"];
  if (!sender.until.empty() && !is_day(sender.until)) {
    return fmt::format("`until` is no day such as 2026-12-31: {}", sender.until);
  }
  return "";
}

using ByHash = std::map<std::string, Senders::Sender, std::less<>>;

Result<ByHash> parse(const std::string& path, std::istream& text) {
  constexpr std::string_view kHeadings[] = {"sender", "token_sha256", "rows_per_minute", "until"};
  ByHash found;
  std::vector<std::string> headings;
  std::string raw;
  for (int number = 1; std::getline(text, raw); ++number) {
    if (number == 1 && raw.starts_with("\xEF\xBB\xBF")) raw.erase(0, 3);
    const auto wrong = [&](const std::string& what) {
      return Status::invalid(fmt::format("{}:{}: {}", path, number, what));
    };
    const std::vector<std::string> cells = cells_of(raw);
    if (cells.empty() || cells.front().starts_with('#')) continue;
    if (headings.empty()) {
      headings = cells;
      for (const std::string& heading : headings) {
        if (std::find(std::begin(kHeadings), std::end(kHeadings), heading) == std::end(kHeadings)) {
          return wrong(
              fmt::format("there is no column '{}': they are sender, token_sha256, "
                          "rows_per_minute, until",
                          heading));
        }
      }
      continue;
    }
    const Line line(headings, cells);
    Senders::Sender sender;
    if (const std::string what = read_line(line, sender); !what.empty()) return wrong(what);
    if (!found.emplace(line["token_sha256"], sender).second) {
      return wrong("another line has the same token");
    }
  }
  if (headings.empty()) return Status::invalid(path + ": the file has no heading");
  return found;
}

}  // namespace

Status Senders::load() {
  if (path_.empty()) return Status::ok();
  struct stat now {};
  std::ifstream text(path_);
  if (!text || ::stat(path_.c_str(), &now) != 0) {
    return Status::invalid(path_ + ": the list of senders cannot be read");
  }
  seen_ = fmt::format("{} {} {}", now.st_size, now.st_mtim.tv_sec, now.st_mtim.tv_nsec);
  HUILIU_ASSIGN_OR_RETURN(by_hash_, parse(path_, text));
  return Status::ok();
}

Status Senders::look(std::int64_t now_ms) {
  constexpr std::int64_t kEveryMs = 1000;
  if (path_.empty() || now_ms - looked_ms_ < kEveryMs) return Status::ok();
  looked_ms_ = now_ms;
  struct stat now {};
  if (::stat(path_.c_str(), &now) != 0) return Status::ok();  // it is being replaced
  const std::string seen =
      fmt::format("{} {} {}", now.st_size, now.st_mtim.tv_sec, now.st_mtim.tv_nsec);
  return seen == seen_ ? Status::ok() : load();
}

std::optional<Senders::Sender> Senders::find(std::string_view authorization, bool is_local,
                                             std::string_view today) const {
  constexpr std::string_view kBearer = "Bearer ";
  if (path_.empty()) return is_local ? std::optional(Sender{.name = "local"}) : std::nullopt;
  if (!authorization.starts_with(kBearer)) return std::nullopt;
  // Who guesses learns nothing from the time that looking for a hash takes.
  const auto found = by_hash_.find(net::sha256_of(authorization.substr(kBearer.size())));
  if (found == by_hash_.end()) return std::nullopt;
  const Sender& sender = found->second;
  if (!sender.until.empty() && sender.until < today) return std::nullopt;
  return sender;
}

std::int64_t Quotas::take(const Senders::Sender& sender, std::uint64_t rows, std::int64_t now_ms) {
  constexpr double kMinuteMs = 60'000;
  if (sender.rows_per_minute == 0) return 0;
  const auto most = static_cast<double>(sender.rows_per_minute);
  const auto [found, fresh] = saved_.try_emplace(sender.name, Saved{most, now_ms});
  Saved& saved = found->second;
  saved.rows =
      std::min(most, saved.rows + most * static_cast<double>(now_ms - saved.at_ms) / kMinuteMs);
  saved.at_ms = now_ms;
  const double wanted = std::min(most, static_cast<double>(rows));
  if (saved.rows < wanted) {
    return 1 + static_cast<std::int64_t>((wanted - saved.rows) / most * kMinuteMs / 1000);
  }
  saved.rows -= static_cast<double>(rows);
  return 0;
}

}  // namespace huiliu::connectors
