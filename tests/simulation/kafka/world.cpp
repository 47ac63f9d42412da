#include "tests/simulation/kafka/world.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <stdexcept>

#include "runtime/base/failpoint.h"
#include "tests/simulation/kafka/check.h"

namespace huiliu::simulation {
namespace {

constexpr Micros kSecond = 1'000'000;
constexpr int kInputPartitions = 3, kOutputPartitions = 2, kDepartments = 4;

}  // namespace

World::World(const Topologies& topologies, std::uint64_t seed, bool trace)
    : topologies_(topologies),
      scheduler_(seed, trace),
      broker_(scheduler_, faults_),
      cluster_{scheduler_, faults_, broker_},
      several_(scheduler_.chance(0.6)),
      named_(several_ && scheduler_.chance(0.3)),
      copies_(several_ && scheduler_.chance(0.3)),
      chaos_until_(scheduler_.between(4 * kSecond, 12 * kSecond)) {
  if (copies_) {
    snapshots_ = (std::filesystem::temp_directory_path() / "kafka-simulation-XXXXXX").string();
    if (::mkdtemp(snapshots_.data()) == nullptr) throw std::runtime_error("no folder");
  }
  cluster() = &cluster_;
  runtime::set_simulated_machine(&scheduler_);
  runtime::set_failpoint_hook([this](std::string_view name) {
    // It is in a destructor, which nothing may be thrown from.
    if (name != "kafka.before_release") at_failpoint();
  });
  for (std::size_t i = 0; i < (several_ ? topologies.named.size() : 2); ++i) {
    places_.push_back(std::make_unique<Place>());
  }
  broker_.create("input", kInputPartitions, false);
  for (const char* topic :
       {"copied", "accepted", "totals", "rejected", "windows", "windows_of_one", "late"}) {
    broker_.create(topic, kOutputPartitions, false);
  }
}

World::~World() {
  for (const auto& place : places_) {
    if (place->worker) scheduler_.kill(*place->worker->process());
  }
  while (scheduler_.has_threads() && scheduler_.step()) {
  }
  while (!cluster_.clients.empty()) rd_kafka_destroy(*cluster_.clients.begin());
  runtime::set_failpoint_hook({});
  runtime::set_simulated_machine(nullptr);
  cluster() = nullptr;
  std::error_code ignored;
  if (copies_) std::filesystem::remove_all(snapshots_, ignored);
}

void World::draw_faults() {
  const auto some = [this](double most) {
    return scheduler_.chance(0.5) ? 0.0 : most * static_cast<double>(scheduler_.below(1000)) / 1000;
  };
  faults_.request_lost = some(0.05);
  faults_.response_lost = some(0.05);
  faults_.slow = some(0.02);
  faults_.slow_most = scheduler_.between(10'000, 5 * kSecond);
  faults_.marker_most = scheduler_.chance(0.7) ? scheduler_.between(100, 20'000)
                                               : scheduler_.between(100'000, 2 * kSecond);
}

// Records of a department are in one partition; some are sent again, some cannot be read, some are
// in transactions, and those of an aborted one are none.
void World::plan_input() {
  const std::uint64_t records = 40 + scheduler_.below(100);
  std::vector<std::uint64_t> sent(kDepartments, 0);
  for (std::uint64_t made = 0; made < records;) {
    const PartitionId partition{"input", static_cast<int>(scheduler_.below(kInputPartitions))};
    std::vector<std::string> values;
    const std::uint64_t count = 1 + scheduler_.below(6);
    for (std::uint64_t i = 0; i < count; ++i, ++made) {
      const auto dept = static_cast<std::size_t>(partition.second);
      if (scheduler_.chance(0.03)) {
        values.push_back("{\"id\": \"broken-" + std::to_string(made) + "\", \"dept");
        continue;
      }
      const bool again = sent[dept] > 0 && scheduler_.chance(0.2);
      const std::uint64_t number = again ? scheduler_.below(sent[dept]) : sent[dept]++;
      const char* const kinds[] = {"open", "change", "close"};
      values.push_back("{\"id\":\"r" + std::to_string(number) + "\",\"dept\":\"d" +
                       std::to_string(dept) + "\",\"kind\":\"" + kinds[number * 7 % 3] +
                       "\",\"amount\":" + std::to_string(number * 31 % 1000) +
                       ",\"n\":" + std::to_string(number) +
                       ",\"t\":" + std::to_string(10 * made + 30 - scheduler_.below(31)) + "}");
    }
    tail_.emplace_back(partition, std::move(values));
  }
  // In order per partition: the order of the list.
  const std::size_t early = tail_.size() - tail_.size() / 5;
  std::vector<Micros> times;
  for (std::size_t i = 0; i < early; ++i) times.push_back(scheduler_.between(0, chaos_until_));
  std::sort(times.begin(), times.end());
  for (std::size_t i = 0; i < early; ++i) {
    scheduler_.at(times[i], nullptr, [this, part = tail_[i]] { feed(part.first, part.second); });
  }
  tail_.erase(tail_.begin(), tail_.begin() + static_cast<std::ptrdiff_t>(early));
}

void World::feed(const PartitionId& partition, std::vector<std::string> values) {
  const auto records = [&](const std::string& add) {
    std::vector<LogRecord> made;
    for (const std::string& value : values) {
      LogRecord record;
      record.has_value = true;
      record.value = value;
      if (!add.empty()) record.value.insert(record.value.find("\"r") + 2, add);
      made.push_back(std::move(record));
    }
    return made;
  };
  std::int64_t base = 0;
  const bool aborted = scheduler_.chance(0.1);
  if (aborted || scheduler_.chance(0.3)) {
    const std::string id = "feeder-" + std::to_string(++batches_);
    Broker::ProducerId producer;
    broker_.init_producer(id, 60 * kSecond, producer);
    broker_.add_partition(id, producer, partition);
    broker_.produce(id, producer, partition, records(aborted ? "x" : ""), base);
    broker_.end(id, producer, !aborted);
    if (!aborted) return;
  }
  broker_.produce("", {}, partition, records(""), base);
}

const runtime::Topology& World::topology_of(const Place& place) const {
  if (!several_) return topologies_.one;
  if (!named_) return topologies_.several;
  std::size_t number = 0;
  while (places_[number].get() != &place) ++number;
  return topologies_.named[number];
}

void World::prepare_disk(Place& place) {
  const std::uint64_t choice = scheduler_.below(20);
  if (choice < 3) {
    place.disk.wipe();
    ++tally_.wiped;
  } else if (choice < 6 && place.disk.has_copy()) {
    place.disk.go_back();
    ++tally_.old_copies;
  } else if (choice < 10) {
    place.disk.env().lose_power(scheduler_.random());
    ++tally_.power_losses;
  }
}

void World::start(Place& place) {
  if (tally_.lives > 0) prepare_disk(place);
  if (running().empty() && scheduler_.chance(0.03)) {
    scheduler_.pass(6);  // longer than a copy is trusted
    ++tally_.breaks;
  }
  ++tally_.lives;
  place.steps_left = 0;
  place.worker =
      std::make_unique<Worker>(scheduler_, place.disk, topology_of(place), snapshots_, ++workers_,
                               1 + static_cast<unsigned>(scheduler_.below(2)));
  scheduler_.note("start", {workers_});
}

void World::start_any() {
  for (const auto& place : places_) {
    if (place->worker) continue;
    start(*place);
    return;
  }
}

void World::at_failpoint() {
  for (const auto& place : places_) {
    if (!place->worker || place->worker->process() != scheduler_.process()) continue;
    if (place->steps_left == 0 || --place->steps_left > 0) return;
    ++tally_.killed_at_step;
    scheduler_.note("killed at a step");
    scheduler_.die();
  }
}

bool World::is_expected_end(const Worker& worker) const {
  if (!worker.ended_by_itself()) return true;  // killed
  if (worker.status().is_ok() || worker.status().code() == runtime::StatusCode::kRestart) {
    return true;  // it was asked to
  }
  const auto says = [&worker](const char* text) {
    return worker.status().message().find(text) != std::string::npos;
  };
  // When its session ended here first, librdkafka sends heartbeats without its id, and a broker
  // that still has the old one takes the worker for another of its name (docs/reliability.md,
  // limits).
  if (named_ && says("another worker is named")) return true;
  // A process that died right after it had announced itself may be heard of later than its
  // successor (docs/reliability.md, limits).
  const bool announced = tally_.takeovers > 0 || broker_.counts.late_owners > 0;
  return !several_ && announced && says("has taken over");
}

void World::settle(Place& place) {
  if (!is_expected_end(*place.worker) && problem_.empty()) {
    problem_ = "a worker ended: " + place.worker->status().message();
  }
  tally_.restarts += place.worker->restarts();
  if (named_ && place.worker->ended_by_itself() && !place.worker->status().is_ok() &&
      place.worker->status().code() != runtime::StatusCode::kRestart) {
    ++tally_.fenced_by_name;
  }
  if (scheduler_.chance(0.5)) place.disk.keep_copy();
  gone_.push_back(std::move(place.worker));
}

/// Takes workers that have ended away. False if something is wrong.
bool World::sweep() {
  for (const auto& place : places_) {
    if (place->worker && place->worker->ended()) settle(*place);
  }
  return problem_.empty();
}

std::vector<World::Place*> World::running() {
  std::vector<Place*> found;
  for (const auto& place : places_) {
    if (place->worker && !place->worker->ended() && !place->worker->was_killed()) {
      found.push_back(place.get());
    }
  }
  return found;
}

void World::plan_chaos() {
  scheduler_.at(scheduler_.now() + scheduler_.between(10'000, 1'500'000), nullptr, [this] {
    if (quiet_) return;
    act();
    plan_chaos();
  });
}

void World::disturb_brokers() {
  switch (scheduler_.below(4)) {
    case 0:
      ++tally_.coordinators_away;
      broker_.lose_coordinators(scheduler_.now() + scheduler_.between(50'000, 4 * kSecond));
      break;
    case 1: {
      ++tally_.leaders_away;
      auto topic = broker_.topics().begin();
      std::advance(topic, scheduler_.below(broker_.topics().size()));
      Topic& found = *broker_.topic(topic->first);
      Log& log = found.logs[scheduler_.below(found.logs.size())];
      log.away_until = scheduler_.now() + scheduler_.between(50'000, 4 * kSecond);
      break;
    }
    default:
      for (const auto& [name, topic] : broker_.topics()) {
        if (topic.compacted && scheduler_.chance(0.5)) broker_.compact(*broker_.topic(name));
      }
  }
}

void World::act() {
  sweep();
  const auto alive = running();
  std::vector<Place*> free;
  for (const auto& place : places_) {
    if (!place->worker) free.push_back(place.get());
  }
  const std::uint64_t choice = scheduler_.below(100);
  if (alive.empty() || choice < 20) {
    // A second process of a topology for one worker takes it over.
    if (free.empty() || (!several_ && !alive.empty() && scheduler_.chance(0.6))) return;
    if (!several_ && !alive.empty()) ++tally_.takeovers;
    start(*free[scheduler_.below(free.size())]);
    return;
  }
  Place& place = *alive[scheduler_.below(alive.size())];
  const ProcessPtr& process = place.worker->process();
  if (choice < 35) {
    ++tally_.killed;
    scheduler_.note("kill", {process->number});
    scheduler_.kill(*process);
  } else if (choice < 55) {
    place.steps_left = 1 + scheduler_.below(12);
  } else if (choice < 75) {
    if (process->frozen) return;
    ++tally_.frozen;
    const Micros time = scheduler_.chance(0.4) ? scheduler_.between(1000, kSecond)
                                               : scheduler_.between(kSecond, 7 * kSecond);
    scheduler_.note("freeze", {process->number, time});
    scheduler_.freeze(process, scheduler_.now() + time);
  } else if (choice < 82) {
    ++tally_.asked;
    scheduler_.note("ask to end", {process->number});
    place.worker->ask_to_end();
  } else {
    disturb_brokers();
  }
}

template <class Condition>
bool World::run_until(Micros deadline, const Condition& reached) {
  constexpr Micros kLook = 100'000;
  while (scheduler_.now() < deadline) {
    const Micros look = std::min(deadline, scheduler_.now() + kLook);
    bool passed = false;
    scheduler_.at(look, nullptr, [&passed] { passed = true; });
    while (!passed) scheduler_.step();
    if (!sweep()) return false;
    if (reached()) return true;
  }
  return false;
}

bool World::end_all() {
  for (Place* place : running()) place->worker->ask_to_end();
  const auto all_ended = [this] {
    return std::none_of(places_.begin(), places_.end(),
                        [](const auto& place) { return place->worker != nullptr; }) &&
           !broker_.transactions_open();
  };
  if (run_until(scheduler_.now() + 120 * kSecond, all_ended)) return true;
  if (problem_.empty()) problem_ = "workers that were sent SIGTERM, or transactions, do not end";
  return false;
}

/// What is left of the input, without faults, until all of it is in the outputs.
bool World::finish() {
  quiet_ = true;
  faults_ = {};
  for (const auto& place : places_) place->steps_left = 0;
  for (auto& [partition, values] : tail_) feed(partition, std::move(values));
  const std::size_t wanted = [this] {
    // The input's own transactions have to end before it is known what it holds.
    run_until(scheduler_.now() + 10 * kSecond, [this] {
      const Topic& input = *broker_.topic("input");
      return std::all_of(input.logs.begin(), input.logs.end(),
                         [](const Log& log) { return log.open.empty(); });
    });
    return count_expected(broker_);
  }();
  const auto complete = [this, wanted] {
    if (running().empty()) start_any();
    return count_outputs(broker_) >= wanted;
  };
  bool done = run_until(scheduler_.now() + 40 * kSecond, complete);
  // A worker with a name that began anew in the middle of a rebalance has ended it: the brokers
  // give it its old share, and to nobody what was to move (docs/reliability.md, limits). The next
  // change of the group mends it.
  if (!done && problem_.empty() && named_ && !running().empty()) {
    ++tally_.stranded;
    running().front()->worker->ask_to_end();
    run_until(scheduler_.now() + 20 * kSecond, [] { return false; });
  }
  if (!done && problem_.empty()) done = run_until(scheduler_.now() + 300 * kSecond, complete);
  if (!done && problem_.empty()) {
    problem_ = "not all of the input is processed: " + std::to_string(count_outputs(broker_)) +
               " of " + std::to_string(wanted);
  }
  if (!problem_.empty()) return false;
  run_until(scheduler_.now() + kSecond, [] { return false; });
  return problem_.empty() && end_all();
}

/// One more process, mostly without local state, has nothing to do.
bool World::last_life() {
  ++tally_.last_lives;
  start(*places_.front());
  run_until(scheduler_.now() + 4 * kSecond, [] { return false; });
  return problem_.empty() && end_all();
}

std::string World::run() {
  draw_faults();
  plan_input();
  start(*places_.front());
  if (several_) start(*places_.back());
  plan_chaos();
  run_until(chaos_until_, [] { return false; });
  if (!problem_.empty() || !finish()) {
    const std::string difference = check_outputs(broker_, several_);
    return problem_ + (difference.empty() ? "" : " (" + difference + ")");
  }
  std::string difference = check_outputs(broker_, several_);
  if (!difference.empty() || !scheduler_.chance(0.3)) return difference;
  if (!last_life()) return problem_;
  return check_outputs(broker_, several_);
}

void World::add_to(Tally& tally) const {
  Tally own = tally_;
  own.shared = several_ ? 1 : 0;
  own.with_copies = copies_ ? 1 : 0;
  own.virtual_ms = static_cast<std::uint64_t>(scheduler_.now() / 1000);
  own.broker = broker_.counts;
  add(tally, own);
}

void add(Tally& sum, const Tally& one) {
  // Nothing but counts.
  constexpr std::size_t kCounts = sizeof(Tally) / sizeof(std::uint64_t);
  static_assert(kCounts * sizeof(std::uint64_t) == sizeof(Tally));
  std::uint64_t sums[kCounts], counts[kCounts];
  std::memcpy(sums, &sum, sizeof sum);
  std::memcpy(counts, &one, sizeof one);
  for (std::size_t i = 0; i < kCounts; ++i) sums[i] += counts[i];
  std::memcpy(&sum, sums, sizeof sum);
}

}  // namespace huiliu::simulation
