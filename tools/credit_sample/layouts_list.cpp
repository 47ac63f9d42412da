#include "tools/credit_sample/layouts.h"

namespace huiliu::tools::layouts {
namespace {

using enum Field;

constexpr Column kRed[] = {
    {kCategory, "主体类型"},
    {kName, "主体名称"},
    {kUscc, "统一社会信用代码"},
    {kRegistrationNo, "工商注册号"},
    {kOrganisationCode, "组织机构代码"},
    {kTaxNo, "税务登记号"},
    {kRepresentative, "法定代表人"},
    {kPersonDocumentType, "证件类型"},
    {kPersonDocumentNo, "证件号码"},
    {kContent, "守信事由"},
    {kLevel, "等级"},
    {kAuthority, "认定部门"},
    {kAuthorityCode, "认定部门代码"},
    {kDocumentNo, "认定文号"},
    {kDecidedOn, "认定日期"},
    {kValidTo, "有效期至"},
    {kStatus, "状态"},
    {kRemovedOn, "退出日期"},
    {kYear, "评价年度"},
    {kSource, "数据来源单位"},
    {kSourceCode, "数据来源单位代码"},
    {kRemark, "备注"},
    {kVersion, "信息版本号"},
    {kStamp, "更新时间戳"},
};

constexpr Column kBlack[] = {
    {kCategory, "主体类型"},
    {kName, "主体名称"},
    {kUscc, "统一社会信用代码"},
    {kRegistrationNo, "工商注册号"},
    {kOrganisationCode, "组织机构代码"},
    {kTaxNo, "税务登记号"},
    {kRepresentative, "法定代表人"},
    {kPersonDocumentType, "证件类型"},
    {kPersonDocumentNo, "证件号码"},
    {kActCategory, "失信类型"},
    {kOffence, "失信行为"},
    {kContent, "列入事由"},
    {kDecidedOn, "列入日期"},
    {kAuthority, "作出列入决定机关"},
    {kAuthorityCode, "作出列入决定机关代码"},
    {kDocumentNo, "列入文号"},
    {kRemovalReason, "移出事由"},
    {kRemovedOn, "移出日期"},
    {kRemovedBy, "作出移出决定机关"},
    {kStatus, "状态"},
    {kSource, "数据来源单位"},
    {kSourceCode, "数据来源单位代码"},
    {kRemark, "备注"},
    {kVersion, "信息版本号"},
    {kStamp, "更新时间戳"},
};

}  // namespace

const std::span<const Column> kRedList = kRed;
const std::span<const Column> kBlackList = kBlack;

}  // namespace huiliu::tools::layouts
