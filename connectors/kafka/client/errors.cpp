#include "connectors/kafka/client/errors.h"

#include <algorithm>
#include <iterator>

#include "runtime/base/failpoint.h"

namespace huiliu::connectors::kafka {
namespace {

using enum Reaction;

constexpr std::string_view kTopicSettings =
    "the brokers' settings do not allow such a topic: change them, or create it by hand";
constexpr std::string_view kCredentials = "check user and password in `settings`";
constexpr std::string_view kMechanism =
    "the brokers take another way to log in: check sasl.mechanism and security.protocol in "
    "`settings`";
constexpr std::string_view kTooOld =
    "the broker is too old: transactions with group metadata need 2.5";
constexpr std::string_view kTooLarge = "raise max.message.bytes of the topic";
constexpr std::string_view kGroupOther =
    "a program that is no worker of this topology is a member of the group: end it, or give one of "
    "them another `group`";
constexpr std::string_view kNotReadable =
    "the client lacks what the topic needs, such as a codec of its batches: install a librdkafka "
    "that has it";

// Each code that librdkafka knows has a row (errors_test.cpp); the rest is kFew.
constexpr ErrorRule kRules[] = {
    // The record's own fault, which sinks look for before they send it.
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, kReject, kTooLarge},
    {RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, kReject, kTooLarge},
    {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, kReject,
     "raise segment.bytes and max.message.bytes of the topic, or lower `batch.size` in `settings`"},
    {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, kReject,
     "the topic bounds the messages' times (message.timestamp.difference.max.ms, "
     "message.timestamp.before.max.ms, message.timestamp.after.max.ms)"},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, kReject,
     "the topic does not take the message: one that is compacted needs keys"},

