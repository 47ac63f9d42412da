#include "tests/simulation/kafka/check.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>
#include <vector>

#include "state/layout.h"

namespace huiliu::simulation {
namespace {

using Key = std::pair<std::string, std::string>;

/// The text or number of a field of a JSON object as this test and the sinks write it.
std::string field(const std::string& json, const std::string& name) {
  const std::size_t at = json.find("\"" + name + "\":");
  if (at == std::string::npos) return "";
  std::size_t from = at + name.size() + 3;
  const bool text = json[from] == '"';
  if (text) ++from;
  return json.substr(from, json.find_first_of(text ? "\"" : ",}", from) - from);
}

void each(Broker& broker, const std::string& topic,
          const std::function<void(int partition, const LogRecord&)>& visit) {
  const Topic* const found = broker.topic(topic);
  if (found == nullptr) return;
  int number = 0;
  for (const Log& log : found->logs) {
    const std::int64_t end = log.stable();
    for (const LogRecord& record : log.records) {
      if (record.offset < end && log.visible(record, true)) visit(number, record);
    }
    ++number;
  }
}

bool is_broken(const std::string& value) { return !value.ends_with("}"); }

constexpr std::int64_t kWindowMs = 200, kOutOfOrdernessMs = 30;  // as in topology.yaml

struct Expected {
  std::map<std::string, std::vector<std::string>> copied, accepted;      // dept → ids in order
  std::map<Key, std::pair<std::int64_t, std::int64_t>> totals;           // count, sum
  std::set<std::string> broken;                                          // origins
  std::map<std::pair<std::string, std::int64_t>, std::int64_t> windows;  // kind, start → count
  std::map<int, std::int64_t> latest;                                    // by input partition
  std::size_t records = 0, distinct = 0;

  explicit Expected(Broker& broker) {
    std::set<Key> seen;
    each(broker, "input", [&](int partition, const LogRecord& record) {
      if (is_broken(record.value)) {
        broken.insert("input[" + std::to_string(partition) + "]@" + std::to_string(record.offset));
        return;
      }
      ++records;
      const std::int64_t time = std::stoll(field(record.value, "t"));
      ++windows[{field(record.value, "kind"), time - time % kWindowMs}];
      latest[partition] = std::max(latest[partition], time);
      const std::string dept = field(record.value, "dept"), id = field(record.value, "id");
      copied[dept].push_back(id);
      if (!seen.emplace(dept, id).second) return;
      accepted[dept].push_back(id);
      auto& [count, sum] = totals[{dept, field(record.value, "kind")}];
      ++count;
      sum += std::stoll(field(record.value, "amount"));
    });
    distinct = seen.size();
    // A partition without a record holds up all windows.
    const Topic* const input = broker.topic("input");
    if (input == nullptr || latest.size() < input->logs.size()) latest.clear();
    std::erase_if(windows, [&](const auto& window) {
      return latest.empty() || window.first.second + kWindowMs > watermark();
    });
  }

