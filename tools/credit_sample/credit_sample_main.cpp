// credit_sample --seed N --rows N --out DIR [--small]: invented files of Longyan departments for
// the credit topology, with the expected outcome of every row. See README.md.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string_view>

#include "tools/credit_sample/sample_generator.h"

namespace {

bool parse(int argc, char** argv, huiliu::tools::SampleOptions& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--small") {
      options.small = true;
    } else if (i + 1 == argc) {
      return false;
    } else if (option == "--seed") {
      options.seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (option == "--rows") {
      options.rows = std::strtoull(argv[++i], nullptr, 10);
    } else if (option == "--out") {
      options.folder = argv[++i];
    } else {
      return false;
    }
  }
  return !options.folder.empty();
}

}  // namespace

int main(int argc, char** argv) {
  huiliu::tools::SampleOptions options;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr, "usage: credit_sample --seed N --rows N --out DIR [--small]\n");
    return 2;
  }
  try {
    std::filesystem::create_directories(options.folder);
    const std::size_t rows = huiliu::tools::SampleGenerator(options).run();
    std::printf("%zu rows in %s\n", rows, options.folder.c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "credit_sample: %s\n", error.what());
    return 1;
  }
  return 0;
}