    // Brokers that start, move, are away or busy.
    {RD_KAFKA_RESP_ERR__TRANSPORT, kRetry},
    {RD_KAFKA_RESP_ERR__RESOLVE, kRetry},
    {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, kRetry},
    {RD_KAFKA_RESP_ERR__TIMED_OUT, kRetry},
    {RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, kRetry},
    {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, kRetry},
    {RD_KAFKA_RESP_ERR__ISR_INSUFF, kRetry},
    {RD_KAFKA_RESP_ERR__NODE_UPDATE, kRetry},
    {RD_KAFKA_RESP_ERR__WAIT_COORD, kRetry},
    {RD_KAFKA_RESP_ERR__WAIT_CACHE, kRetry},
    {RD_KAFKA_RESP_ERR__IN_PROGRESS, kRetry},
    {RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS, kRetry},
    {RD_KAFKA_RESP_ERR__INTR, kRetry},
    {RD_KAFKA_RESP_ERR__RETRY, kRetry},
    {RD_KAFKA_RESP_ERR__QUEUE_FULL, kRetry},
    {RD_KAFKA_RESP_ERR__UNKNOWN_BROKER, kRetry},
    {RD_KAFKA_RESP_ERR__PARTIAL, kRetry},
    {RD_KAFKA_RESP_ERR__NOOP, kRetry},
    {RD_KAFKA_RESP_ERR__PARTITION_EOF, kRetry},
    {RD_KAFKA_RESP_ERR__NO_OFFSET, kRetry},
    {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, kRetry},
    {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, kRetry},
    {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, kRetry},
    {RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, kRetry},
    {RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, kRetry},
    {RD_KAFKA_RESP_ERR_STALE_CTRL_EPOCH, kRetry},
    {RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, kRetry},
    {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, kRetry},
    {RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, kRetry},
    {RD_KAFKA_RESP_ERR_NOT_COORDINATOR, kRetry},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, kRetry},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, kRetry},
    {RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, kRetry},
    {RD_KAFKA_RESP_ERR_NOT_CONTROLLER, kRetry},
    {RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, kRetry},
    {RD_KAFKA_RESP_ERR_OPERATION_NOT_ATTEMPTED, kRetry},
    {RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, kRetry},
    {RD_KAFKA_RESP_ERR_LOG_DIR_NOT_FOUND, kRetry},
    {RD_KAFKA_RESP_ERR_REASSIGNMENT_IN_PROGRESS, kRetry},
    {RD_KAFKA_RESP_ERR_NO_REASSIGNMENT_IN_PROGRESS, kRetry},
    {RD_KAFKA_RESP_ERR_FETCH_SESSION_ID_NOT_FOUND, kRetry},
    {RD_KAFKA_RESP_ERR_INVALID_FETCH_SESSION_EPOCH, kRetry},
    {RD_KAFKA_RESP_ERR_LISTENER_NOT_FOUND, kRetry},
    {RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, kRetry},
    {RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH, kRetry},
    {RD_KAFKA_RESP_ERR_STALE_BROKER_EPOCH, kRetry},
    {RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE, kRetry},
    {RD_KAFKA_RESP_ERR_MEMBER_ID_REQUIRED, kRetry},
    {RD_KAFKA_RESP_ERR_PREFERRED_LEADER_NOT_AVAILABLE, kRetry},
    {RD_KAFKA_RESP_ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE, kRetry},
    {RD_KAFKA_RESP_ERR_ELECTION_NOT_NEEDED, kRetry},
    {RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, kRetry},
    {RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, kRetry},

    // The transaction, the membership or what was being read is another's, or deleted: a new
    // opening
    // finds out which.
    {RD_KAFKA_RESP_ERR__DESTROY, kReopen},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, kReopen},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, kReopen},
    {RD_KAFKA_RESP_ERR__UNKNOWN_GROUP, kReopen},
    {RD_KAFKA_RESP_ERR__EXISTING_SUBSCRIPTION, kReopen},
    {RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, kReopen},
    {RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS, kReopen},
    {RD_KAFKA_RESP_ERR__STATE, kReopen},
    {RD_KAFKA_RESP_ERR__OUTDATED, kReopen},
    {RD_KAFKA_RESP_ERR__PURGE_QUEUE, kReopen},
    {RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, kReopen},
    {RD_KAFKA_RESP_ERR__FATAL, kReopen},
    {RD_KAFKA_RESP_ERR__INCONSISTENT, kReopen},
    {RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE, kReopen},
    {RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED, kReopen},
    {RD_KAFKA_RESP_ERR__FENCED, kReopen},
    {RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST, kReopen},
    {RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, kReopen},
    {RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, kReopen},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, kReopen},
    {RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, kReopen},
    {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, kReopen},
    {RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, kReopen},
    {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, kReopen},
    {RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER, kReopen},
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, kReopen},
    {RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, kReopen},
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING, kReopen},
    {RD_KAFKA_RESP_ERR_TRANSACTION_COORDINATOR_FENCED, kReopen},
    {RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, kReopen},
    {RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP, kReopen},
    {RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND, kReopen},
    {RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, kReopen},
    {RD_KAFKA_RESP_ERR_PRODUCER_FENCED, kReopen},

    // Mistakes of a client or a broker, and damage: again it may be well, and for ever it is not.
    {RD_KAFKA_RESP_ERR__BAD_MSG, kFew},
    {RD_KAFKA_RESP_ERR__BAD_COMPRESSION, kFew},
    {RD_KAFKA_RESP_ERR__FAIL, kFew},
    {RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE, kFew},
    {RD_KAFKA_RESP_ERR__FS, kFew},
    {RD_KAFKA_RESP_ERR__INVALID_ARG, kFew},
    {RD_KAFKA_RESP_ERR__CONFLICT, kFew},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PROTOCOL, kFew},
    {RD_KAFKA_RESP_ERR__KEY_SERIALIZATION, kFew},
    {RD_KAFKA_RESP_ERR__VALUE_SERIALIZATION, kFew},
    {RD_KAFKA_RESP_ERR__KEY_DESERIALIZATION, kFew},
    {RD_KAFKA_RESP_ERR__VALUE_DESERIALIZATION, kFew},
    {RD_KAFKA_RESP_ERR__READ_ONLY, kFew},
    {RD_KAFKA_RESP_ERR__NOENT, kFew},
    {RD_KAFKA_RESP_ERR__UNDERFLOW, kFew},
    {RD_KAFKA_RESP_ERR__INVALID_TYPE, kFew},
    {RD_KAFKA_RESP_ERR__NOT_CONFIGURED, kFew},
    {RD_KAFKA_RESP_ERR__APPLICATION, kFew},
    {RD_KAFKA_RESP_ERR_UNKNOWN, kFew},
    {RD_KAFKA_RESP_ERR_INVALID_MSG, kFew},
    {RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, kFew},
    {RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, kFew},
    {RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE, kFew},
    {RD_KAFKA_RESP_ERR_INVALID_REQUEST, kFew},
    {RD_KAFKA_RESP_ERR_GROUP_SUBSCRIBED_TO_TOPIC, kFew},
    {RD_KAFKA_RESP_ERR_RESOURCE_NOT_FOUND, kFew},
    {RD_KAFKA_RESP_ERR_DUPLICATE_RESOURCE, kFew},
    {RD_KAFKA_RESP_ERR_INCONSISTENT_VOTER_SET, kFew},
    {RD_KAFKA_RESP_ERR_INVALID_UPDATE_VERSION, kFew},
    {RD_KAFKA_RESP_ERR_FEATURE_UPDATE_FAILED, kFew},

    // Rights, settings and versions.
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, kEnd,
     "give the user the rights on the topic (ACL: Read and Describe for sources; Write and "
     "Describe for sinks; Create too for internal topics)"},
    {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, kEnd,
     "give the user Read on the consumer group"},
    {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, kEnd,
     "give the user Write and Describe on the transactional id"},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, kEnd,
     "give the user IdempotentWrite on the cluster"},
    {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, kEnd, kCredentials},
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, kEnd, kCredentials},
    {RD_KAFKA_RESP_ERR_UNACCEPTABLE_CREDENTIAL, kEnd, kCredentials},
    {RD_KAFKA_RESP_ERR_PRINCIPAL_DESERIALIZATION_FAILURE, kEnd, kCredentials},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, kEnd, kMechanism},
    {RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE, kEnd, kMechanism},
    {RD_KAFKA_RESP_ERR_SECURITY_DISABLED, kEnd, kMechanism},
    {RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_AUTH_DISABLED, kEnd, kMechanism},
    {RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_NOT_FOUND, kEnd, kCredentials},
    {RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_OWNER_MISMATCH, kEnd, kCredentials},
    {RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, kEnd, kMechanism},
    {RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_AUTHORIZATION_FAILED, kEnd, kCredentials},
    {RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_EXPIRED, kEnd, "renew the token in `settings`"},
    {RD_KAFKA_RESP_ERR_INVALID_PRINCIPAL_TYPE, kEnd, kCredentials},
    {RD_KAFKA_RESP_ERR__SSL, kEnd, "check the certificates in `settings`"},
    {RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT, kEnd,
     "`transaction_timeout` is longer than the broker's transaction.max.timeout.ms"},
    {RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT, kEnd,
     "`session_timeout` is not between the broker's group.min.session.timeout.ms and "
     "group.max.session.timeout.ms"},
    {RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, kEnd,
     "`replication` is more than there are brokers"},
    {RD_KAFKA_RESP_ERR_INVALID_REPLICA_ASSIGNMENT, kEnd, kTopicSettings},
    {RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL, kEnd, kGroupOther},
    {RD_KAFKA_RESP_ERR_INVALID_GROUP_ID, kEnd, "the brokers do not take the name: change `group`"},
    {RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED, kEnd,
     "the group has as many members as the brokers allow: raise group.max.size, or run fewer "
     "workers"},
    {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, kEnd,
     "names of topics have at most 249 letters, digits, `.`, `_` and `-`, and two that differ only "
     "in `.` and `_` cannot both be"},
    {RD_KAFKA_RESP_ERR_INVALID_CONFIG, kEnd, kTopicSettings},
    {RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, kEnd, kTopicSettings},
    {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, kEnd, kTopicSettings},
    {RD_KAFKA_RESP_ERR_TOPIC_DELETION_DISABLED, kEnd, kTopicSettings},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, kEnd, kTooOld},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, kEnd, kTooOld},
    {RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, kEnd, kTooOld},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, kEnd,
     "the brokers do not know the codec: choose another `compression`, or raise their version"},
    {RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED, kEnd, kNotReadable},
};

