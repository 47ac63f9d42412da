#include "tools/credit_sample/layouts.h"

namespace huiliu::tools::layouts {
namespace {

using enum Field;

constexpr Column kCodes2018[] = {
    {kName, "XK_XDR_MC"},
    {kCategory, "XK_XDR_LB"},
    {kUscc, "XK_XDR_SHXYM"},
    {kRegistrationNo, "XK_XDR_GSZC"},
    {kOrganisationCode, "XK_XDR_ZZJG"},
    {kTaxNo, "XK_XDR_SWDJ"},
    {kInstitutionNo, "XK_XDR_SYDW"},
    {kSocietyNo, "XK_XDR_SHZZ"},
    {kRepresentative, "XK_FRDB"},
    {kRepresentativeDocumentType, "XK_FR_ZJLX"},
    {kRepresentativeDocumentNo, "XK_FR_ZJHM"},
    {kPersonDocumentType, "XK_XDR_ZJLX"},
    {kPersonDocumentNo, "XK_XDR_ZJHM"},
    {kDocumentTitle, "XK_XKWS"},
    {kDocumentNo, "XK_WSH"},
    {kActCategory, "XK_XKLB"},
    {kCertificate, "XK_XKZS"},
    {kCertificateNo, "XK_XKBH"},
    {kContent, "XK_NR"},
    {kDecidedOn, "XK_JDRQ"},
    {kValidFrom, "XK_YXQZ"},
    {kValidTo, "XK_YXQZI"},
    {kAuthority, "XK_XKJG"},
    {kAuthorityCode, "XK_XKJGDM"},
    {kStatus, "XK_ZT"},
    {kSource, "XK_LYDW"},
    {kSourceCode, "XK_LYDWDM"},
    {kRemark, "BZ"},
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
    {kDocumentTitle, "行政许可决定文书名称"},
    {kDocumentNo, "行政许可决定文书号"},
    {kActCategory, "许可类别"},
    {kCertificate, "许可证书名称"},
    {kCertificateNo, "许可编号"},
    {kContent, "许可内容"},
    {kDecidedOn, "许可决定日期"},
    {kValidFrom, "有效期自"},
    {kValidTo, "有效期至"},
    {kAuthority, "许可机关"},
    {kAuthorityCode, "许可机关统一社会信用代码"},
    {kStatus, "当前状态"},
    {kSource, "数据来源单位"},
    {kSourceCode, "数据来源单位统一社会信用代码"},
    {kRemark, "备注"},
    {kVersion, "信息版本号"},
    {kStamp, "更新时间戳"},
};

constexpr Column kSynonyms[] = {
    {kName, "企业名称"},
    {kCategory, "主体类别"},
    {kUscc, "信用代码"},
    {kRegistrationNo, "注册号"},
    {kOrganisationCode, "机构代码"},
    {kTaxNo, "税号"},
    {kRepresentative, "法人代表"},
    {kRepresentativeDocumentNo, "法定代表人身份证号"},
    {kPersonDocumentType, "个人证件类型"},
    {kPersonDocumentNo, "个人证件号"},
    {kDocumentTitle, "文书名称"},
    {kDocumentNo, "文书号"},
    {kActCategory, "许可类型"},
    {kCertificate, "证书名称"},
    {kCertificateNo, "证书编号"},
    {kContent, "许可事项"},
    {kDecidedOn, "决定日期"},
    {kValidFrom, "生效日期"},
    {kValidTo, "截止日期"},
    {kAuthority, "发证机关"},
    {kAuthorityCode, "发证机关代码"},
    {kStatus, "状态"},
    {kSource, "来源单位"},
    {kSourceCode, "来源单位代码"},
    {kRemark, "备注"},
    {kVersion, "版本"},
    {kStamp, "更新时间"},
};

constexpr Column kCodes2015[] = {
    {kDocumentNo, "XK_WSH"},
    {kDocumentTitle, "XK_XMMC"},
    {kActCategory, "XK_SPLB"},
    {kContent, "XK_NR"},
    {kName, "XK_XDR"},
    {kUscc, "XK_XDR_SHXYM"},
    {kOrganisationCode, "XK_XDR_ZDM"},
    {kRegistrationNo, "XK_XDR_GSDJ"},
    {kTaxNo, "XK_XDR_SWDJ"},
    {kPersonDocumentNo, "XK_XDR_SFZ"},
    {kRepresentative, "XK_FR"},
    {kDecidedOn, "XK_JDRQ"},
    {kValidTo, "XK_JZQ"},
    {kAuthority, "XK_XZJG"},
    {kStatus, "XK_ZT"},
    {kRegion, "DFBM"},
    {kStamp, "SJC"},
    {kRemark, "BZ"},
};

}  // namespace

const std::span<const Column> kLicence2018 = kCodes2018;
const std::span<const Column> kLicence2018Chinese = kChinese2018;
const std::span<const Column> kLicenceSynonyms = kSynonyms;
const std::span<const Column> kLicence2015 = kCodes2015;

}  // namespace huiliu::tools::layouts
