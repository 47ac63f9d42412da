#include "connectors/http/dead_letters.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <rapidjson/document.h>
#include <unistd.h>

#include "codecs/json_text.h"
#include "runtime/base/paths.h"

namespace huiliu::connectors {

using runtime::Status;

namespace {

std::string id_of(std::string_view batch, std::size_t index) {
  return fmt::format("{} {}", index, batch);
}

}  // namespace

DeadLetters::~DeadLetters() { close(); }

void DeadLetters::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Status DeadLetters::failed(const char* what) const {
  return Status::unavailable(
      fmt::format("dead_letters '{}': {}: {}", path_, what, std::strerror(errno)));
}

Status DeadLetters::open(const std::string& path, std::uint64_t delivered) {
  close();
  known_.clear();
  path_ = path;
  if (Status made = runtime::make_folder_of(path); !made.is_ok()) return made;
  if (Status read = learn(delivered); !read.is_ok()) return read;
  // Only its owner may read what the rows hold.
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) return failed("it cannot be opened");
  if (::ftruncate(fd_, static_cast<off_t>(length_)) != 0) return failed("it cannot be cut");
  dirty_ = true;
  if (Status status = sync(); !status.is_ok()) return status;
  // The name of a new file is not on disk before its folder is.
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const int folder = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY);
  const bool synced = folder >= 0 && ::fsync(folder) == 0;
  if (folder >= 0) ::close(folder);
  return synced ? Status::ok() : failed("its folder cannot be synced");
}

Status DeadLetters::learn(std::uint64_t delivered) {
  length_ = 0;
  std::ifstream in(path_, std::ios::binary);
  for (std::string line; std::getline(in, line) && !in.eof();) {
    length_ += line.size() + 1;
    rapidjson::Document letter;
    letter.Parse<rapidjson::kParseIterativeFlag>(line.data(), line.size());
    if (letter.HasParseError() || !letter.IsObject()) continue;
    const auto sequence = letter.FindMember("sequence"), batch = letter.FindMember("batch"),
               index = letter.FindMember("index");
    const auto end = letter.MemberEnd();
    if (sequence == end || batch == end || index == end || !sequence->value.IsUint64() ||
        !batch->value.IsString() || !index->value.IsUint64()) {
      continue;
    }
    if (sequence->value.GetUint64() <= delivered) continue;
    known_.insert(id_of(batch->value.GetString(), index->value.GetUint64()));
  }
  return Status::ok();
}

Status DeadLetters::add(const DeadLetter& letter, std::int64_t now_ms, bool& added) {
  added = known_.insert(id_of(letter.batch, letter.index)).second;
  if (!added) return Status::ok();
  std::string line =
      fmt::format("{{\"time\":{},\"sequence\":{},\"batch\":", now_ms, letter.sequence);
  codecs::append_json_string(letter.batch, line);
  line += fmt::format(",\"index\":{},\"code\":", letter.index);
  codecs::append_json_string(letter.code, line);
  line += ",\"message\":";
  codecs::append_json_string(letter.message, line);
  line += ",\"row\":";
  line += letter.row;
  line += "}\n";
  // Written in one place, so that half a line of a try that failed is written over.
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t wrote =
        ::pwrite(fd_, line.data() + done, line.size() - done, static_cast<off_t>(length_ + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      known_.erase(id_of(letter.batch, letter.index));
      added = false;
      return failed("it cannot be written");
    }
    done += static_cast<std::size_t>(wrote);
  }
  length_ += line.size();
  dirty_ = true;
  return Status::ok();
}

Status DeadLetters::sync() {
  if (!dirty_) return Status::ok();
  if (::fdatasync(fd_) != 0) {
    // What the disk kept of it is not known, and a second sync would not tell: the next start reads
    // the file again.
    return Status::failed(
        fmt::format("dead_letters '{}': it cannot be synced: {}", path_, std::strerror(errno)));
  }
  dirty_ = false;
  return Status::ok();
}

}  // namespace huiliu::connectors
