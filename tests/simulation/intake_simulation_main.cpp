// The intake log on a virtual clock: senders that send again until they have an answer, a reader
// that commits, a disk that fails and forgets what was not synced, and a process that is killed at
// any step. What was acknowledged must come out once, and nothing else twice.
// A seed that fails does so again: --first SEED --seeds 1 --trace.
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "runtime/base/failpoint.h"
#include "state/intake/intake_log.h"
#include "tests/simulation/kafka/scheduler.h"
#include "tests/simulation/power_loss_env.h"

namespace huiliu::simulation {
namespace {

using runtime::IntakeEntry;
using runtime::IntakeReceipt;

struct Tally {
  std::uint64_t lives = 0, power_losses = 0, steps = 0, acknowledged = 0, repeated = 0, refused = 0,
                full = 0, unasked = 0;
};

/// What is true outside of the process.
class World {
 public:
  World(std::uint64_t seed, bool trace, Tally& tally) : scheduler_(seed, trace), tally_(tally) {
    runtime::set_simulated_machine(&scheduler_);
    runtime::set_failpoint_hook([this](std::string_view step) { at_step(step); });
  }
  ~World() {
    runtime::set_failpoint_hook({});
    runtime::set_simulated_machine(nullptr);
  }

  /// What is wrong; "" = nothing.
  std::string run() {
    const std::uint64_t lives = 1 + scheduler_.below(8);
    for (std::uint64_t life = 0; life <= lives && wrong_.empty(); ++life) live(life == lives);
    if (wrong_.empty()) check();
    return wrong_;
  }

 private:
  struct Sender {
    int next = 0;
    std::string key, body;  ///< of what is under way; body empty: nothing is
    std::uint64_t tries = 0;
  };
  static constexpr int kEach = 12;

  void live(bool last) {
    ++tally_.lives;
    scheduler_.note(last ? "last life" : "life");
    process_ = std::make_shared<Process>();
    env_.fail_writes(!last && scheduler_.chance(0.4) ? 3 + scheduler_.below(30) : 0,
                     scheduler_.random());
    kill_at_step_ = !last && scheduler_.chance(0.6) ? 1 + scheduler_.below(60) : 0;
    if (!last) {
      scheduler_.at(scheduler_.now() + scheduler_.between(1000, 4'000'000), nullptr,
                    [this, process = process_] { scheduler_.kill(*process); });
    }
    scheduler_.spawn(process_, [this, last] { work(last); });
    while (!process_->dead && scheduler_.step()) {
    }
    scheduler_.kill(*process_);
    while (scheduler_.has_threads() && scheduler_.step()) {
    }
    log_.reset();
    if (last || !scheduler_.chance(0.5)) return;
    ++tally_.power_losses;
    scheduler_.note("loss of power");
    env_.lose_power(scheduler_.random());
  }

  void work(bool last) {
    runtime::IntakeOptions options;
    options.segment_bytes = 1 + scheduler_.below(2000);
    options.most_bytes = 4000;
    auto opened = state::IntakeLog::open("/intake", options, &env_);
    if (!opened.is_ok()) {
      // A disk that fails may keep the process from its start; anything else is a fault.
      if (last || opened.status().code() != runtime::StatusCode::kUnavailable) {
        wrong_ = "cannot be opened: " + opened.status().message();
      }
      return end();
    }
    log_ = std::shared_ptr<state::IntakeLog>(std::move(opened.value()));
    for (std::size_t s = 0; s < senders_.size(); ++s) {
      scheduler_.spawn(process_, [this, s] { send(s); });
    }
    read(last);
    end();
  }
  void end() {
    const auto log = std::move(log_);
    process_->dead = true;
  }

