#pragma once

#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/component/operator.h"
#include "runtime/component/outputs.h"
#include "runtime/component/sink.h"
#include "runtime/component/source.h"

namespace huiliu::connectors::testing {

/// A folder that lives as long as the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "huiliu-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string path(const std::string& name = "") const { return path_ + "/" + name; }
  void write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << content;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

 private:
  std::string path_;
};

inline runtime::Config config_of(const std::string& text) {
  runtime::Diagnostics diagnostics;
  runtime::Config config = runtime::parse_config(text, "test.yaml", diagnostics);
  EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
  return config;
}

/// Calls a function for every record.
class Collector final : public runtime::Operator {
 public:
  std::function<void(const runtime::Record&)> on_record;
  void process(std::size_t /*input*/, runtime::Record& record, runtime::Outputs& out) override {
    on_record(record);
    out.absorb(record);
  }
};

using Positions = std::vector<std::pair<std::string, std::string>>;

inline void merge(Positions& into, const Positions& changes) {
  for (const auto& [key, value] : changes) {
    std::erase_if(into, [&](const auto& entry) { return entry.first == key; });
    if (!value.empty()) into.emplace_back(key, value);
  }
}

}  // namespace huiliu::connectors::testing
