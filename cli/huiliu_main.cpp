#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/log.h"
#include "runtime/base/diagnostics.h"
#include "runtime/base/status.h"

namespace {

using namespace huiliu;

int run(int argc, char** argv) {
  int exit_code = cli::kSuccess;
  CLI::App app("", "huiliu");
  cli::add_commands(app, exit_code);
  try {
    app.parse(argc, argv);
    return exit_code;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? cli::kSuccess : cli::kUsage;
  } catch (const runtime::ConfigError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return cli::kUsage;
  } catch (const runtime::StatusError& error) {
    return cli::report_error(error.status());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return cli::kFailed;
  }
}

/// Whoever reads the output must not take a part of it for the whole: a disk that is full may be
/// noticed only when the last of it is written.
bool output_is_written() {
  errno = 0;
  const bool streamed = !std::cout.flush().fail();
  const bool printed = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  return streamed && printed;
}

}  // namespace

int main(int argc, char** argv) {
  cli::set_up_log(cli::LogFormat::kText, "info", "");
  const int exit_code = run(argc, argv);
  if (output_is_written()) return exit_code;
  const int why = errno;
  std::fprintf(stderr, "error: the output cannot be written%s%s\n", why == 0 ? "" : ": ",
               why == 0 ? "" : std::strerror(why));
  return exit_code == cli::kSuccess ? cli::kFailed : exit_code;
}
