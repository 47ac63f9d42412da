#include "domain/remedies.h"

#include <utility>

namespace huiliu::domain {
namespace {

constexpr std::pair<std::string_view, Remedy> kRemedies[] = {
    {"E101_MISSING", {"fill it in and send the row again", "请补填后重报"}},
    {"E201_FORMAT", {"write it as the template shows", "请按模板要求的格式填写"}},
    {"E202_CHECK_DIGIT", {"compare it with the licence or certificate", "请与证照原件核对后更正"}},
    {"E203_LENGTH", {"compare it with the licence or certificate", "请核对位数后更正"}},
    {"E204_CHARSET", {"compare it with the licence or certificate", "请核对字母与数字后更正"}},
    {"E205_DATE_IMPOSSIBLE", {"compare it with the document", "请与文书核对后更正"}},
    {"E206_DATE_AMBIGUOUS_YEAR", {"write the year with four digits", "年份请写四位"}},
    {"E207_DATE_OPEN_END", {"write the day", "请填写具体日期"}},
    {"E208_AMOUNT_FORMAT", {"write a number in units of 10,000 yuan", "请填写以万元为单位的数字"}},
    {"E209_BIRTHDATE", {"compare it with the identity card", "请与身份证件核对后更正"}},
    {"E301_NOT_IN_TABLE", {"choose a word of the code table", "请从代码表中选择"}},
    {"E401_DATE_ORDER", {"compare the dates with the document", "请与文书核对各日期后更正"}},
    {"E402_DATE_IN_FUTURE", {"compare it with the document", "请与文书核对后更正"}},
    {"E403_PARTY_FIELDS",
     {"fill in the codes that the category of the party asks for", "请按相对人类别填写代码或证件"}},
    {"E404_AMOUNT_REQUIRED", {"fill in what the kind of penalty asks for", "请按处罚类别补填"}},
    {"E404_CERTIFICATE_REQUIRED",
     {"fill in what the kind of penalty asks for", "请按处罚类别补填"}},
    {"E405_USCC_CATEGORY", {"correct the category or the code", "请更正相对人类别或代码"}},
    {"E406_AUTHORITY_NAME", {"correct the name or the code", "请更正机关名称或代码"}},
    {"E407_TWO_BODIES", {"correct the code that is wrong", "请更正填错的代码"}},
    {"E408_PUBLICATION", {"write a day within the period", "请改为期限内的日期"}},
    {"E409_STATUS", {"correct the status or the day", "请更正状态或日期"}},
    {"E701_NOT_PERMITTED",
     {"send it by the authority itself, or register the unit",
      "请由该机关自行报送，或登记代报关系"}},
};

}  // namespace

std::string warning_code(std::string_view code) {
  std::string result(code);
  if (result.starts_with('E')) result.front() = 'W';
  return result;
}

Remedy remedy_of(std::string_view code) {
  for (const auto& [known, remedy] : kRemedies) {
    if (known == code || warning_code(known) == code) return remedy;
  }
  return {};
}

}  // namespace huiliu::domain
