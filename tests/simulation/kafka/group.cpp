#include "tests/simulation/kafka/group.h"

#include <algorithm>
#include <utility>

#include "tests/simulation/kafka/broker.h"

namespace huiliu::simulation {

rd_kafka_resp_err_t Groups::find(Group& group, const std::string& member,
                                 const std::string& instance, Member*& found) {
  const auto at = group.members.find(member);
  if (at != group.members.end()) {
    found = &at->second;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  // Another member has its name now.
  for (const auto& [id, one] : group.members) {
    if (!instance.empty() && one.instance == instance) {
      return RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
    }
  }
  return RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID;
}

void Groups::join(const JoinRequest& request, std::function<void(JoinAnswer)> answer) {
  Group& group = groups_[request.group];
  group.partitions = request.partitions;
  Member* member = nullptr;
  std::string id = request.member;
  if (id.empty() && request.instance.empty()) {  // KIP-394: it joins with the id it is given
    id = "m" + std::to_string(++last_member_);
    group.pending[id] = scheduler_.now() + request.session;
    answer({.error = RD_KAFKA_RESP_ERR_MEMBER_ID_REQUIRED, .member = id});
    return;
  }
  const auto pending = group.pending.find(id);
  if (pending != group.pending.end()) {
    const bool late = scheduler_.now() > pending->second;
    group.pending.erase(pending);
    if (late) {
      answer({.error = RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID});
      return;
    }
    member = &group.members[id];
    member->session = request.session;
    member->heard = scheduler_.now();
    watch(group, id);
  } else if (!id.empty()) {
    if (const auto error = find(group, id, request.instance, member)) {
      answer({.error = error});
      return;
    }
  } else {
    id = "m" + std::to_string(++last_member_);
    const auto old = std::find_if(group.members.begin(), group.members.end(), [&](const auto& one) {
      return !request.instance.empty() && one.second.instance == request.instance;
    });
    if (old != group.members.end()) {  // a static member that was started again takes its place
      Member taken = std::move(old->second);
      if (taken.answer) taken.answer({.error = RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID});
      taken.answer = nullptr;
      group.members.erase(old);
      member = &group.members.emplace(id, std::move(taken)).first->second;
      member->heard = scheduler_.now();
      watch(group, id);
      if (!group.preparing) {
        scheduler_.note("rejoined", {group.generation}, id);
        answer({.member = id, .generation = group.generation});
        return;
      }
    } else {
      member = &group.members[id];
      member->session = request.session;
      member->heard = scheduler_.now();
      watch(group, id);
    }
  }
  member->instance = request.instance;
  member->session = request.session;
  member->heard = scheduler_.now();
  member->owned = request.owned;
  member->joined = true;
  member->answer = std::move(answer);
  scheduler_.note("join", {group.generation, static_cast<std::int64_t>(request.owned.size())}, id);
  // The first member of a group waits for others a while.
  const bool first = group.members.size() == 1 && group.generation == 0;
  if (!group.preparing) prepare(group, first ? scheduler_.between(0, 3'000'000) : 0);
  complete_if_all(group);
}

void Groups::coordinator_is_back() {
  for (auto& [name, group] : groups_) {
    for (auto& [id, member] : group.members) member.heard = scheduler_.now();
  }
}

void Groups::prepare(Group& group, Micros wait) {
  constexpr Micros kRebalance = 600'000'000;  // max.poll.interval.ms
  group.preparing = true;
  const std::uint64_t round = ++group.round;
  const auto again = [this, &group, round](bool all) {
    if (!group.preparing || group.round != round) return;
    if (all) {
      std::vector<std::string> late;
      for (const auto& [id, one] : group.members) {
        if (!one.joined) late.push_back(id);
      }
      for (const std::string& id : late) remove(group, id);
    }
    complete_if_all(group);
  };
  if (wait > 0) {
    ++group.round;  // complete_if_all() waits
    const std::uint64_t own = group.round;
    scheduler_.at(scheduler_.now() + wait, nullptr, [this, &group, own] {
      if (group.preparing && group.round == own) {
        ++group.round;
        complete(group);
      }
    });
    return;
  }
  scheduler_.at(scheduler_.now() + kRebalance, nullptr, [again] { again(true); });
}

void Groups::complete_if_all(Group& group) {
  if (!group.preparing || group.members.empty()) return;
  if (group.generation == 0) return;  // its first wait ends it
  const bool all = std::all_of(group.members.begin(), group.members.end(),
                               [](const auto& one) { return one.second.joined; });
  if (all) complete(group);
}

void Groups::complete(Group& group) {
  group.preparing = false;
  ++group.generation;
  ++counts_.rebalances;
  assign(group);
  for (auto& [id, member] : group.members) {
    member.joined = false;
    member.heard = scheduler_.now();
    std::string shards;
    for (const int partition : member.assigned) shards += " " + std::to_string(partition);
    scheduler_.note("assigned", {group.generation}, id + ":" + shards);
    if (auto answer = std::exchange(member.answer, nullptr)) {
      answer({.member = id, .generation = group.generation});
    }
  }
}

// Each keeps what it has, up to its share; what another still has is given when that one has given
// it up and joined again.
void Groups::assign(Group& group) {
  if (group.members.empty()) return;
  std::map<int, std::string> owner;
  for (const auto& [id, member] : group.members) {
    for (const int partition : member.owned) owner.emplace(partition, id);
  }
  const auto all = static_cast<std::size_t>(group.partitions);
  const std::size_t least = all / group.members.size();
  std::size_t larger = all % group.members.size();
  std::set<int> left;
  for (int partition = 0; partition < group.partitions; ++partition) left.insert(partition);
  std::map<std::string, std::set<int>> target;
  for (const auto& [id, member] : group.members) {
    std::set<int>& own = target[id];
    for (const int partition : member.owned) {
      if (partition >= group.partitions || owner[partition] != id) continue;
      if (own.size() == least + (larger > 0 ? 1 : 0)) break;
      own.insert(partition);
      left.erase(partition);
    }
    if (own.size() > least) --larger;
  }
  for (auto& [id, own] : target) {
    while (!left.empty() && own.size() < least) own.insert(left.extract(left.begin()).value());
  }
  for (auto& [id, own] : target) {
    if (!left.empty() && own.size() == least) own.insert(left.extract(left.begin()).value());
  }
  for (auto& [id, member] : group.members) {
    member.assigned.clear();
    for (const int partition : target[id]) {
      const auto has = owner.find(partition);
      if (has == owner.end() || has->second == id) member.assigned.insert(partition);
    }
  }
}

rd_kafka_resp_err_t Groups::sync(const std::string& name, const std::string& id, int generation,
                                 std::set<int>& assigned) {
  Group& group = groups_[name];
  Member* member = nullptr;
  if (const auto error = find(group, id, "", member)) return error;
  if (generation != group.generation) return RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION;
  if (group.preparing) return RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
  member->heard = scheduler_.now();
  assigned = member->assigned;
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t Groups::heartbeat(const std::string& name, const std::string& id,
                                      const std::string& instance, int generation) {
  Group& group = groups_[name];
  Member* member = nullptr;
  if (const auto error = find(group, id, instance, member)) return error;
  if (generation != group.generation) return RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION;
  member->heard = scheduler_.now();
  return group.preparing ? RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS : RD_KAFKA_RESP_ERR_NO_ERROR;
}

void Groups::leave(const std::string& name, const std::string& id) {
  Group& group = groups_[name];
  if (group.members.contains(id)) remove(group, id);
}

void Groups::remove(Group& group, const std::string& id) {
  scheduler_.note("left", {group.generation}, id);
  group.members.erase(id);
  if (group.members.empty()) {
    group.preparing = false;
    return;
  }
  if (!group.preparing) prepare(group, 0);
  complete_if_all(group);
}

// A member that waits for the others to join is heard of by that.
void Groups::watch(Group& group, const std::string& id) {
  const auto found = group.members.find(id);
  if (found == group.members.end()) return;
  const Micros due = found->second.heard + found->second.session;
  if (scheduler_.now() > due && !found->second.joined) {
    ++counts_.expelled;
    remove(group, id);
    return;
  }
  scheduler_.at(std::max(due + 1000, scheduler_.now() + 50'000), nullptr,
                [this, &group, id] { watch(group, id); });
}

rd_kafka_resp_err_t Groups::check_offsets(const MemberId& sender) {
  Group& group = groups_[sender.group];
  if (sender.generation < 0 && sender.member.empty() && sender.instance.empty()) {
    return RD_KAFKA_RESP_ERR_NO_ERROR;  // from nobody in particular
  }
  Member* member = nullptr;
  if (const auto error = find(group, sender.member, sender.instance, member)) return error;
  if (sender.generation != group.generation) return RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION;
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace huiliu::simulation
