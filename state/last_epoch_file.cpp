#include "state/last_epoch_file.h"

#include <charconv>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace huiliu::state {

namespace {
constexpr std::size_t kDigits = 20;

std::uint64_t read_epoch(int fd) {
  char digits[kDigits] = {};
  if (fd < 0 || ::pread(fd, digits, sizeof digits, 0) != kDigits) return 0;
  std::uint64_t epoch = 0;
  const auto [end, error] = std::from_chars(digits, digits + kDigits, epoch);
  return error == std::errc() && end == digits + kDigits ? epoch : 0;
}
}  // namespace

LastEpochFile::LastEpochFile(const std::string& folder)
    : fd_(::open((folder + "/" + kName).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {}

LastEpochFile::~LastEpochFile() {
  if (fd_ >= 0) ::close(fd_);
}

std::uint64_t LastEpochFile::look(const std::string& folder) {
  const int fd = ::open((folder + "/" + kName).c_str(), O_RDONLY | O_CLOEXEC);
  const std::uint64_t epoch = read_epoch(fd);
  if (fd >= 0) ::close(fd);
  return epoch;
}

std::uint64_t LastEpochFile::read() const { return read_epoch(fd_); }

void LastEpochFile::write(std::uint64_t epoch) {
  const std::string digits = fmt::format("{:020}\n", epoch);
  if (fd_ >= 0) [[maybe_unused]]
    const auto written = ::pwrite(fd_, digits.data(), digits.size(), 0);
}

}  // namespace huiliu::state
