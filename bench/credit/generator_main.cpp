// credit_generator N SEED OUT [PARTS]: the input of the "credit" workload, the same bytes for the
// same N and SEED everywhere. With PARTS > 1 a record goes to OUT.(department mod PARTS).
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/credit/record_renderer.h"
#include "bench/credit/splitmix.h"
#include "bench/credit/synthetic_record.h"

namespace huiliu::bench {
namespace {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

// The last originals, of which one in ten records is a repetition.
class ResendPool {
 public:
  bool warm() const { return records_.size() > 1000; }
  const SyntheticRecord& draw(Splitmix& random) const {
    return records_[random.below(static_cast<std::uint32_t>(records_.size()))];
  }
  void add(SyntheticRecord&& record) {
    if (records_.size() < kCapacity) {
      records_.push_back(std::move(record));
      return;
    }
    records_[oldest_] = std::move(record);
    oldest_ = (oldest_ + 1) % kCapacity;
  }

 private:
  static constexpr std::size_t kCapacity = 90000;
  std::vector<SyntheticRecord> records_;
  std::size_t oldest_ = 0;
};

struct Totals {
  std::uint64_t bytes = 0;
  std::uint64_t resent = 0;
  std::uint64_t truncated = 0;
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  // Replaces `line` by the next line; returns the department it belongs to.
  std::uint32_t next(std::uint64_t number, std::string& line) {
    line.clear();
    if (pool_.warm() && random_.percent(10)) {
      const SyntheticRecord& record = pool_.draw(random_);
      render_record(random_, record, line);
      ++totals_.resent;
      totals_.bytes += line.size();
      return record.department;
    }
    SyntheticRecord record = draw_record(random_, number);
    const std::uint32_t department = record.department;
    render_record(random_, record, line);
    if (random_.below(2000) == 0) {
      truncate(line);
    } else {
      pool_.add(std::move(record));
    }
    totals_.bytes += line.size();
    return department;
  }

  const Totals& totals() const { return totals_; }

 private:
  // Cuts between two characters, so that the line stays valid UTF-8.
  void truncate(std::string& line) {
    std::size_t cut =
        line.size() / 2 + random_.below(static_cast<std::uint32_t>(line.size() * 4 / 10));
    while ((static_cast<unsigned char>(line[cut]) & 0xC0) == 0x80) --cut;
    line.resize(cut);
    line += '\n';
    ++totals_.truncated;
  }

  Splitmix random_;
  ResendPool pool_;
  Totals totals_;
};

std::vector<File> open_parts(const std::string& path, unsigned parts) {
  std::vector<File> files;
  for (unsigned part = 0; part < parts; ++part) {
    const std::string name = parts > 1 ? path + "." + std::to_string(part) : path;
    File file(std::fopen(name.c_str(), "wb"));
    if (!file) {
      std::perror(name.c_str());
      std::exit(1);
    }
    std::setvbuf(file.get(), nullptr, _IOFBF, 1u << 20);
    files.push_back(std::move(file));
  }
  return files;
}

int generate(std::uint64_t records, std::uint64_t seed, const std::string& path, unsigned parts) {
  std::vector<File> files = open_parts(path, parts);
  Generator generator(seed);
  std::string line;
  for (std::uint64_t number = 0; number < records; ++number) {
    const std::uint32_t department = generator.next(number, line);
    std::FILE* file = files[department % parts].get();
    if (std::fwrite(line.data(), 1, line.size(), file) != line.size()) {
      std::perror(path.c_str());
      return 1;
    }
  }
  for (const File& file : files) {
    if (std::fflush(file.get()) != 0) {
      std::perror(path.c_str());
      return 1;
    }
  }
  const Totals& totals = generator.totals();
  std::fprintf(stderr, "records %llu bytes %llu resent %llu truncated %llu\n",
               static_cast<unsigned long long>(records),
               static_cast<unsigned long long>(totals.bytes),
               static_cast<unsigned long long>(totals.resent),
               static_cast<unsigned long long>(totals.truncated));
  return 0;
}

}  // namespace
}  // namespace huiliu::bench

int main(int argc, char** argv) {
  const int parts = argc > 4 ? std::atoi(argv[4]) : 1;
  if (argc < 4 || argc > 5 || parts < 1) {
    std::fprintf(stderr, "usage: credit_generator N SEED OUT [PARTS]\n");
    return 2;
  }
  return huiliu::bench::generate(std::strtoull(argv[1], nullptr, 10),
                                 std::strtoull(argv[2], nullptr, 10), argv[3],
                                 static_cast<unsigned>(parts));
}
