#include "connectors/file/file_listing.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <set>

#include <dirent.h>
#include <fmt/format.h>
#include <fnmatch.h>
#include <glob.h>
#include <sys/stat.h>

namespace huiliu::connectors {
namespace {

namespace fs = std::filesystem;

/// Names that programs give to what they have not fetched whole.
constexpr std::string_view kInTransfer[] = {".part",       ".tmp",     ".filepart",
                                            ".crdownload", ".partial", ".download"};

std::string_view ending_in_transfer(std::string_view name) {
  for (const std::string_view ending : kInTransfer) {
    if (name.ends_with(ending)) return ending;
  }
  return {};
}

FoundFile file_of(const std::string& path, const struct stat& info) {
  return {path,
          static_cast<std::int64_t>(info.st_size),
          std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec,
          std::int64_t{info.st_ctim.tv_sec} * 1'000'000'000 + info.st_ctim.tv_nsec,
          info.st_dev,
          info.st_ino};
}

codecs::FileProblem kind_of(mode_t mode) {
  if (S_ISFIFO(mode))
    return {"a pipe, which cannot be read again after a crash", "是管道，不能重读"};
  if (S_ISSOCK(mode)) return {"a socket, no file", "是套接字，不是文件"};
  if (S_ISDIR(mode)) {
    return {"a folder, where the glob's files are expected; name the folder itself",
            "是文件夹，而此处应为文件，请直接指定该文件夹"};
  }
  return {"a device, no file", "是设备，不是文件"};
}

class Lister {
 public:
  Lister(const std::string& path, const codecs::FileOptions& options)
      : root_(path), options_(options) {}

  Listing list() {
    struct stat info {};
    if (::stat(root_.c_str(), &info) == 0) {
      S_ISDIR(info.st_mode) ? walk(root_, info) : add_named(root_);
    } else if (root_.find_first_of("*?[") != std::string::npos) {
      expand();
    } else {
      result_.missing = problem_of(errno);
    }
    // What lies in the folder itself keeps its own name, wherever a link to it lies.
    while (!links_.empty()) {
      const auto [path, name] = links_.front();
      links_.pop_front();
      take(path, name);
    }
    const auto by_path = [](const auto& a, const auto& b) { return a.path < b.path; };
    std::sort(result_.files.begin(), result_.files.end(), by_path);
    std::sort(result_.left_out.begin(), result_.left_out.end(), by_path);
    std::sort(result_.not_yet.begin(), result_.not_yet.end(), by_path);
    std::sort(result_.unclaimed.begin(), result_.unclaimed.end());
    return std::move(result_);
  }

 private:
  void expand() {
    glob_t found{};
    const int code = ::glob(root_.c_str(), 0, nullptr, &found);
    for (std::size_t i = 0; code == 0 && i < found.gl_pathc; ++i) add_named(found.gl_pathv[i]);
    ::globfree(&found);
    if (code == GLOB_NOMATCH)
      result_.missing = codecs::FileProblem{"no file matches", "没有匹配的文件"};
    if (code == GLOB_ABORTED) result_.missing = problem_of(errno);
  }

  /// What the path or the glob itself names, whatever the patterns say.
  void add_named(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return leave_out(path, problem_of(errno));
    if (!S_ISREG(info.st_mode)) return leave_out(path, kind_of(info.st_mode));
    add(path, info);
  }

  void walk(const std::string& folder, const struct stat& info) {
    // A link may lead back to where it lies.
    if (!folders_.emplace(info.st_dev, info.st_ino).second) return;
    DIR* const open = ::opendir(folder.c_str());
    if (open == nullptr) return leave_out(folder, problem_of(errno));
    std::vector<std::pair<std::string, bool>> names;
    errno = 0;
    while (const dirent* entry = ::readdir(open)) {
      if (entry->d_name[0] != '.') names.emplace_back(entry->d_name, entry->d_type == DT_LNK);
      errno = 0;
    }
    const int error = errno;
    ::closedir(open);
    std::sort(names.begin(), names.end());
    for (const auto& [name, is_link] : names) {
      const std::string path = folder + "/" + name;
      is_link ? void(links_.emplace_back(path, name)) : take(path, name);
    }
    if (error != 0) leave_out(folder, problem_of(error));
  }

