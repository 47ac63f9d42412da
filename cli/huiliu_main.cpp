#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "runtime/base/diagnostics.h"
#include "runtime/base/status.h"

int main(int argc, char** argv) {
  using namespace huiliu;
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