const ErrorRule* find(rd_kafka_resp_err_t code) {
  const auto* const found = std::find_if(std::begin(kRules), std::end(kRules),
                                         [&](const ErrorRule& rule) { return rule.code == code; });
  return found == std::end(kRules) ? nullptr : found;
}

}  // namespace

ErrorRule rule_of(rd_kafka_resp_err_t code) {
  const ErrorRule* const found = find(code);
  return found == nullptr ? ErrorRule{code} : *found;
}

bool has_rule(rd_kafka_resp_err_t code) { return find(code) != nullptr; }

rd_kafka_resp_err_t meant(rd_kafka_resp_err_t code, std::string_view text) {
  const bool passes = code == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR &&
                      text.find("currently fenced") != std::string_view::npos;
  return passes ? RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE : code;
}

std::span<const ErrorRule> error_rules() { return kRules; }

bool RepeatedErrors::too_often(std::int64_t now_ms) {
  if (times_ == 0 || now_ms - last_ms_ > kApartMs) {
    times_ = 0;
    first_ms_ = now_ms;
  }
  last_ms_ = now_ms;
  const bool many = ++times_ >= kMost && now_ms - first_ms_ >= kLeastMs;
  return many && !runtime::mutant("kafka.unknown_for_ever");
}

}  // namespace huiliu::connectors::kafka
