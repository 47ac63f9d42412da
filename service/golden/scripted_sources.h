#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/component/config.h"
#include "runtime/topology/topology.h"

namespace huiliu::service {

/// What the sources of a case read, in one order for all of them: a record of a source, or time
/// that passes.
struct ScriptStep {
  std::size_t node = 0;            ///< index of the source among the topology's nodes
  std::vector<std::string> texts;  ///< by field of the source
  std::vector<bool> nulls;
  std::int64_t advance_ms = 0;  ///< > 0: the clock moves, and there is no record
};

/// The steps, and how far they are done; shared by the readers of one run in one thread.
struct Script {
  std::vector<ScriptStep> steps;
  std::size_t next = 0;
};

/// Stands in the place of the sources that a case gives records for, and of all others that would
/// ask a server, so that a case needs none. Outlives the run.
///
/// `input` is a map (source → records, or → file name → content), or a list of steps: `{source:
/// NAME, record: {…}}` (or `records: […]`) and `{advance: 5s}`. What a source of type `file` has
/// as files is not its business (input_files.h).
class ScriptedSources {
 public:
  /// What is wrong with the records is reported with its place. `templates` as in input_files.h.
  ScriptedSources(runtime::Topology& topology, const runtime::Config& input,
                  const runtime::Config& templates, runtime::ManualClock& clock,
                  runtime::Diagnostics& diagnostics);
  ScriptedSources(const ScriptedSources&) = delete;
  ScriptedSources& operator=(const ScriptedSources&) = delete;

 private:
  void take_source(runtime::Topology& topology, const std::string& name,
                   const runtime::Place& place, const runtime::Config& records,
                   const runtime::Config& templates);
  void take_step(runtime::Topology& topology, const runtime::Config& step,
                 const runtime::Config& templates);
  void take_record(const runtime::Topology& topology, std::size_t node,
                   const runtime::Config& record, const runtime::Config& templates);
  void replace(runtime::Topology& topology, std::size_t node);

  runtime::ManualClock& clock_;
  runtime::Diagnostics& diagnostics_;
  std::shared_ptr<Script> script_ = std::make_shared<Script>();
  std::vector<std::unique_ptr<runtime::SourceType>> types_;
  std::vector<bool> replaced_;
};

}  // namespace huiliu::service
