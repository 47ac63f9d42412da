#include "tools/credit_sample/layouts.h"

namespace huiliu::tools::layouts {
namespace {

using enum Field;

// ZT and CXYY are no columns of the standard: it withdraws a penalty by a separate act, which
// departments send as a mark and a reason beside the record.
constexpr Column kCodes2018[] = {
    {kName, "CF_XDR_MC"},
    {kCategory, "CF_XDR_LB"},
    {kUscc, "CF_XDR_SHXYM"},
    {kRegistrationNo, "CF_XDR_GSZC"},
    {kOrganisationCode, "CF_XDR_ZZJG"},
    {kTaxNo, "CF_XDR_SWDJ"},
    {kInstitutionNo, "CF_XDR_SYDW"},
    {kSocietyNo, "CF_XDR_SHZZ"},
    {kRepresentative, "CF_FRDB"},
    {kRepresentativeDocumentType, "CF_FR_ZJLX"},
    {kRepresentativeDocumentNo, "CF_FR_ZJHM"},
    {kPersonDocumentType, "CF_XDR_ZJLX"},
    {kPersonDocumentNo, "CF_XDR_ZJHM"},
    {kDocumentNo, "CF_WSH"},
    {kOffence, "CF_WFXW"},
    {kFacts, "CF_SY"},
    {kBasis, "CF_YJ"},
    {kActCategory, "CF_CFLB"},
    {kContent, "CF_NR"},
    {kFine, "CF_NR_FK"},
    {kConfiscated, "CF_NR_WFFF"},
    {kSuspended, "CF_NR_ZKDX"},
    {kDecidedOn, "CF_JDRQ"},
    {kValidTo, "CF_YXQ"},
    {kPublishedUntil, "CF_GSJZQ"},
    {kAuthority, "CF_CFJG"},
    {kAuthorityCode, "CF_CFJGDM"},
    {kSource, "CF_SJLY"},
    {kSourceCode, "CF_SJLYDM"},
    {kRemark, "BZ"},
    {kStatus, "ZT"},
    {kWithdrawalReason, "CXYY"},
    {kVersion, "BBH"},
    {kStamp, "SJC"},
};

constexpr Column kChinese2018[] = {
    {kName, "行政相对人名称"},
    {kCategory, "行政相对人类别"},
    {kUscc, "行政相对人代码_1(统一社会信用代码)"},
    {kRegistrationNo, "行政相对人代码_2(工商注册号)"},
    {kOrganisationCode, "行政相对人代码_3(组织机构代码)"},
    {kTaxNo, "行政相对人代码_4(税务登记号)"},
    {kInstitutionNo, "行政相对人代码_5(事业单位证书号)"},
    {kSocietyNo, "行政相对人代码_6(社会组织登记证号)"},
    {kRepresentative, "法定代表人"},
    {kRepresentativeDocumentType, "法定代表人证件类型"},
    {kRepresentativeDocumentNo, "法定代表人证件号码"},
    {kPersonDocumentType, "证件类型"},
    {kPersonDocumentNo, "证件号码"},
    {kDocumentNo, "行政处罚决定书文号"},
    {kOffence, "违法行为类型"},
    {kFacts, "违法事实"},
    {kBasis, "处罚依据"},
    {kActCategory, "处罚类别"},
    {kContent, "处罚内容"},
    {kFine, "罚款金额(万元)"},
    {kConfiscated, "没收违法所得、没收非法财物的金额(万元)"},
    {kSuspended, "暂扣或吊销证照名称及编号"},
    {kDecidedOn, "处罚决定日期"},
    {kValidTo, "处罚有效期"},
    {kPublishedUntil, "公示截止期"},
    {kAuthority, "处罚机关"},
    {kAuthorityCode, "处罚机关统一社会信用代码"},
    {kSource, "数据来源单位"},
    {kSourceCode, "数据来源单位统一社会信用代码"},
    {kRemark, "备注"},
    {kStatus, "状态标记"},
    {kWithdrawalReason, "撤销原因"},
    {kVersion, "信息版本号"},
    {kStamp, "更新时间戳"},
};

constexpr Column kCodes2015[] = {
    {kDocumentNo, "CF_WSH"},
    {kDocumentTitle, "CF_AJMC"},
    {kOffence, "CF_CFMC"},
    {kActCategory, "CF_CFLB1"},
    {kSecondActCategory, "CF_CFLB2"},
    {kFacts, "CF_SY"},
    {kBasis, "CF_YJ"},
    {kName, "CF_XDR_MC"},
    {kUscc, "CF_XDR_SHXYM"},
    {kOrganisationCode, "CF_XDR_ZDM"},
    {kRegistrationNo, "CF_XDR_GSDJ"},
    {kTaxNo, "CF_XDR_SWDJ"},
    {kPersonDocumentNo, "CF_XDR_SFZ"},
    {kRepresentative, "CF_FR"},
    {kContent, "CF_JG"},
    {kDecidedOn, "CF_JDRQ"},
    {kValidTo, "CF_JZRQ"},
    {kAuthority, "CF_XZJG"},
    {kStatus, "CF_ZT"},
    {kRegion, "DFBM"},
    {kStamp, "SJC"},
    {kPublicationTerm, "GSQX"},
    {kRemark, "BZ"},
};

}  // namespace

const std::span<const Column> kPenalty2018 = kCodes2018;
const std::span<const Column> kPenalty2018Chinese = kChinese2018;
const std::span<const Column> kPenalty2015 = kCodes2015;

}  // namespace huiliu::tools::layouts
