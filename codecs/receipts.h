#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/component/intake.h"
#include "runtime/record/schema.h"

namespace huiliu::codecs {

/// What a receiver said of one record.
struct Receipt {
  std::string_view row;  ///< as it was sent: a JSON object without a line end
  bool accepted = true;
  std::string code, message;  ///< of a record that was refused
  std::string number;         ///< by which the receiver knows it; "" if it names none
};

/// Receipts of records that belong together, in their order.
struct ReceiptBatch {
  std::string key;   ///< the same whenever the same records are delivered again
  std::string name;  ///< for people and receivers
  std::int64_t at_ms = 0;
  std::vector<Receipt> receipts;
};

/// What a stream of receipts has before the fields of the record, in this order; the first is a
/// timestamp, `receipt_index` an integer and the rest text.
namespace receipt_fields {
inline constexpr std::string_view kTime = "receipt_time", kBatch = "receipt_batch",
                                  kIndex = "receipt_index", kOutcome = "receipt_outcome",
                                  kCode = "receipt_code", kMessage = "receipt_message",
                                  kNumber = "receipt_number";
}  // namespace receipt_fields
inline constexpr std::string_view kAccepted = "accepted", kRefused = "refused";

/// The fields of receipts, then those of `row`.
runtime::Schema receipt_schema(const runtime::Schema& row);
/// A field of `row` that has the name of one of a receipt's own; "" if there is none.
std::string_view taken_receipt_field(const runtime::Schema& row);

/// The receipts as entries of an intake, each with few enough that any backend takes it. Where they
/// are cut follows from the records alone, so that what is delivered again has the same keys.
std::vector<runtime::IntakeEntry> receipt_entries(const ReceiptBatch& batch);
/// Makes them durable, each once: those of records that were delivered before are as they were.
/// kUnavailable if the intake takes nothing now.
runtime::Status keep_receipts(runtime::Intake& intake, const ReceiptBatch& batch);

}  // namespace huiliu::codecs
