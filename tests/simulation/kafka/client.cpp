#include "tests/simulation/kafka/client.h"

#include <algorithm>

namespace huiliu::simulation {

Cluster*& cluster() {
  static Cluster* one = nullptr;
  return one;
}

bool is_retried(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS ||
         error == RD_KAFKA_RESP_ERR_NOT_COORDINATOR ||
         error == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION;
}

Journey Journey::draw(Cluster& cluster) {
  Scheduler& scheduler = cluster.scheduler;
  FaultCounts& counts = cluster.broker.counts;
  const Faults& faults = cluster.faults;
  ++counts.requests;
  Journey journey;
  journey.there = scheduler.between(30, 400);
  journey.back = scheduler.between(30, 400);
  if (scheduler.chance(faults.request_lost)) {
    journey.arrives = journey.answered = false;
    ++counts.requests_lost;
  } else if (scheduler.chance(faults.response_lost)) {
    journey.answered = false;
    ++counts.responses_lost;
  }
  if (scheduler.chance(faults.slow)) {
    journey.there += scheduler.between(0, faults.slow_most);
    ++counts.slow;
  }
  return journey;
}

namespace {

std::string setting(const rd_kafka_conf_t* conf, const char* name) {
  char value[512];
  std::size_t size = sizeof value;
  if (rd_kafka_conf_get(conf, name, value, &size) != RD_KAFKA_CONF_OK) return "";
  return value;
}

Micros duration(const rd_kafka_conf_t* conf, const char* name) {
  const std::string ms = setting(conf, name);
  constexpr Micros kDefault = 300'000'000;  // of deliveries, where none is set
  return ms.empty() ? kDefault : std::stoll(ms) * 1000;
}

}  // namespace

Client::Client(Cluster& cluster, rd_kafka_t* own, rd_kafka_type_t type, rd_kafka_conf_t* conf)
    : handle(own), process_(cluster.scheduler.process()), cluster_(cluster) {
  name = "huiliu";
  if (type == RD_KAFKA_PRODUCER) {
    const std::string id = setting(conf, "transactional.id");
    producer = std::make_unique<ProducerPart>(*this, id, duration(conf, "transaction.timeout.ms"),
                                              duration(conf, "message.timeout.ms"));
    return;
  }
  reader = std::make_unique<ReaderPart>(*this, setting(conf, "isolation.level") == "read_committed",
                                        setting(conf, "enable.partition.eof") == "true");
  member = std::make_shared<MemberPart>(
      *this, setting(conf, "group.id"), setting(conf, "group.instance.id"),
      duration(conf, "session.timeout.ms"), duration(conf, "heartbeat.interval.ms"));
}

rd_kafka_topic_t* Client::topic(const std::string& topic_name) {
  auto& known = topics_[topic_name];
  if (!known) {
    known = std::make_unique<rd_kafka_topic_t>();
    known->name = topic_name;
    known->client = this;
  }
  return known.get();
}

void Client::later(Micros delay, std::function<void(Client&)> what) {
  cluster_.scheduler.at(cluster_.scheduler.now() + delay, process_,
                        [weak = weak_from_this(), what = std::move(what)] {
                          if (const ClientPtr self = weak.lock()) what(*self);
                        });
}

rd_kafka_resp_err_t Client::request(const std::function<rd_kafka_resp_err_t()>& at_broker,
                                    Micros timeout, bool to_coordinator) {
  struct Answer {
    bool there = false;
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  };
  Scheduler& scheduler = cluster_.scheduler;
  const Micros deadline = scheduler.now() + timeout;
  for (;;) {
    const Journey journey = Journey::draw(cluster_);
    const auto answer = std::make_shared<Answer>();
    Cluster& in = cluster_;
    if (journey.arrives) {
      scheduler.at(scheduler.now() + journey.there, nullptr,
                   [&in, journey, answer, at_broker, to_coordinator] {
                     rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NOT_COORDINATOR;
                     if (to_coordinator && in.broker.coordinators_away()) {
                       ++in.broker.counts.away;
                     } else {
                       error = at_broker();
                     }
                     if (!journey.answered) return;
                     in.scheduler.at(in.scheduler.now() + journey.back, nullptr,
                                     [&in, answer, error] {
                                       answer->there = true;
                                       answer->error = error;
                                       in.scheduler.notify(answer.get());
                                     });
                   });
    }
    // A lost connection is noticed soon, or by the request's timeout.
    const Micros notice = scheduler.now() + journey.there + scheduler.between(500, 30'000) +
                          (scheduler.chance(0.1) ? 2'000'000 : 0);
    const Micros until = journey.answered ? deadline : std::min(deadline, notice);
    while (!answer->there && scheduler.now() < until) scheduler.wait_until(answer.get(), until);
    if (answer->there && !is_retried(answer->error)) return answer->error;
    if (scheduler.now() >= deadline) return RD_KAFKA_RESP_ERR__TIMED_OUT;
    scheduler.sleep(std::min(scheduler.between(1000, 20'000), deadline - scheduler.now()));
  }
}

}  // namespace huiliu::simulation
