#include "service/rules/check_words.h"

namespace huiliu::service {
namespace {

constexpr std::string_view kCodeCodes = "E201, E202, E203, E204";

constexpr CheckWords kWords[] = {
    {"required", "必填", "is filled in", "E101_MISSING", "必填项缺失",
     "a mandatory field is missing"},
    {"absent", "应为空", "is empty", "E403_PARTY_FIELDS", "该类记录不应填写此项",
     "the field must be empty for this kind of record"},
    {"one_of", "取值为 {values} 之一", "is one of {values}", "E301_NOT_IN_TABLE",
     "取值不在规定范围内", "the value is not one of those allowed"},
    {"uscc", "统一社会信用代码（GB 32100）正确", "is a credit code (GB 32100)", kCodeCodes, "", ""},
    {"org_code", "组织机构代码（GB 11714）正确", "is an organisation code (GB 11714)", kCodeCodes,
     "", ""},
    {"registration_number", "工商注册号（15 位或 13 位）正确",
     "is a registration number of 15 or 13 digits", kCodeCodes, "", ""},
    {"id_card", "公民身份号码（GB 11643）正确", "is a citizen's number (GB 11643)",
     "E201, E202, E203, E204, E209", "", ""},
    {"document", "号码与 {F:type_field} 相符", "has the form of the {F:type_field}",
     "E201, E202, E203, E204, E209, E301", "", ""},
    {"max_length", "不超过 {length} 个字符", "has at most {length} characters", "E203_LENGTH",
     "内容超过规定长度", "the text is longer than allowed"},
    {"date_order", "不晚于 {F:not_after}", "is not after {F:not_after}", "E401_DATE_ORDER",
     "日期先后顺序有误", "the dates are in the wrong order"},
    {"not_future", "不晚于当日（中国时间）", "is not after today (in China)", "E402_DATE_IN_FUTURE",
     "日期晚于当前日期", "the date lies in the future"},
    {"positive", "大于零的数", "is a number greater than zero", "E208_AMOUNT_FORMAT",
     "金额应为大于零的数", "the amount must be a number greater than zero"},
    {"uscc_head", "以 {heads} 开头", "begins with {heads}", "E405_USCC_CATEGORY",
     "统一社会信用代码与主体类别不符", "the credit code belongs to another kind of party"},
    {"uscc_known_head", "登记管理部门、机构类别和主体标识码已知",
     "has a known department, body type and inner code", "W201_USCC_HEAD",
     "统一社会信用代码的登记机关、类别或主体标识码存疑",
     "the credit code's head or inner code is not known"},
    {"table",
     "在表 {T:table} 中[，且在 {F:date} 当日有效][；多个值以 {separator} "
     "分隔][；或为“{other_prefix}…”]",
     "stands in {T:table}[, in force on {F:date}][; several are parted by {separator}][; or "
     "\"{other_prefix}…\"]",
     "E301_NOT_IN_TABLE", "", ""},
    {"name_of_code", "是 {F:code_field} 所示机关的名称[，按 {F:date} 当日]，见表 {T:table}",
     "is the name of the body with the {F:code_field}[ on {F:date}], by {T:table}",
     "E406_AUTHORITY_NAME", "", ""},
    {"working_days", "距 {F:after} 不超过 {days} 个工作日，见表 {T:table}",
     "is at most {days} working days after {F:after}, by {T:table}",
     "E501_OVERDUE, E502_NO_WORKDAYS", "", ""},
    {"contains_requires", "含 {contains} 的，须填 {F:requires}",
     "if it contains {contains}, {F:requires} is filled in", "E404_AMOUNT_REQUIRED",
     "按该类别此项为必填", "the category makes this field mandatory"},
    {"permitted_source", "{F:source} 可为该机关报送（机关自报总可），见表 {T:table}",
     "{F:source} may upload for it (it always may itself), by {T:table}", "E701_NOT_PERMITTED",
     "数据来源单位无权为该机关报送", "the source may not upload for this authority"},
    {"unit_suspect", "不超过 10000 万元[（此处为 {more_than}）]",
     "is at most 10,000 万元[ (here {more_than})]", "W208_UNIT_SUSPECT",
     "金额单位可疑，可能误填为元", "the amount may be in yuan instead of 10,000 yuan"},
    {"one_body", "各代码同属一个主体", "the codes are those of one body", "E407_TWO_BODIES",
     "同一行中的代码属于两个不同主体", "the codes of the row are those of two different bodies"},
    {"unit_of_text", "与 {F:text} 中以元为单位的数字不同",
     "is not the number that {F:text} gives in yuan", "W208_UNIT",
     "正文以元为单位写了同一数字，而本栏单位为万元",
     "the text gives this number in yuan, the column is in 10,000 yuan"},
    {"never", "不得出现“适用”所述情形", "what the next column says does not happen",
     "E403_PARTY_FIELDS", "记录各项内容相互矛盾", "the fields of the record contradict each other"},
};

}  // namespace

const CheckWords* check_words(std::string_view check) {
  for (const CheckWords& words : kWords) {
    if (words.check == check) return &words;
  }
  return nullptr;
}

}  // namespace huiliu::service