  void send(std::size_t number) {
    Sender& sender = senders_[number];
    while (sender.next < kEach || !sender.body.empty()) {
      scheduler_.sleep(scheduler_.between(0, 200'000));
      if (sender.body.empty()) {
        const int n = sender.next++;
        sender.body = fmt::format("{}-{}-{}", number, n, std::string(scheduler_.below(300), 'x'));
        sender.key = scheduler_.chance(0.7) ? fmt::format("key-{}-{}", number, n) : "";
        sender.tries = 0;
      }
      attempt(sender);
    }
  }

  void attempt(Sender& sender) {
    struct Answer {
      bool there = false;
      IntakeReceipt receipt;
    };
    const auto answer = std::make_shared<Answer>();
    ++sender.tries;
    const auto log = log_;
    if (!log) return;
    log->append({.key = sender.key, .body = sender.body}, [this, answer](const auto& receipt) {
      answer->receipt = receipt;
      answer->there = true;
      scheduler_.notify(answer.get());
    });
    while (!answer->there) scheduler_.wait_until(answer.get(), scheduler_.now() + 1'000'000);
    const IntakeReceipt& receipt = answer->receipt;
    if (receipt.status.code() == runtime::StatusCode::kUnavailable) {
      ++tally_.refused;
      return;
    }
    if (!receipt.status.is_ok()) {
      wrong_ = "refused: " + receipt.status.message();
      return;
    }
    ++tally_.acknowledged;
    if (receipt.repeated) ++tally_.repeated;
    if (receipt.repeated && sender.tries == 1) wrong_ = "a new one was known: " + sender.key;
    scheduler_.note("acknowledged", {static_cast<std::int64_t>(receipt.number)}, sender.key);
    const bool fresh = acknowledged_.emplace(receipt.number, sender.body).second;
    if (!fresh) wrong_ = fmt::format("number {} was given twice", receipt.number);
    sender.body.clear();
  }

  // As a source does: what is read is committed a while later, with all before it.
  void read(bool last) {
    std::uint64_t read = committed_;
    pending_.clear();
    while (wrong_.empty()) {
      const bool sent = all_sent();
      log_->wait(read, 50);
      std::vector<IntakeEntry> entries;
      const runtime::Status status = log_->read(read, 1 + scheduler_.below(1000), entries);
      if (!status.is_ok()) {
        wrong_ = "cannot be read: " + status.message();
        return;
      }
      for (IntakeEntry& entry : entries) {
        if (entry.number != ++read) wrong_ = "a number is left out";
        pending_.push_back(std::move(entry));
      }
      scheduler_.sleep(scheduler_.between(0, 100'000));
      if (scheduler_.chance(0.5)) commit();
      if (entries.empty() && sent && (last || scheduler_.chance(0.1))) {
        commit();
        return;
      }
    }
  }
  void commit() {
    for (IntakeEntry& entry : pending_) output_.push_back(std::move(entry));
    pending_.clear();
    if (!output_.empty()) committed_ = output_.back().number;
    scheduler_.note("committed", {static_cast<std::int64_t>(committed_)});
    log_->consumed(committed_);
  }
  bool all_sent() const {
    for (const Sender& sender : senders_) {
      if (sender.next < kEach || !sender.body.empty()) return false;
    }
    return true;
  }

  void at_step(std::string_view step) {
    ++tally_.steps;
    scheduler_.note("step", {}, step);
    if (kill_at_step_ > 0 && --kill_at_step_ == 0) scheduler_.die();
  }

  void check() {
    std::map<std::uint64_t, std::string> by_number;
    std::set<std::string> keys;
    for (const IntakeEntry& entry : output_) {
      if (!by_number.emplace(entry.number, entry.body).second) wrong_ = "a number came out twice";
      if (!entry.key.empty() && !keys.insert(entry.key).second) {
        wrong_ = "a key came out twice: " + entry.key;
      }
    }
    for (const auto& [number, body] : acknowledged_) {
      const auto found = by_number.find(number);
      if (found == by_number.end()) {
        wrong_ = fmt::format("number {} was acknowledged and is not there", number);
      } else if (found->second != body) {
        wrong_ = fmt::format("number {} is another body", number);
      }
    }
    tally_.unasked += by_number.size() - std::min(by_number.size(), acknowledged_.size());
  }

  Scheduler scheduler_;
  Tally& tally_;
  PowerLossEnv env_;
  ProcessPtr process_;
  std::shared_ptr<state::IntakeLog> log_;
  std::uint64_t kill_at_step_ = 0;
  std::vector<Sender> senders_{4};
  std::vector<IntakeEntry> pending_, output_;  // read; committed
  std::uint64_t committed_ = 0;
  std::map<std::uint64_t, std::string> acknowledged_;
  std::string wrong_;
};

int run(std::uint64_t first, std::uint64_t seeds, bool trace) {
  spdlog::set_level(spdlog::level::off);
  const auto started = std::chrono::steady_clock::now();
  Tally tally;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    World world(seed, trace, tally);
    if (const std::string wrong = world.run(); !wrong.empty()) {
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), wrong.c_str());
      return 1;
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  fmt::print(
      "{} seeds in {:.1f} s: {} lives, {} losses of power, {} steps; {} acknowledged, {} of them "
      "repeated, {} refused for now, {} kept without an answer\n",
      seeds, took.count(), tally.lives, tally.power_losses, tally.steps, tally.acknowledged,
      tally.repeated, tally.refused, tally.unasked);
  return 0;
}

}  // namespace
}  // namespace huiliu::simulation

int main(int argc, char** argv) {
  CLI::App app("simulates the intake log");
  std::uint64_t first = 1, seeds = 1000;
  bool trace = false;
  app.add_option("--first", first, "first seed");
  app.add_option("--seeds", seeds, "how many");
  app.add_flag("--trace", trace, "prints what happens");
  CLI11_PARSE(app, argc, argv);
  return huiliu::simulation::run(first, seeds, trace);
}
