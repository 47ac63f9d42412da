#pragma once

#include <cstdint>

#include "connectors/generate/chance.h"

namespace huiliu::connectors {

/// Keys 1 to N of which key k comes in proportion to 1 / k^exponent. Drawn by rejection-inversion
/// (Hörmann and Derflinger 1996), which takes no memory however many keys there are.
class Zipf {
 public:
  Zipf() = default;
  /// `keys` from 1, `exponent` above 0.
  Zipf(std::int64_t keys, double exponent);
  std::int64_t draw(Chance& chance) const;

 private:
  double density(double x) const;
  double integral(double x) const;
  double inverse(double y) const;

  std::int64_t keys_ = 1;
  double exponent_ = 1, first_ = 0, last_ = 0, sure_ = 0;
};

}  // namespace huiliu::connectors
