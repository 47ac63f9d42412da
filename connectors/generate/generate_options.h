#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connectors/generate/zipf.h"
#include "runtime/component/config.h"
#include "runtime/component/descriptor.h"
#include "runtime/record/schema.h"

namespace huiliu::connectors {

/// Text around a number: "D{:03}".
struct NumberPattern {
  std::string before, after;
  int digits = 0;  ///< at least, with zeros in front
};

/// How the values of one field are made.
struct GeneratedField {
  enum class Kind : std::uint8_t { kSequence, kUniform, kChoice, kZipf, kConstant };

  std::string name;
  runtime::Type type = runtime::Type::kString;
  Kind kind = Kind::kConstant;
  std::int64_t from = 0, to = 0, step = 1;  ///< of whole numbers and times (ms)
  std::int64_t disorder = 0;                ///< ms
  double real_from = 0, real_to = 0;
  Zipf zipf = {};
  std::vector<std::string> values = {};  ///< kChoice, kConstant
  std::vector<double> shares = {};       ///< kChoice: of each value and those before; the last is 1
  std::optional<NumberPattern> pattern = {};
};

/// So many rows in so many milliseconds.
struct Rate {
  std::int64_t rows = 0, per_ms = 1000;
};

struct GenerateOptions {
  std::vector<GeneratedField> fields;
  std::optional<Rate> rate;            ///< nothing: as fast as they are taken
  std::optional<std::uint64_t> count;  ///< nothing: for ever
  std::uint64_t seed = 1;

  runtime::Schema schema() const;
};

std::vector<runtime::Option> generate_source_options();
/// `config` is checked against them. What is wrong beyond that becomes diagnostics.
GenerateOptions parse_generate_options(const runtime::Config& config,
                                       runtime::Diagnostics& diagnostics);

/// "1000/s", "5/m", "1000" (a second); nothing if it is something else.
std::optional<Rate> parse_rate(std::string_view text);
/// Exactly one "{}" or "{:0N}"; nothing if it is something else.
std::optional<NumberPattern> parse_number_pattern(const std::string& text);

}  // namespace huiliu::connectors
