#pragma once

#include <set>
#include <string>
#include <string_view>

#include "runtime/topology/topology.h"
#include "service/explain/trace.h"

namespace huiliu::service {

/// Hides the identity numbers of people in what is shown of a record: fields that a rule of the
/// topology calls `personal: true`, their values wherever else they turn up (in a key made of
/// several fields, say), and whatever looks like a citizen's number.
class Masker {
 public:
  explicit Masker(const runtime::Topology& topology);

  void mask(Trace& trace) const;
  /// A single value.
  std::string masked(std::string_view field, std::string_view text) const;
  bool is_personal(std::string_view field) const { return fields_.contains(field); }

 private:
  std::set<std::string> values_of(const Trace& trace) const;

  std::set<std::string, std::less<>> fields_;
};

/// `text` with every citizen's number masked (domain/masking.h). The check digit is not looked at:
/// a mistyped number is somebody's nearly.
std::string mask_citizen_numbers(std::string_view text);

}  // namespace huiliu::service
