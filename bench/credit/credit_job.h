#pragma once

#include <cstdint>
#include <string>

#include "bench/credit/credit_line.h"
#include "bench/credit/output_file.h"
#include "bench/credit/seen_keys.h"
#include "bench/credit/window_counts.h"

namespace huiliu::bench {

// The steps of ../shared/bench/WORKLOAD.md after parsing, with the four output files. No recovery.
class CreditJob {
 public:
  explicit CreditJob(const std::string& output_folder);

  void reject_broken_line();
  void process(CreditLine& line);
  void finish();

 private:
  void reject(const CreditLine& line, std::string_view reason);
  std::string_view cleanse(CreditLine& line);
  bool is_new(const CreditLine& line);

  OutputFile legal_;
  OutputFile natural_;
  OutputFile rejects_;
  OutputFile windows_file_;
  SeenKeys seen_;
  WindowCounts windows_;
  std::string id_;
  std::string name_;
  std::string code_;
  std::string doc_name_;
  std::string key_;
};

}  // namespace huiliu::bench