  /// Where the input leaves event time.
  std::int64_t watermark() const {
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (const auto& [partition, time] : latest) least = std::min(least, time);
    return least - kOutOfOrdernessMs;
  }
};

std::string compare_lists(const std::string& what, std::vector<std::string> expected,
                          std::vector<std::string> found, bool in_order) {
  if (!in_order) {
    std::sort(expected.begin(), expected.end());
    std::sort(found.begin(), found.end());
  }
  if (expected == found) return "";
  const auto [a, b] = std::mismatch(expected.begin(), expected.end(), found.begin(), found.end());
  return what + ": " + std::to_string(expected.size()) + " expected, " +
         std::to_string(found.size()) + " found; expected " + (a == expected.end() ? "none" : *a) +
         ", found " + (b == found.end() ? "none" : *b) + " at " + std::to_string(b - found.begin());
}

std::string check_records(Broker& broker, const std::string& topic,
                          const std::map<std::string, std::vector<std::string>>& expected,
                          bool in_order) {
  std::map<std::string, std::vector<std::string>> found;
  std::map<std::string, std::set<int>> places;
  each(broker, topic, [&](int partition, const LogRecord& record) {
    const std::string dept = field(record.value, "dept");
    found[dept].push_back(field(record.value, "id"));
    places[dept].insert(partition);
  });
  for (const auto& [dept, partitions] : places) {
    if (!expected.contains(dept)) return topic + ": no input of " + dept;
    if (partitions.size() > 1) return topic + ": " + dept + " is in several partitions";
  }
  for (const auto& [dept, ids] : expected) {
    std::string difference = compare_lists(topic + ", " + dept, ids, found[dept], in_order);
    if (!difference.empty()) return difference;
  }
  return "";
}

std::string check_totals(Broker& broker, const Expected& expected) {
  std::map<Key, std::pair<std::int64_t, std::int64_t>> last;
  std::string difference;
  each(broker, "totals", [&](int, const LogRecord& record) {
    const Key key{field(record.value, "dept"), field(record.value, "kind")};
    const std::int64_t count = std::stoll("0" + field(record.value, "count"));
    if (count <= last[key].first && difference.empty()) {
      difference = "totals: " + key.first + " " + key.second +
                   " does not grow: " + std::to_string(count) + " after " +
                   std::to_string(last[key].first);
    }
    last[key] = {count, std::stoll(field(record.value, "sum"))};
  });
  if (!difference.empty()) return difference;
  for (const auto& [key, total] : expected.totals) {
    if (last[key] == total) continue;
    return "totals: " + key.first + " " + key.second + " is " + std::to_string(last[key].first) +
           ", " + std::to_string(last[key].second) + ", not " + std::to_string(total.first) + ", " +
           std::to_string(total.second);
  }
  return last.size() == expected.totals.size() ? "" : "totals: more than there must be";
}

/// Each window whose end time has passed is there once, with all of its records; no other is, and
/// nothing is late, since no record is further behind its partition than the source says.
std::string check_windows(Broker& broker, const std::string& topic, const Expected& expected) {
  std::map<std::pair<std::string, std::int64_t>, std::int64_t> found;
  std::string difference;
  each(broker, topic, [&](int, const LogRecord& record) {
    const std::pair window(field(record.value, "kind"),
                           std::stoll(field(record.value, "window_start")));
    const bool first = found.emplace(window, std::stoll(field(record.value, "count"))).second;
    if (!first) difference = "is there twice: " + record.value;
    if (!expected.windows.contains(window)) difference = "came early: " + record.value;
  });
  each(broker, "late",
       [&](int, const LogRecord& record) { difference = "a record is late: " + record.value; });
  for (const auto& [window, count] : expected.windows) {
    if (found[window] == count) continue;
    difference = window.first + " " + std::to_string(window.second) + " has " +
                 std::to_string(found[window]) + " records, not " + std::to_string(count);
  }
  return difference.empty() ? "" : topic + ": " + difference;
}

std::string check_rejected(Broker& broker, const Expected& expected) {
  std::map<std::string, int> found;
  each(broker, "rejected", [&](int, const LogRecord& record) {
    for (const auto& [name, value] : record.headers) {
      if (name == "huiliu.origin") ++found[value];
    }
  });
  for (const std::string& origin : expected.broken) {
    if (found[origin] != 1) {
      return "rejected: " + origin + " is there " + std::to_string(found[origin]) + " times";
    }
  }
  return found.size() == expected.broken.size() ? "" : "rejected: more than there must be";
}

/// One live key for each that an operator has to remember. `packed`: many rows a record, none
/// twice.
std::string check_changelog(Broker& broker, const std::string& start, std::size_t keys,
                            bool packed) {
  for (const auto& [name, topic] : broker.topics()) {
    if (!name.starts_with(start) || !name.ends_with(".changelog")) continue;
    std::set<std::pair<int, std::string>> live;
    bool whole = true;
    each(broker, name, [&](int partition, const LogRecord& record) {
      if (packed) {
        whole &= state::read_changes(record.value,
                                     [&](bool erased, std::string_view key, std::string_view) {
                                       whole &= !erased && live.emplace(partition, key).second;
                                     });
      } else if (record.has_value) {
        live.emplace(partition, record.key);
      } else {
        live.erase({partition, record.key});
      }
    });
    if (!whole) return name + ": damaged, or a row that is there twice";
    if (live.size() == keys) return "";
    return name + ": " + std::to_string(live.size()) + " live keys, not " + std::to_string(keys);
  }
  return "there is no changelog " + start;
}

}  // namespace

std::size_t count_outputs(Broker& broker) {
  std::size_t count = 0;
  std::int64_t totals = 0;
  for (const char* topic : {"copied", "accepted", "rejected", "windows", "windows_of_one"}) {
    each(broker, topic, [&](int, const LogRecord&) { ++count; });
  }
  std::map<Key, std::int64_t> last;
  each(broker, "totals", [&](int, const LogRecord& record) {
    last[{field(record.value, "dept"), field(record.value, "kind")}] =
        std::stoll("0" + field(record.value, "count"));
  });
  for (const auto& [key, total] : last) totals += total;
  return count + static_cast<std::size_t>(totals);
}

std::size_t count_expected(Broker& broker) {
  const Expected expected(broker);
  return expected.records + 2 * expected.distinct + expected.broken.size() +
         2 * expected.windows.size();
}

std::string check_outputs(Broker& broker, bool several) {
  if (!broker.problem().empty()) return broker.problem();
  const Expected expected(broker);
  // Records of a department are of one partition, and its pass-through knows no other order.
  std::string difference = check_records(broker, "copied", expected.copied, true);
  if (difference.empty()) {
    difference = check_records(broker, "accepted", expected.accepted, !several);
  }
  if (difference.empty()) difference = check_totals(broker, expected);
  for (const char* topic : {"windows_of_one", "windows"}) {
    if (difference.empty()) difference = check_windows(broker, topic, expected);
  }
  if (difference.empty()) difference = check_rejected(broker, expected);
  if (difference.empty())
    difference = check_changelog(broker, "sim.once.", expected.distinct, true);
  if (difference.empty()) {
    difference = check_changelog(broker, "sim.totals.", expected.totals.size(), false);
  }
  return difference;
}

}  // namespace huiliu::simulation
