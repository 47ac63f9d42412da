#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/diagnostics.h"
#include "runtime/component/config.h"

namespace huiliu::runtime {

enum class OptionType {
  kString,
  kInt,
  kFloat,
  kBool,
  kDuration,
  kSize,
  kEnum,    ///< one of `choices`
  kField,   ///< name of a field of the input stream
  kPath,    ///< file or folder, relative to the topology file
  kList,    ///< list of `element`; a scalar counts as a list of one
  kMap,     ///< free keys, values are `element`
  kObject,  ///< keys are `members`
  kAny,     ///< checked by the component itself
};

/// One option of a component: what the config check, the reference page and the JSON Schema say.
struct Option {
  std::string name;
  OptionType type = OptionType::kString;
  std::string doc;
  bool required = false;
  std::string default_text = {};          ///< as one would write it; empty = none
  std::vector<std::string> choices = {};  ///< kEnum; kInt, kFloat: words besides numbers
  std::optional<double> minimum = {};
  std::optional<double> maximum = {};
  std::string formerly = {};  ///< the name that the option had before; it is an error that names it
  std::vector<Option> members = {};  ///< kObject: its keys; kList/kMap: exactly one, the element
};

enum class ComponentKind { kSource, kOperator, kSink, kBackend };
inline constexpr ComponentKind kAllKinds[] = {ComponentKind::kSource, ComponentKind::kOperator,
                                              ComponentKind::kSink, ComponentKind::kBackend};
std::string_view kind_name(ComponentKind kind);

struct PortDescriptor {
  std::string name;  ///< "" is the main output
  std::string doc;
};

/// What an operator makes of records that take back earlier ones (Record::change).
enum class Changes {
  kRefused,   ///< it would take them for new ones, so `validate` says that they must not reach it
  kPassedOn,  ///< what it makes of a record depends on that record only, and keeps its change
  kTaken,     ///< it takes back what it made of the earlier record
};

/// One of several inputs that differ.
struct InputDescriptor {
  std::string name;  ///< for messages and docs
  std::string doc;
  Changes changes = Changes::kRefused;
  /// What is there of it is read before the other inputs: those look up what it says.
  bool first = false;
};

/// What a connector promises; `huiliu plan` derives the guarantee of each path from it.
struct ConnectorTraits {
  bool replayable = false;     ///< source: can be read again from a position
  bool transactional = false;  ///< sink: its writes take part in the epoch's commit
  bool idempotent = false;     ///< sink: writes are keyed or carry their log position
  std::string reason;          ///< one sentence: why the guarantee holds
  bool shareable = false;      ///< several processes may each do a part of it
};

/// Everything a person or a tool must know of a source, operator or sink type.
struct Descriptor {
  std::string name;
  ComponentKind kind = ComponentKind::kOperator;
  std::string summary;      ///< one sentence
  std::string description;  ///< Markdown paragraphs
  std::vector<Option> options;
  /// Operators whose inputs differ: one per stream of `input:`, each with a schema of its own. Such
  /// an operator has no output `rejects`. Empty: `input:` has any number of streams of one schema.
  std::vector<InputDescriptor> inputs = {};
  Changes changes = Changes::kRefused;  ///< without `inputs`
  std::vector<PortDescriptor> outputs;  ///< side outputs besides the main one and `rejects`
  bool keyed = false;  ///< records are routed by key to the thread that owns the shard
  bool stateful = false;
  bool needs_event_time = false;  ///< of no use if no source of it has event time
  bool rejects = false;          ///< has the output `rejects` (also a sink that may refuse records)
  bool output_optional = false;  ///< of use also if nobody reads its main output
  ConnectorTraits traits = {};
  std::string example;  ///< a YAML node that validates, as under `operators:` etc.
};

/// What an operator of the type makes of changes that its `input`-th input brings.
inline Changes changes_of(const Descriptor& type, std::size_t input) {
  return type.inputs.empty() ? type.changes : type.inputs[input].changes;
}

/// Checks a component's config against its options: unknown keys (with the nearest), missing ones,
/// types, bounds, choices. `node_keys` are keys the topology itself takes ("type", "input", ...).
void check_config(const Config& config, const std::vector<Option>& options,
                  const std::vector<std::string>& node_keys, Diagnostics& diagnostics);
/// Adds the defaults of absent options.
Config with_defaults(const Config& config, const std::vector<Option>& options);

/// Whether names of topics, groups, folders and metrics can be made of it.
bool is_id(std::string_view text);
inline constexpr const char* kIdRule = "1 to 128 letters, digits, '.', '_' or '-'";

}  // namespace huiliu::runtime
