#include "runtime/topology/read_folders.h"

#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <fnmatch.h>
#include <strings.h>

namespace huiliu::runtime {
namespace {

namespace fs = std::filesystem;

/// Without links and dots, also where nothing lies yet.
fs::path real(const std::string& folder, const std::string& path) {
  std::error_code error;
  const fs::path whole = fs::path(folder.empty() ? "." : folder) / path;
  fs::path found = fs::weakly_canonical(fs::absolute(whole, error), error);
  if (error) found = whole.lexically_normal();
  // A slash at the end would be an empty last part.
  return found.has_filename() ? found : found.parent_path();
}

/// The option `path` of a source or a sink that has one.
const Config* path_of(const Node& node) {
  for (const Option& option : node.descriptor->options) {
    if (option.name != "path" || option.type != OptionType::kPath) continue;
    const Config& path = (*node.config)["path"];
    return path.is_scalar() ? &path : nullptr;
  }
  return nullptr;
}

bool ends_folded(const std::string& text, const std::string& end) {
  return text.size() >= end.size() &&
         ::strcasecmp(text.c_str() + text.size() - end.size(), end.c_str()) == 0;
}

/// Whether a glob may fit a name, whose case does not count. {} stands for anything, so that only
/// what follows it can tell.
bool may_fit(const std::string& glob, const std::string& name) {
  const std::size_t open = name.rfind("{}");
  if (open == std::string::npos) {
    return ::fnmatch(glob.c_str(), name.c_str(), FNM_CASEFOLD) == 0;
  }
  const std::string ours = name.substr(open + 2);
  const std::string theirs = glob.substr(glob.find_last_of("*?]") + 1);
  return ends_folded(ours, theirs) || ends_folded(theirs, ours);
}

/// Whether the source's option `pattern`, if it has one, lets any of the names through.
bool claims(const Node& source, const fs::path& within, const std::vector<std::string>& names) {
  const Config& patterns = (*source.config)["pattern"];
  if (patterns.is_null()) return true;
  for (const std::string& glob : patterns.as_strings()) {
    for (const std::string& name : names) {
      const bool whole = glob.find('/') != std::string::npos;
      if (may_fit(glob, whole ? (within.parent_path() / name).string() : name)) return true;
    }
  }
  return false;
}

/// What is written lies at a path, or in files of these names below it.
bool reads(const Topology& topology, const Node& source, const fs::path& written,
           const std::vector<std::string>& names) {
  const Config* from = path_of(source);
  if (from == nullptr) return false;
  const fs::path root = real(topology.folder, from->text());
  if (written == root) return true;
  for (fs::path at = written; at != at.parent_path(); at = at.parent_path()) {
    if (at == root) return claims(source, written.lexically_relative(root), names);
  }
  return ::fnmatch(root.c_str(), written.c_str(), FNM_PATHNAME) == 0;
}

const Node* reader_of(const Topology& topology, const fs::path& written,
                      const std::vector<std::string>& names) {
  for (const Node& node : topology.nodes) {
    if (node.kind == ComponentKind::kSource && reads(topology, node, written, names)) return &node;
  }
  return nullptr;
}

/// Of files as they lie in a state folder.
const std::vector<std::string>& names_of_state() {
  static const std::vector<std::string> names = {
      "CURRENT",         "LOCK",       "LOG",        "IDENTITY",
      "MANIFEST-000001", "000001.log", "000001.sst", "OPTIONS-000001"};
  return names;
}

}  // namespace

const Node* reader_of_state(const Topology& topology, const std::string& folder) {
  return reader_of(topology, real(topology.folder, folder), names_of_state());
}

void check_written_paths(const Topology& topology, Diagnostics& diagnostics) {
  std::map<fs::path, std::vector<const Node*>> writers;
  for (const Node& node : topology.nodes) {
    const Config* path = node.kind == ComponentKind::kSink ? path_of(node) : nullptr;
    if (path == nullptr) continue;
    const SinkDeclaration& own = *node.sink_declaration;
    std::vector<const Node*>& others = writers[real(topology.folder, path->text())];
    for (const Node* other : others) {
      const SinkDeclaration& theirs = *other->sink_declaration;
      const bool apart = !own.part.empty() && !theirs.part.empty() && own.part != theirs.part;
      if (apart || (own.part == theirs.part && own.shares_part && theirs.shares_part)) continue;
      diagnostics.error(
          path->place(),
          fmt::format(
              "sink '{}' writes {}'{}' like sink '{}': each would destroy rows of the other",
              node.name, own.part.empty() ? "" : own.part + " of ", path->text(), other->name),
          own.part.empty() ? "give it another `path`; a sink may have several inputs"
                           : "give both `keys`, or give it another `table`");
      break;
    }
    others.push_back(&node);
  }
}

void check_read_folders(const Topology& topology, const Place& state_place,
                        Diagnostics& diagnostics) {
  const auto refuse = [&](const Place& place, const std::string& what, const Node* reader) {
    if (reader == nullptr) return;
    diagnostics.error(
        place,
        fmt::format("{} would be written where source '{}' reads: it would read its own output",
                    what, reader->name),
        fmt::format("put it outside of '{}'", (*path_of(*reader)).text()));
  };
  for (const Node& node : topology.nodes) {
    if (node.kind != ComponentKind::kSink) continue;
    const Config* path = path_of(node);
    if (path == nullptr) continue;
    const fs::path written = real(topology.folder, path->text());
    refuse(path->place(), "sink '" + node.name + "'",
           reader_of(topology, written, {written.filename().string()}));
  }
  refuse(state_place, "the state", reader_of_state(topology, topology.state_path));
}

}  // namespace huiliu::runtime
