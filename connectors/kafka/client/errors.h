#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <librdkafka/rdkafka.h>

namespace huiliu::connectors::kafka {

/// What Huiliu does about an error of the brokers or of librdkafka, wherever it comes from
/// (docs/guides/run-with-kafka.md says it to users).
enum class Reaction {
  kReject,  ///< sinks refuse such a record before it is sent; if the brokers must do it, as kEnd
  kRetry,   ///< passes by itself: whoever reads goes on, others are reopened, for as long
  kReopen,  ///< this client is done with: all is reopened at the last committed epoch
  kFew,     ///< nobody knows whether it passes: reopened a few times, then the process ends
  kEnd,     ///< only a person can mend it: the process ends with the remedy
};

struct ErrorRule {
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_UNKNOWN;
  Reaction reaction = Reaction::kFew;
  std::string_view remedy = {};  ///< of kReject and kEnd
};

/// The table's row; a code that it does not have is kFew.
ErrorRule rule_of(rd_kafka_resp_err_t code);
bool has_rule(rd_kafka_resp_err_t code);
/// Brokers give one code for too few of them and for those that are just starting, or that their
/// controller has lost for a moment. Only the text of the error tells which, and the second passes.
rd_kafka_resp_err_t meant(rd_kafka_resp_err_t code, std::string_view text);
std::span<const ErrorRule> error_rules();

/// Counts an error of kFew that comes again and again. Times are those of a steady clock, in ms.
class RepeatedErrors {
 public:
  static constexpr int kMost = 10;
  static constexpr std::int64_t kLeastMs = 60'000;  ///< so long it is tried at least
  static constexpr std::int64_t kApartMs = 60'000;  ///< errors that are further apart are others

  /// Notes one; whether it has come too often.
  bool too_often(std::int64_t now_ms);

 private:
  int times_ = 0;
  std::int64_t first_ms_ = 0, last_ms_ = 0;
};

}  // namespace huiliu::connectors::kafka
