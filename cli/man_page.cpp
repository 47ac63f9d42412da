#include "cli/man_page.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "runtime/base/version.h"
#include "runtime/topology/topology.h"

namespace huiliu::cli {
namespace {

/// Text that man shows as it is: a full stop or an apostrophe at the start of a line would be a
/// request, a backslash an escape, and a hyphen could not be copied as the minus of an option.
std::string plain(const std::string& text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string as_typed(const std::string& text) { return ".nf\n" + plain(text) + "\n.fi\n"; }

std::string item(const std::string& name, const std::string& text) {
  return fmt::format(".TP\n\\fB{}\\fR\n{}\n", plain(name), plain(text));
}

std::string option_name(const CLI::Option& option) {
  if (option.nonpositional()) {
    const std::string type = option.get_type_name();
    return option.get_name(false, true) + (type.empty() ? "" : " " + type);
  }
  return option.get_name(true);
}

void add_command(const CLI::App& command, std::string& out) {
  out += fmt::format(".SS huiliu {}\n{}\n", plain(command.get_name()),
                     plain(command.get_description()));
  for (const CLI::Option* option : command.get_options()) {
    out += item(option_name(*option), option->get_description());
  }
  if (!command.get_footer().empty()) out += ".PP\n" + as_typed(command.get_footer());
}

}  // namespace

std::string man_page(const CLI::App& app, const runtime::Registry& registry) {
  std::string out = fmt::format(
      ".TH HUILIU 1 \"\" \"huiliu {}\" \"User Commands\"\n.SH NAME\n"
      "huiliu \\- runs stream topologies\n.SH SYNOPSIS\n\\fBhuiliu\\fR \\fICOMMAND\\fR "
      "[\\fIOPTION\\fR]...\n.SH DESCRIPTION\n{}\n.PP\n",
      plain(runtime::kVersion), plain(app.get_description()));
  out += as_typed(app.get_footer()) + ".SH COMMANDS\n";
  for (const CLI::App* command : app.get_subcommands({})) add_command(*command, out);
  out += ".SH TOPOLOGY FILE\n";
  for (const runtime::Option& option : runtime::topology_options()) {
    out += item(option.name, option.doc);
  }
  out += ".SH TYPES\n" + plain("`huiliu describe KIND NAME` shows the options of one.") + "\n";
  for (const auto kind : runtime::kAllKinds) {
    out += fmt::format(".SS {}s\n", kind_name(kind));
    for (const auto* descriptor : registry.descriptors(kind)) {
      out += item(descriptor->name, descriptor->summary);
    }
  }
  return out;
}

}  // namespace huiliu::cli
