#include "tools/credit_sample/faults.h"

namespace huiliu::tools {
namespace {

bool in_ndjson(const FileSpec& spec) { return spec.format == Format::kNdjson; }
bool in_csv(const FileSpec& spec) { return spec.is_csv(); }
// Where the encoding is beyond doubt: declared by the file's name, or by a byte order mark.
bool in_marked_csv(const FileSpec& spec) {
  return spec.format == Format::kCsvGb18030 || spec.format == Format::kCsvWithBom;
}

template <Damage kDamage>
void damage(RandomNumbers&, Row& row, const FileSpec&) {
  row.damage = kDamage;
}

constexpr Fault kFaults[] = {
    {"truncated_json", "E801_BAD_JSON", Demand::kAny, in_ndjson, damage<Damage::kTruncated>},
    {"csv_missing_column", "E802_BAD_CSV", Demand::kAny, in_csv, damage<Damage::kMissingColumn>},
    {"csv_extra_column", "E802_BAD_CSV", Demand::kAny, in_csv, damage<Damage::kExtraColumn>},
    {"bad_bytes", "E803_BAD_ENCODING", Demand::kAny, in_marked_csv, damage<Damage::kBadBytes>},
};

}  // namespace

std::span<const Fault> file_faults() { return kFaults; }

}  // namespace huiliu::tools
