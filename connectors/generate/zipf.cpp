#include "connectors/generate/zipf.h"

#include <algorithm>
#include <cmath>

namespace huiliu::connectors {
namespace {

constexpr double kNearZero = 1e-8;

/// log(1 + x) / x, also where x is almost nothing.
double log_ratio(double x) { return std::abs(x) > kNearZero ? std::log1p(x) / x : 1 - x / 2; }
/// (e^x - 1) / x, also where x is almost nothing.
double exp_ratio(double x) { return std::abs(x) > kNearZero ? std::expm1(x) / x : 1 + x / 2; }

}  // namespace

Zipf::Zipf(std::int64_t keys, double exponent)
    : keys_(keys),
      exponent_(exponent),
      first_(integral(1.5) - 1),
      last_(integral(static_cast<double>(keys) + 0.5)),
      sure_(2 - inverse(integral(2.5) - density(2))) {}

double Zipf::density(double x) const { return std::exp(-exponent_ * std::log(x)); }

double Zipf::integral(double x) const {
  const double log_x = std::log(x);
  return exp_ratio((1 - exponent_) * log_x) * log_x;
}

double Zipf::inverse(double y) const {
  // Rounding may lead below -1, where there is no logarithm.
  const double t = std::max(-1.0, y * (1 - exponent_));
  return std::exp(log_ratio(t) * y);
}

std::int64_t Zipf::draw(Chance& chance) const {
  for (;;) {
    const double u = last_ + chance.unit() * (first_ - last_);
    const double x = inverse(u);
    const double nearest = std::clamp(std::floor(x + 0.5), 1.0, static_cast<double>(keys_));
    if (nearest - x <= sure_ || u >= integral(nearest + 0.5) - density(nearest)) {
      return static_cast<std::int64_t>(nearest);
    }
  }
}

}  // namespace huiliu::connectors
