#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include "runtime/engine/run_figures.h"

namespace huiliu::service {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

/// Metrics of one page, gathered by name.
class MetricFamilies {
 public:
  /// These labels come before those of each metric whose name begins with "huiliu_".
  explicit MetricFamilies(MetricLabels common) : common_(std::move(common)) {}

  void gauge(const std::string& name, const std::string& help, double value,
             const MetricLabels& labels = {});
  /// The name ends in "_total".
  void counter(const std::string& name, const std::string& help, double value,
               const MetricLabels& labels = {});
  void histogram(const std::string& name, const std::string& help,
                 const runtime::DurationHistogram& durations);
  /// In Prometheus' text format, by name.
  std::string text() const;

 private:
  prometheus::ClientMetric& add(const std::string& name, const std::string& help,
                                prometheus::MetricType type, const MetricLabels& labels);

  MetricLabels common_;
  std::map<std::string, prometheus::MetricFamily> families_;
};

}  // namespace huiliu::service
