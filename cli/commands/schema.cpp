#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/topology_loading.h"
#include "runtime/component/registry.h"
#include "service/json_schema.h"
#include "service/message_schema.h"

namespace huiliu::cli {
namespace {

struct Options {
  std::string path, stream, messages;
  std::vector<std::string> libraries;
  bool topology = false;
};

std::string_view flatbuffers_type(runtime::Type type) {
  switch (type) {
    case runtime::Type::kBool:
      return "bool";
    case runtime::Type::kInt64:
    case runtime::Type::kTimestamp:
      return "long";
    case runtime::Type::kDate:
      return "int";
    case runtime::Type::kFloat64:
      return "double";
    case runtime::Type::kBytes:
      return "[ubyte]";
    default:
      return "string";
  }
}

std::string fbs(const std::string& topology_id, const runtime::Schema& schema) {
  std::string out = fmt::format("// A stream of topology {}.\ntable Record {{\n", topology_id);
  for (const runtime::Field& field : schema.fields()) {
    const bool text = is_text(field.type);
    out += fmt::format("  {}:{}{};  // {}\n", field.name, flatbuffers_type(field.type),
                       text ? "" : " = null", type_name(field.type));
  }
  return out + "}\nroot_type Record;\n";
}

int print_stream(const Options& options) {
  const auto topology = load_checked(options.path);
  if (!topology) return kUsage;
  std::vector<std::string> names;
  for (const runtime::Node& node : topology->nodes) {
    for (std::size_t port = 0; port < node.outputs.size(); ++port) {
      names.push_back(node.stream_name(port));
      if (names.back() != options.stream) continue;
      std::fputs(fbs(topology->id, node.outputs[port].schema).c_str(), stdout);
      return kSuccess;
    }
  }
  if (options.stream.empty()) {
    for (const std::string& name : names) std::printf("%s\n", name.c_str());
    return kSuccess;
  }
  fmt::print(stderr, "error: there is no stream '{}' {}\n", options.stream,
             runtime::nearest_hint(options.stream, names));
  return kUsage;
}

int print_messages(const Options& options) {
  const auto topology = load_checked(options.path);
  if (!topology) return kUsage;
  std::vector<std::string> names;
  for (const runtime::Node& node : topology->nodes) {
    if (!service::has_message_schema(node)) continue;
    names.push_back(node.name);
    if (node.name != options.messages) continue;
    std::fputs(service::message_schema(*topology, node).c_str(), stdout);
    return kSuccess;
  }
  fmt::print(stderr, "error: there is no sink '{}' with messages in JSON {}\n", options.messages,
             runtime::nearest_hint(options.messages, names));
  return kUsage;
}

int print_json_schema(const Options& options) {
  const auto registry = registry_with(options.libraries);
  if (!registry) return kUsage;
  std::fputs(service::topology_json_schema(*registry).c_str(), stdout);
  return kSuccess;
}

}  // namespace

void add_schema(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "schema",
      "Prints a stream's FlatBuffers schema, or the JSON Schema of topology files or of messages.");
  command->footer(
      "Examples:\n  huiliu schema topologies/credit/topology.yaml            # lists the streams\n"
      "  huiliu schema topologies/credit/topology.yaml acts\n"
      "  KAFKA=broker:9092 huiliu schema topologies/credit/kafka.yaml --messages legal\n"
      "  huiliu schema --topology > topology.schema.json          # for editors");
  command->add_option("file", options->path, "topology file");
  command->add_option("stream", options->stream, "name or name.port");
  auto* topology =
      command->add_flag("--topology", options->topology, "JSON Schema of the topology file");
  command
      ->add_option("--messages", options->messages,
                   "JSON Schema of what this sink of type kafka or file writes in JSON")
      ->excludes(topology);
  command->add_option("--library", options->libraries, "shared library whose types to include")
      ->needs(topology);
  command->callback([options, &exit_code] {
    if (options->topology) {
      exit_code = print_json_schema(*options);
    } else if (options->path.empty()) {
      std::fputs("error: give a topology file, or --topology\n", stderr);
      exit_code = kUsage;
    } else if (!options->messages.empty()) {
      exit_code = print_messages(*options);
    } else {
      exit_code = print_stream(*options);
    }
  });
}

}  // namespace huiliu::cli
