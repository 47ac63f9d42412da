// The part of a simulated client that is a member of a consumer group.
#include <algorithm>
#include <iterator>
#include <utility>

#include "tests/simulation/kafka/client.h"
#include "tests/simulation/kafka/message.h"

namespace huiliu::simulation {

MemberPart::MemberPart(Client& client, std::string group, std::string instance, Micros session,
                       Micros heartbeat)
    : client_(client),
      group_(std::move(group)),
      instance_(std::move(instance)),
      session_(session),
      heartbeat_every_(heartbeat) {}

void MemberPart::subscribe(const std::string& topic) {
  topic_ = topic;
  subscribed_ = true;
  heard_ = client_.scheduler().now();
  tick();
}

MemberId MemberPart::id() const { return {group_, member_, instance_, generation_}; }

void MemberPart::exchange(const std::function<rd_kafka_resp_err_t()>& at_broker,
                          const std::function<void(rd_kafka_resp_err_t)>& back) {
  Cluster& cluster = client_.in_cluster();
  const Journey journey = Journey::draw(cluster);
  const auto answer = [weak = client_.weak_from_this(), round = round_, back,
                       delay = journey.back](rd_kafka_resp_err_t error) {
    const ClientPtr self = weak.lock();
    if (!self) return;
    self->later(delay, [round, back, error](Client& client) {
      if (client.member->round_ == round) back(error);
    });
  };
  if (!journey.answered) {
    cluster.scheduler.at(cluster.scheduler.now() + journey.there + 100'000, nullptr,
                         [answer] { answer(RD_KAFKA_RESP_ERR__TRANSPORT); });
  }
  if (!journey.arrives) return;
  cluster.scheduler.at(
      cluster.scheduler.now() + journey.there, nullptr, [at_broker, answer, journey, &cluster] {
        const auto error =
            cluster.broker.coordinators_away() ? RD_KAFKA_RESP_ERR_NOT_COORDINATOR : at_broker();
        if (journey.answered) answer(error);
      });
}

// The background thread.
void MemberPart::tick() {
  constexpr Micros kEvery = 100'000;
  if (closing_) return;
  const Micros now = client_.scheduler().now();
  if (fatal_ == RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (state_ == State::kInit) join();
    const bool joined = state_ == State::kWaitCall || state_ == State::kSteady;
    if (joined && now - heard_ > session_ && !member_.empty()) {
      heard_ = now;
      member_.clear();
      lose_all();
    } else if (joined && !in_flight_) {
      heartbeat();
    }
  }
  // Once each interval after the joining is over; more often before.
  const bool steady = state_ == State::kSteady || state_ == State::kWaitCall;
  client_.later(steady ? heartbeat_every_ : kEvery, [](Client& c) { c.member->tick(); });
}

void MemberPart::heartbeat() {
  in_flight_ = true;
  Broker& broker = client_.broker();
  exchange(
      [&broker, group = group_, id = member_, instance = instance_, generation = generation_] {
        return broker.groups().heartbeat(group, id, instance, generation);
      },
      [this](rd_kafka_resp_err_t error) {
        in_flight_ = false;
        on_heartbeat(error);
      });
}

void MemberPart::on_heartbeat(rd_kafka_resp_err_t error) {
  if (state_ != State::kWaitCall && state_ != State::kSteady) return;  // outdated
  switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      heard_ = client_.scheduler().now();
      break;
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
      heard_ = client_.scheduler().now();
      if (state_ == State::kSteady) rejoin();
      break;
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
      member_.clear();
      lose_all();
      break;
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
      generation_ = -1;
      lose_all();
      break;
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
      fatal_ = error;
      lose_all();
      break;
    default:
      break;  // the coordinator is looked for
  }
}

// Skipped while a rebalance is under way, as in librdkafka.
void MemberPart::lose_all() {
  if (state_ != State::kSteady) return;
  client_.scheduler().note("lost all", {generation_}, member_);
  if (owned_.empty()) {
    rejoin();
    return;
  }
  rejoin_ = lost_ = true;
  plan_call(RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS, owned_);
}

void MemberPart::rejoin() {
  ++round_;
  in_flight_ = false;
  state_ = State::kInit;
  join();
}

void MemberPart::join() {
  state_ = State::kWaitJoin;
  Broker& broker = client_.broker();
  const Topic* const topic = broker.topic(topic_);
  JoinRequest request{.group = group_,
                      .member = member_,
                      .instance = instance_,
                      .topic = topic_,
                      .partitions = topic == nullptr ? 0 : static_cast<int>(topic->logs.size()),
                      .session = session_,
                      .owned = owned_};
  // Its answer comes when the others have joined too; a lost one is asked for again.
  const Journey journey = Journey::draw(client_.in_cluster());
  const std::weak_ptr<Client> weak = client_.weak_from_this();
  const auto back = [weak, round = round_, delay = journey.back](const JoinAnswer& answer) {
    if (const ClientPtr self = weak.lock()) {
      self->later(delay, [round, answer](Client& client) {
        if (client.member->round_ == round) client.member->on_join(answer);
      });
    }
  };
  Scheduler& scheduler = client_.scheduler();
  if (!journey.answered) {
    client_.later(journey.there + scheduler.between(1000, 1'000'000),
                  [round = round_](Client& client) {
                    if (client.member->round_ == round) client.member->rejoin();
                  });
  }
  if (!journey.arrives) return;
  scheduler.at(scheduler.now() + journey.there, nullptr,
               [&broker, request, back, answered = journey.answered] {
                 if (broker.coordinators_away()) {
                   back({.error = RD_KAFKA_RESP_ERR_NOT_COORDINATOR});
                   return;
                 }
                 broker.groups().join(request, [back, answered](const JoinAnswer& answer) {
                   if (answered) back(answer);
                 });
               });
}

