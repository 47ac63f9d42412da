#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "runtime/component/config.h"
#include "runtime/component/outputs.h"
#include "runtime/record/arena.h"
#include "runtime/record/record.h"
#include "runtime/record/schema.h"

namespace huiliu::operators {

/// Bounds of one run of a script. Instructions rather than time, so that runs are deterministic.
struct ScriptLimits {
  std::uint64_t instructions = 1'000'000;
  std::size_t memory_bytes = 16u << 20;
};

/// A sandboxed Lua script (LuaJIT's interpreter; the compiler is off, since hooks do not fire in
/// compiled traces). It sees the record's fields as variables and keeps nothing between records.
/// There is no io, os, ffi, load, require, coroutine, pcall, metatables or randomness.
class Script {
 public:
  struct Outcome {
    enum Kind { kDone, kDropped, kRejected, kError } kind = kDone;
    bool truth = false;      ///< whether the expression's value is neither nil nor false
    runtime::Reject reject;  ///< for kRejected and kError
  };

  /// `node` holds an expression. Mistakes are reported at the node's place; null then.
  static std::unique_ptr<Script> compile_expression(const runtime::Config& node,
                                                    const runtime::Schema& schema,
                                                    const ScriptLimits& limits,
                                                    runtime::Diagnostics& diagnostics);
  /// `node` holds statements that may assign to the fields `sets` of `schema`, may call
  /// reject(code, message, message_zh, field), and drop the record by `return false`.
  static std::unique_ptr<Script> compile_body(const runtime::Config& node,
                                              const runtime::Schema& schema,
                                              const std::vector<std::size_t>& sets,
                                              const ScriptLimits& limits,
                                              runtime::Diagnostics& diagnostics);
  virtual ~Script() = default;

  /// Runs without storing anything; texts of the outcome live in the arena.
  virtual Outcome run(const runtime::Record& record, runtime::Arena& arena) = 0;
  /// Value of the expression just run, as a `type`; an error if it does not fit.
  virtual Outcome value(runtime::Type type, runtime::Arena& arena, runtime::Value& into) = 0;
  /// Stores what the statements just run assigned.
  virtual Outcome store(runtime::Record& record, runtime::Arena& arena) = 0;
};

}  // namespace huiliu::operators
