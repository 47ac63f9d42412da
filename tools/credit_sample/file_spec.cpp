#include "tools/credit_sample/file_spec.h"

#include <algorithm>

#include "tools/credit_sample/departments.h"
#include "tools/credit_sample/layouts.h"

namespace huiliu::tools {

bool FileSpec::has(Field field) const {
  return std::ranges::any_of(columns, [=](const Column& column) { return column.field == field; });
}

bool FileSpec::versioned() const { return has(Field::kVersion) && department != kTransport; }

std::vector<FileSpec> file_specs() {
  using enum RecordKind;
  using enum Edition;
  using enum Format;
  using enum StatusStyle;
  using namespace layouts;
  return {
      {"01_scjg_licence_2018.ndjson", kLicence, k2018, kNdjson, kCode2018, kMarket, kLicence2018},
      {"02_scjg_penalty_2018.ndjson", kPenalty, k2018, kNdjson, kMark, kMarket, kPenalty2018},
      {"03_jtys_licence_2018.csv", kLicence, k2018, kCsv, kCode2018, kTransport, kLicence2018},
      {"04_sthj_licence_2018_gb18030.csv", kLicence, k2018, kCsvGb18030, kCode2018, kEnvironment,
       kLicence2018},
      {"05_zjj_licence_2018.xlsx", kLicence, k2018, kXlsx, kCode2018, kHousing,
       kLicence2018Chinese},
      {"06_wjw_penalty_2018.xlsx", kPenalty, k2018, kXlsx, kMark, kHealth, kPenalty2018Chinese},
      {"07_xlscj_licence_synonyms.csv", kLicence, k2018, kCsvWithBom, kWord, kDistrictMarket,
       kLicenceSynonyms},
      {"08_jtys_licence_2015.csv", kLicence, k2015, kCsv, kCode2015, kTransport, kLicence2015},
      {"09_sthj_penalty_2015.csv", kPenalty, k2015, kCsv, kCode2015, kEnvironment, kPenalty2015},
      {"10_swj_redlist.csv", RecordKind::kRedList, k2018, kCsv, kList, kTax, layouts::kRedList},
      {"11_scjg_redlist.ndjson", RecordKind::kRedList, k2018, kNdjson, kList, kMarket,
       layouts::kRedList},
      {"12_rsj_blacklist.ndjson", RecordKind::kBlackList, k2018, kNdjson, kList, kLabour,
       layouts::kBlackList},
      {"13_sthj_blacklist_gb18030.csv", RecordKind::kBlackList, k2018, kCsvGb18030, kList,
       kEnvironment, layouts::kBlackList},
      {"14_scjg_licence_2018_again.csv", kLicence, k2018, kCsv, kCode2018, kMarket, kLicence2018,
       FollowUp::kRepeat},
      {"15_xzfw_licence_2018.ndjson", kLicence, k2018, kNdjson, kCode2018, kServiceCentre,
       kLicence2018, FollowUp::kConflict},
      {"16_xzfw_penalty_2018.ndjson", kPenalty, k2018, kNdjson, kMark, kServiceCentre, kPenalty2018,
       FollowUp::kConflict},
  };
}

const char* status_text(const FileSpec& spec, bool withdrawn) {
  switch (spec.status) {
    case StatusStyle::kCode2018:
      return withdrawn ? "已撤销" : "1";  // 2 is 无效, which is no withdrawal
    case StatusStyle::kCode2015:
      return withdrawn ? "1" : "0";
    case StatusStyle::kWord:
      return withdrawn ? "撤销" : "有效";
    case StatusStyle::kMark:
      return withdrawn ? "撤销" : "正常";
    case StatusStyle::kList:
      break;
  }
  if (!withdrawn) return "在列";
  return spec.kind == RecordKind::kRedList ? "已退出" : "已移出";
}

}  // namespace huiliu::tools
