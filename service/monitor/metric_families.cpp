#include "service/monitor/metric_families.h"

#include <algorithm>
#include <limits>

#include <prometheus/text_serializer.h>

namespace huiliu::service {

using prometheus::ClientMetric;
using prometheus::MetricType;

ClientMetric& MetricFamilies::add(const std::string& name, const std::string& help, MetricType type,
                                  const MetricLabels& labels) {
  prometheus::MetricFamily& family = families_[name];
  family.name = name;
  family.help = help;
  family.type = type;
  ClientMetric& metric = family.metric.emplace_back();
  const auto label = [&](const auto& pair) { metric.label.push_back({pair.first, pair.second}); };
  if (name.starts_with("huiliu_")) std::for_each(common_.begin(), common_.end(), label);
  std::for_each(labels.begin(), labels.end(), label);
  return metric;
}

void MetricFamilies::gauge(const std::string& name, const std::string& help, double value,
                           const MetricLabels& labels) {
  add(name, help, MetricType::Gauge, labels).gauge.value = value;
}

void MetricFamilies::counter(const std::string& name, const std::string& help, double value,
                             const MetricLabels& labels) {
  add(name, help, MetricType::Counter, labels).counter.value = value;
}

void MetricFamilies::histogram(const std::string& name, const std::string& help,
                               const runtime::DurationHistogram& durations) {
  auto& histogram = add(name, help, MetricType::Histogram, {}).histogram;
  std::uint64_t below = 0;
  const auto& bounds = runtime::DurationHistogram::kBounds;
  for (std::size_t i = 0; i < durations.counts().size(); ++i) {
    below += durations.counts()[i];
    const double bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({below, bound});
  }
  histogram.sample_count = below;
  histogram.sample_sum = durations.sum();
}

std::string MetricFamilies::text() const {
  std::vector<prometheus::MetricFamily> all;
  for (const auto& [name, family] : families_) all.push_back(family);
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace huiliu::service