void MemberPart::on_join(const JoinAnswer& answer) {
  if (state_ != State::kWaitJoin) return;
  ++round_;
  in_flight_ = false;
  switch (answer.error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      member_ = answer.member;
      generation_ = answer.generation;
      heard_ = client_.scheduler().now();
      state_ = State::kWaitSync;
      sync();
      return;
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
      fatal_ = answer.error;
      break;
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
      member_.clear();  // what it has is not given up
      break;
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
      generation_ = -1;
      state_ = State::kSteady;
      lose_all();
      return;
    case RD_KAFKA_RESP_ERR_MEMBER_ID_REQUIRED:
      member_ = answer.member;
      state_ = State::kSteady;
      lose_all();  // joins at once if it has nothing
      return;
    default:
      break;
  }
  state_ = State::kInit;  // by the next tick
}

void MemberPart::sync() {
  Broker& broker = client_.broker();
  const auto assigned = std::make_shared<std::set<int>>();
  exchange([&broker, group = group_, id = member_, generation = generation_,
            assigned] { return broker.groups().sync(group, id, generation, *assigned); },
           [this, assigned](rd_kafka_resp_err_t error) { on_sync(error, *assigned); });
}

void MemberPart::on_sync(rd_kafka_resp_err_t error, const std::set<int>& assigned) {
  if (state_ != State::kWaitSync) return;
  if (error == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID) member_.clear();
  if (error == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION) generation_ = -1;
  if (error == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
      error == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION) {
    state_ = State::kSteady;
    lose_all();
    return;
  }
  if (error) {
    if (error == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) fatal_ = error;
    state_ = State::kInit;
    return;
  }
  std::set<int> revoked, added;
  std::set_difference(owned_.begin(), owned_.end(), assigned.begin(), assigned.end(),
                      std::inserter(revoked, revoked.end()));
  std::set_difference(assigned.begin(), assigned.end(), owned_.begin(), owned_.end(),
                      std::inserter(added, added.end()));
  if (revoked.empty()) {
    rejoin_ = false;
    plan_call(RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, std::move(added));
    return;
  }
  added_ = std::move(added);
  adding_ = true;  // and join again after that
  plan_call(RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS, std::move(revoked));
}

void MemberPart::plan_call(rd_kafka_resp_err_t code, std::set<int> partitions) {
  state_ = State::kWaitCall;
  calls_.push_back({code, std::move(partitions)});
  client_.scheduler().notify(this);
}

void MemberPart::assign_called(const rd_kafka_topic_partition_list_t* list, bool add) {
  for (int i = 0; i < list->cnt; ++i) {
    if (add) {
      owned_.insert(list->elems[i].partition);
    } else {
      owned_.erase(list->elems[i].partition);
    }
  }
}

void MemberPart::call() {
  const Call call = calls_.front();
  calls_.pop_front();
  rd_kafka_topic_partition_list_t* const list = rd_kafka_topic_partition_list_new(8);
  for (const int partition : call.partitions) {
    rd_kafka_topic_partition_list_add(list, topic_.c_str(), partition);
  }
  client_.scheduler().note(call.code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? "assign" : "revoke",
                           {generation_, list->cnt}, member_);
  try {
    client_.callbacks.rebalance(client_.handle, call.code, list, client_.callbacks.opaque);
  } catch (...) {
    rd_kafka_topic_partition_list_destroy(list);
    throw;
  }
  rd_kafka_topic_partition_list_destroy(list);
  if (closing_) return;
  if (call.code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS && std::exchange(adding_, false)) {
    rejoin_ = true;
    plan_call(RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, std::exchange(added_, {}));
    return;
  }
  state_ = State::kSteady;
  lost_ = false;
  if (std::exchange(rejoin_, false)) rejoin();
}

rd_kafka_message_t* MemberPart::poll(Micros wait) {
  Scheduler& scheduler = client_.scheduler();
  if (calls_.empty()) scheduler.wait_until(this, scheduler.now() + wait);
  if (!calls_.empty()) {
    call();
    return nullptr;
  }
  if (fatal_) {
    return make_message(client_.topic(topic_), 0, RD_KAFKA_RESP_ERR__FATAL, -1);
  }
  return nullptr;
}

void MemberPart::close() {
  if (!subscribed_ || closing_) return;
  closing_ = true;
  ++round_;
  calls_.clear();
  if (!owned_.empty()) {
    calls_.push_back({RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS, owned_});
    call();
  }
  if (!instance_.empty() || member_.empty()) return;  // a static member does not leave
  Broker& broker = client_.broker();
  client_.scheduler().at(
      client_.scheduler().now() + 200, nullptr,
      [&broker, group = group_, id = member_] { broker.groups().leave(group, id); });
}

}  // namespace huiliu::simulation
