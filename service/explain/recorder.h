#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/component/outputs.h"
#include "runtime/topology/topology.h"
#include "service/explain/question.h"
#include "service/explain/trace.h"

namespace huiliu::service {

/// The way of a record as it is recorded: texts are where the record has them, which is safe until
/// its root is done with it.
struct RawTrace {
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Step {
    std::size_t node = 0;
    std::size_t from = kNone;  ///< index of the emission that is its input
    bool dropped = false;
    std::string_view dropped_why;
    runtime::Origin earlier;  ///< who held the key before
  };
  struct Emission {
    std::size_t step = 0, port = 0;
    std::size_t values = 0, width = 0;  ///< a part of RawTrace::values
    bool rejected = false;
    runtime::Reject reject;
  };
  runtime::Origin origin;
  std::vector<Step> steps;
  std::vector<Emission> emissions;
  std::vector<runtime::Value> values;
  std::deque<std::string> origins;  ///< texts that values of rejects view
};

/// Resolves nodes and schemas, compares values, copies everything.
Trace build_trace(const runtime::Topology& topology, const RawTrace& raw);

/// What was read of one file.
struct ReadRows {
  std::uint64_t rows = 0;
  std::uint64_t first = 0, last = 0;
  std::uint64_t nearest = 0;  ///< to the asked row
};

/// Follows every record of a replay in one thread and keeps the ways of those that are asked for.
/// Remembers for each key who held it last, that is, whom the keyed operator let pass last by its
/// main output.
class Recorder final : public runtime::Tracer {
 public:
  /// Both must outlive the recorder.
  Recorder(const runtime::Topology& topology, const Question& question);

  void enter(const runtime::Outputs& to, const runtime::Record& record) override;
  void leave(const runtime::Outputs& to) override;
  void emitted(const runtime::Outputs& from, std::size_t port,
               const runtime::Record& record) override;
  void rejected(const runtime::Outputs& from, const runtime::Record& record,
                const runtime::Reject& reject) override;
  void dropped(const runtime::Outputs& from, const runtime::Record& record,
               std::string_view why) override;

  bool full() const { return found_.size() >= question_.limit; }
  std::vector<Trace>& found() { return found_; }
  /// By partition.
  const std::map<std::string, ReadRows>& files() const { return files_; }

 private:
  struct Wanted {
    std::size_t condition = 0, field = 0;
    runtime::Type type{};
  };
  static constexpr std::size_t kPlumbing = static_cast<std::size_t>(-1);

  std::size_t node_of(const runtime::Outputs& outputs);
  void begin(std::size_t node, const runtime::Record& record);
  void end();
  void count(const runtime::Origin& origin);
  bool asks_for(const runtime::Origin& origin) const;
  void add_emission(std::size_t node, std::size_t port, const runtime::Record& record,
                    const runtime::Reject* reject);
  void match(std::size_t node, std::size_t port, const RawTrace::Emission& emission);
  std::uint64_t holder_key(std::size_t node, const runtime::Record& record) const;

  const runtime::Topology& topology_;
  const Question& question_;
  std::map<std::string, std::size_t, std::less<>> nodes_;
  std::unordered_map<const runtime::Outputs*, std::size_t> node_of_;
  std::vector<bool> by_key_;                              // per node
  std::vector<std::vector<std::vector<Wanted>>> wanted_;  // per node and port
  std::unordered_map<std::uint64_t, runtime::Origin> holders_;

  RawTrace raw_;
  std::vector<std::size_t> stack_;  // steps under way; empty: the root's own
  std::size_t depth_ = 0;           // the same with plumbing
  bool recording_ = false;
  std::vector<bool> holds_;  // per condition
  std::string scratch_;

  std::vector<Trace> found_;
  std::map<std::string, ReadRows> files_;
  const std::string* counted_name_ = nullptr;
  ReadRows* counted_ = nullptr;
};

}  // namespace huiliu::service
