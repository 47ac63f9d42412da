#include "connectors/file/file_reports.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "codecs/files/content_hash.h"
#include "runtime/base/failpoint.h"

namespace huiliu::connectors {
namespace {

constexpr std::string_view kLeft = "left:", kAgain = "again:", kUnclaimed = "unclaimed:";

}  // namespace

void FileReports::open(const runtime::SourceContext& context) {
  context_ = context;
  waiting_.clear();
  said_.clear();
  with_next_.clear();
  for (const auto& [key, value] : context.positions) {
    for (const std::string_view prefix : {kLeft, kAgain, kUnclaimed}) {
      if (key.starts_with(prefix)) said_[key] = value;
    }
  }
}

void FileReports::say_once(const std::string& mark, const std::string& value, Report report) {
  auto& said = said_[mark];
  if (said == value) return;
  said = value;
  report.id = mark + value;
  report.positions.emplace_back(mark, value);
  waiting_.push_back(std::move(report));
}

void FileReports::left_out(const std::string& name, const codecs::FileProblem& why, bool later) {
  if (auto& logged = logged_[name]; logged != why.en) {
    logged = why.en;
    spdlog::warn("{}: {} is left out: {}", context_.node_name, name, why.en);
  }
  if (context_.left_out) context_.left_out(name, why.en);
  if (later) return;
  say_once(std::string(kLeft) + name, why.en,
           {.name = name,
            .code = "E808_NOT_READ",
            .text = {"the file or folder is left out: " + why.en, "未读取：" + why.zh},
            .id = {},
            .positions = {}});
}

void FileReports::is_read(const std::string& name) {
  logged_.erase(name);
  if (context_.left_out) context_.left_out(name, "");
  const std::string mark = std::string(kLeft) + name;
  if (said_.erase(mark) > 0) also(name, mark, "");
}

bool FileReports::was_delivered_again(const std::string& name, const std::string& stamp) const {
  const auto said = said_.find(std::string(kAgain) + name);
  return said != said_.end() && said->second == stamp;
}

void FileReports::delivered_again(const std::string& name, const std::string& as,
                                  const std::string& stamp) {
  spdlog::warn("{}: {} was delivered again: the same content as {}; it is not read again",
               context_.node_name, name, as);
  say_once(std::string(kAgain) + name, stamp,
           {.name = name,
            .code = "E809_DELIVERED_AGAIN",
            .text = {fmt::format("the file has the same content as {}, which was read; it is not "
                                 "read again",
                                 as),
                     fmt::format("文件内容与已读取的{}相同，不再读取", as)},
            .id = {},
            .positions = {}});
}

void FileReports::unclaimed(const std::string& name) {
  if (auto& logged = logged_[name]; logged.empty()) {
    logged = "unclaimed";
    spdlog::warn("{}: {} is left out: no `pattern` fits its name", context_.node_name, name);
  }
  if (options_.unclaimed != codecs::Unclaimed::kReject) return;
  say_once(std::string(kUnclaimed) + name, "said",
           {.name = name,
            .code = "E810_UNCLAIMED_FILE",
            .text = {"the file is not read: its name does not say what it holds; name it as agreed",
                     "未读取：文件名不能说明其内容，请按约定的名称报送"},
            .id = {},
            .positions = {}});
}

void FileReports::half_row(const std::string& name, std::string_view rest, std::uint64_t row,
                           const std::string& id, std::vector<runtime::PositionChange> positions) {
  waiting_.push_back(
      {.name = name,
       .code = "E813_HALF_ROW",
       .text = {fmt::format("the row was read before its end was written; behind it came: {}; send "
                            "the whole row again",
                            rest),
                fmt::format("该行在写完之前已被读取，其后又写入：{}；请重新报送整行", rest)},
       .row = row,
       .id = id,
       .positions = std::move(positions)});
}

void FileReports::give_with(runtime::Slice& slice) {
  slice.positions.insert(slice.positions.end(), with_next_.begin(), with_next_.end());
  with_next_.clear();
}

bool FileReports::give_rest(runtime::Slice& slice) {
  if (with_next_.empty()) return false;
  slice.bytes.clear();
  slice.format = static_cast<std::uint32_t>(codecs::SliceFormat::kNdjson);
  slice.partition = context_.intern(with_next_name_);
  slice.partition_hash = codecs::hash_of_name(with_next_name_);
  slice.detail = codecs::make_layout(options_, with_next_name_);
  give_with(slice);
  return true;
}

bool FileReports::give(runtime::Slice& slice) {
  if (waiting_.empty()) return false;
  Report report = std::move(waiting_.front());
  waiting_.pop_front();
  slice.format = static_cast<std::uint32_t>(codecs::SliceFormat::kProblem);
  slice.bytes = codecs::problem_bytes(report.code, report.text);
  slice.partition = context_.intern(report.name);
  slice.partition_hash = codecs::hash_of_name(report.id);
  slice.first_offset = report.row;
  slice.detail = codecs::make_layout(options_, report.name);
  give_with(slice);
  if (runtime::mutant("file.report_unsaved")) return true;
  slice.positions.insert(slice.positions.end(), report.positions.begin(), report.positions.end());
  return true;
}

}  // namespace huiliu::connectors
