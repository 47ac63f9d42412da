#include "service/state/state_folder.h"

#include <filesystem>

#include <fmt/format.h>

#include "runtime/base/stored_number.h"
#include "runtime/topology/state_layout.h"
#include "state/embedded_backend.h"

namespace huiliu::service {

using runtime::Status;

namespace {

std::vector<std::uint16_t> parse_shards(const std::string& list) {
  std::vector<std::uint16_t> shards;
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    shards.push_back(runtime::stored_number<std::uint16_t>(
        std::string_view(list).substr(at, comma - at), "shards"));
    at = comma + 1;
  }
  return shards;
}

}  // namespace

std::string state_folder_of(const runtime::Topology& topology, const std::string& given) {
  if (!given.empty()) return given;
  return (std::filesystem::path(topology.folder) / topology.state_path).string();
}

Status open_state(const runtime::Topology& topology, const std::string& folder, OpenState& state) {
  auto reader = state::Reader::open(folder, state.scratch.path().string());
  if (!reader.is_ok()) return reader.status();
  state.reader = std::move(reader.value());
  const std::string identity = state.reader->identity();
  if (identity.empty()) return Status::not_found("there is no state in " + folder + " yet");
  const std::string expected = state::store_options(runtime::state_needs(topology)).identity;
  if (identity != expected && !identity.starts_with(expected + " ")) {
    return Status::invalid(fmt::format("the state in {} belongs to '{}', the topology is '{}'",
                                       folder, identity, expected));
  }
  state.held = topology.all_shards();
  if (!identity.ends_with(" backend=kafka")) return Status::ok();
  const auto whole = state.reader->meta("kafka/whole");
  if (whole.empty()) {
    return Status::unavailable(
        fmt::format("the state in {} is a copy that was not brought up to date: its worker is "
                    "restoring it, or ended while it did. Try again when the worker runs",
                    folder));
  }
  if (whole.front().second != "all") {
    state.shared = true;
    state.held = parse_shards(whole.front().second);
  }
  return Status::ok();
}

}  // namespace huiliu::service
