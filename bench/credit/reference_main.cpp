// credit_reference INPUT OUTDIR [--simdjson]: the "credit" workload as one hand-written thread
// without recovery. It is the yardstick for the engine's CPU time per record.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/credit/credit_job.h"
#include "bench/credit/credit_line.h"
#include "bench/credit/line_parsers.h"

namespace huiliu::bench {
namespace {

constexpr std::size_t kBlockBytes = 8u << 20;  // also the longest line

// Reads in blocks, so that memory does not grow with the file. Returns the number of lines; a last
// line without '\n' counts.
template <typename Parser>
std::uint64_t run(int input, CreditJob& job) {
  const auto parser = std::make_unique<Parser>();
  std::vector<char> block(kBlockBytes + 1 + kReadAhead);
  std::uint64_t records = 0;
  const auto process = [&](char* begin, char* end) {
    CreditLine line;
    if (parser->parse(begin, end, line)) {
      job.process(line);
    } else {
      job.reject_broken_line();
    }
    ++records;
  };
  std::size_t kept = 0;
  for (;;) {
    const ssize_t got = ::read(input, block.data() + kept, kBlockBytes - kept);
    if (got <= 0) break;
    char* begin = block.data();
    char* const end = begin + kept + got;
    while (auto* newline = static_cast<char*>(
               std::memchr(begin, '\n', static_cast<std::size_t>(end - begin)))) {
      process(begin, newline);
      begin = newline + 1;
    }
    kept = static_cast<std::size_t>(end - begin);
    std::memmove(block.data(), begin, kept);
  }
  if (kept > 0) process(block.data(), block.data() + kept);
  return records;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

template <typename Parser>
int measure(const char* input_path, const std::string& output_folder) {
  const int input = ::open(input_path, O_RDONLY | O_CLOEXEC);
  if (input < 0) {
    std::perror(input_path);
    return 1;
  }
  const auto start = std::chrono::steady_clock::now();
  CreditJob job(output_folder);
  const std::uint64_t records = run<Parser>(input, job);
  job.finish();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  ::close(input);
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf("parser %s records %llu seconds %.3f records_per_s %.0f cpu_s %.3f maxrss_mib %ld\n",
              Parser::kName, static_cast<unsigned long long>(records), elapsed.count(),
              static_cast<double>(records) / elapsed.count(),
              seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss / 1024);
  return 0;
}

}  // namespace
}  // namespace huiliu::bench

int main(int argc, char** argv) {
  using namespace huiliu::bench;
  const bool simdjson = argc == 4 && std::string_view(argv[3]) == "--simdjson";
  if (argc != 3 && !simdjson) {
    std::fprintf(stderr, "usage: credit_reference INPUT OUTDIR [--simdjson]\n");
    return 2;
  }
  return simdjson ? measure<SimdjsonParser>(argv[1], argv[2])
                  : measure<RapidjsonParser>(argv[1], argv[2]);
}