  void take(const std::string& path, const std::string& name) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
      const int error = errno;
      struct stat link {};
      const bool dangling = ::lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode);
      // A name that was listed and is gone was taken away in time: nobody counts on it.
      if (error == ENOENT && !dangling) return;
      if (!claims(path, name)) return;
      return leave_out(path, error == ENOENT ? codecs::FileProblem{"a link that leads to nothing",
                                                                   "是无效的链接"}
                                             : problem_of(error));
    }
    if (S_ISDIR(info.st_mode)) return walk(path, info);
    if (is_marker(name) || fits(options_.ignored, path, name)) return;
    // A copy in transfer is judged by the name that it will have.
    const std::size_t ending = ending_in_transfer(name).size();
    if (!claims(path, name) && (ending == 0 || !claims(path.substr(0, path.size() - ending),
                                                       name.substr(0, name.size() - ending)))) {
      result_.unclaimed.push_back(path);
      return;
    }
    if (!S_ISREG(info.st_mode)) return leave_out(path, kind_of(info.st_mode));
    add(path, info);
  }

  void add(const std::string& path, const struct stat& info) {
    if (const std::string_view ending = ending_in_transfer(path); !ending.empty()) {
      result_.not_yet.push_back({path,
                                 {fmt::format("its name ends with {}: a copy in transfer", ending),
                                  fmt::format("文件名以{}结尾，正在传输", ending)}});
      return;
    }
    struct stat marker {};
    if (!options_.marker.empty() && ::stat((path + options_.marker).c_str(), &marker) != 0) {
      result_.not_yet.push_back({path,
                                 {fmt::format("its marker {} is not there yet", options_.marker),
                                  fmt::format("尚无完成标志文件{}", options_.marker)}});
      return;
    }
    struct stat link {};
    const bool is_link = ::lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode);
    if (!files_.emplace(info.st_dev, info.st_ino).second && is_link) return;
    result_.files.push_back(file_of(path, info));
  }

  bool is_marker(const std::string& name) const {
    return !options_.marker.empty() && name.ends_with(options_.marker);
  }

  bool claims(const std::string& path, const std::string& name) const {
    return options_.patterns.empty() || fits(options_.patterns, path, name);
  }

  /// A glob with a slash is for the path within the folder. Case does not count: programs of
  /// Windows write A.XLSX for what others call a.xlsx.
  bool fits(const std::vector<std::string>& globs, const std::string& path,
            const std::string& name) const {
    if (globs.empty()) return false;
    const std::string within = path.substr(std::min(root_.size() + 1, path.size()));
    return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
      const std::string& subject = glob.find('/') == std::string::npos ? name : within;
      return ::fnmatch(glob.c_str(), subject.c_str(), FNM_CASEFOLD) == 0;
    });
  }

  void leave_out(const std::string& path, codecs::FileProblem why) {
    result_.left_out.push_back({path, std::move(why)});
  }

  std::string root_;
  const codecs::FileOptions& options_;
  std::set<std::pair<dev_t, ino_t>> folders_, files_;
  std::deque<std::pair<std::string, std::string>> links_;  ///< path, name; looked at last
  Listing result_;
};

}  // namespace

Listing list_files(const std::string& path, const codecs::FileOptions& options) {
  std::string root = path;
  while (root.size() > 1 && root.ends_with('/')) root.pop_back();
  return Lister(root, options).list();
}

std::string root_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) {
    return S_ISDIR(info.st_mode) ? path : fs::path(path).parent_path().string();
  }
  return fs::path(path.substr(0, path.find_first_of("*?["))).parent_path().string();
}

std::optional<FoundFile> file_of(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return std::nullopt;
  return file_of(path, info);
}

codecs::FileProblem problem_of(int error) {
  if (error == EACCES || error == EPERM) {
    return {"the system does not allow reading it", "没有读取权限"};
  }
  if (error == ELOOP) return {"a link that leads to itself", "是指向自身的链接"};
  if (error == ENOENT) return {"it is gone, or was never there", "文件不存在或已被移走"};
  return {std::strerror(error), fmt::format("无法读取（{}）", std::strerror(error))};
}

}  // namespace huiliu::connectors
