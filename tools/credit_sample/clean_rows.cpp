#include "tools/credit_sample/clean_rows.h"

#include <chrono>
#include <string>

#include "tools/credit_sample/departments.h"
#include "tools/credit_sample/spellings.h"
#include "tools/credit_sample/subjects.h"

namespace huiliu::tools {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr const char* kLicenceTitles[] = {"准予行政许可决定书", "食品经营许可决定书",
                                          "道路运输经营许可决定书", "施工许可决定书"};
constexpr const char* kLicenceCategories[] = {"普通", "特许", "认可",
                                              "核准", "登记", "其他-备案登记"};
constexpr const char* kLicenceContents[] = {"准予从事预包装食品销售", "准予从事道路普通货物运输",
                                            "准予开展建设项目施工", "准予设立并开展执业活动"};
constexpr const char* kOffences[] = {"未按规定办理变更登记", "销售不符合标准的产品",
                                     "未经许可从事经营活动", "违反环境保护管理制度"};
constexpr const char* kBlackListTypes[] = {"严重违法失信", "拖欠农民工工资", "重大税收违法",
                                           "环境保护失信"};
constexpr const char* kLevels[] = {"县级", "市级", "省级", "国家级"};

std::string wire(sys_days day) { return date_text(day, DateStyle::kSlashes); }

int year_of(sys_days day) { return int(std::chrono::year_month_day(day).year()); }

void draw_decision_day(RandomNumbers& random, const FileSpec& spec, Row& row) {
  using namespace std::chrono;
  const bool old = spec.edition == Edition::k2015;
  const sys_days first = old ? sys_days(2015y / 1 / 5) : sys_days(2019y / 2 / 11);
  const std::size_t span = old ? 1400 : 2100;
  row.decided_on = first + days(random.below(span));
  row[Field::kDecidedOn] = wire(row.decided_on);
}

void set_document_no(Row& row, const char* kind, std::size_t serial) {
  row[Field::kDocumentNo] = departments()[row.authority].document_prefix + kind + "字〔" +
                            std::to_string(year_of(row.decided_on)) + "〕" +
                            std::to_string(serial) + "号";
}

void fill_licence(RandomNumbers& random, std::size_t serial, Row& row) {
  set_document_no(row, "许", serial);
  row[Field::kDocumentTitle] = random.pick(kLicenceTitles);
  row[Field::kActCategory] = random.pick(kLicenceCategories);
  if (random.percent(60)) {
    row[Field::kCertificate] = "经营许可证";
    row[Field::kCertificateNo] = "JY1350800" + std::to_string(10'000'000 + serial);
  }
  row[Field::kContent] = random.pick(kLicenceContents);
  row[Field::kValidFrom] = wire(row.decided_on);
  const sys_days end = row.decided_on + days(365 * (3 + random.below(3)));
  row[Field::kValidTo] = random.percent(20) ? "2099/12/31" : wire(end);
}

// Adds what the standard wants beside the fine: a sum or a document for each further category.
void add_second_category(RandomNumbers& random, const FileSpec& spec, Row& row) {
  const char* category = "警告";
  if (random.percent(50)) {
    category = "没收违法所得、没收非法财物";
    row[Field::kConfiscated] = "0.05";
    row[Field::kContent] += "；没收违法所得500元";
  } else if (random.percent(50)) {
    category = "暂扣或者吊销许可证、暂扣或者吊销执照";
    row[Field::kSuspended] = "食品经营许可证JY13508000000001";
    row[Field::kContent] += "；暂扣许可证";
  } else {
    row[Field::kContent] += "；警告";
  }
  if (spec.edition == Edition::k2015) {
    row[Field::kSecondActCategory] = category;
  } else {
    row[Field::kActCategory].append(";").append(category);
  }
}

void fill_penalty(RandomNumbers& random, const FileSpec& spec, std::size_t serial, Row& row) {
  set_document_no(row, "罚", serial);
  row[Field::kDocumentTitle] = row[Field::kName] + "行政处罚案";
  row[Field::kOffence] = random.pick(kOffences);
  row[Field::kFacts] = "经查明，当事人" + row[Field::kOffence];
  row[Field::kBasis] = "《中华人民共和国行政处罚法》第二十三条";
  const std::size_t choice = random.below(10);
  if (choice < 8) {
    set_fine(row, static_cast<unsigned>(100 * (5 + random.below(1500))));
    if (choice < 3) add_second_category(random, spec, row);
  } else {
    row[Field::kActCategory] = choice == 8 ? "警告" : "责令停产停业";
    row[Field::kContent] = row[Field::kActCategory];
  }
  row[Field::kValidTo] = random.percent(30) ? "2099/12/31" : wire(row.decided_on + days(365 * 3));
  if (random.percent(50)) row[Field::kPublishedUntil] = wire(row.decided_on + days(365));
  row[Field::kPublicationTerm] = "365";
}

void fill_red_list(RandomNumbers& random, std::size_t serial, Row& row) {
  set_document_no(row, "信", serial);
  row[Field::kContent] = row.authority == kTax ? "A级纳税人" : "守合同重信用企业";
  row[Field::kLevel] = random.pick(kLevels);
  row[Field::kValidTo] = wire(row.decided_on + days(365 * 2));
  row[Field::kYear] = std::to_string(year_of(row.decided_on) - 1);
}

void fill_black_list(RandomNumbers& random, std::size_t serial, Row& row) {
  set_document_no(row, "列", serial);
  row[Field::kActCategory] = random.pick(kBlackListTypes);
  row[Field::kOffence] = random.pick(kOffences);
  row[Field::kContent] = "经催告后仍未履行法定义务";
}

}  // namespace

Subject draw_subject_kind(RandomNumbers& random) {
  const std::size_t choice = random.below(10);
  if (choice < 6) return Subject::kOrganisation;
  return choice < 8 ? Subject::kHousehold : Subject::kPerson;
}

void set_authority(Row& row, std::size_t department) {
  row.authority = department;
  row[Field::kAuthority] = departments()[department].name;
  row[Field::kAuthorityCode] = departments()[department].uscc;
}

void set_source(Row& row, std::size_t department) {
  row[Field::kSource] = departments()[department].name;
  row[Field::kSourceCode] = departments()[department].uscc;
}

void set_fine(Row& row, unsigned yuan) {
  row[Field::kActCategory] = "罚款";
  row[Field::kSecondActCategory].clear();
  row[Field::kConfiscated].clear();
  row[Field::kSuspended].clear();
  row[Field::kFine] = fine_in_wan(yuan);
  row[Field::kContent] = "罚款" + std::to_string(yuan) + "元";
}

void set_version(Row& row, const FileSpec& spec, unsigned version) {
  row.version = version;
  row[Field::kVersion] = spec.versioned() ? std::to_string(version) : "";
  const std::string day =
      date_text(row.decided_on + days(10 + 30 * version), DateStyle::kTimestamp);
  row[Field::kStamp] = day.substr(0, 10) + " 10:00:00";
}

Row draw_clean_row(RandomNumbers& random, const FileSpec& spec, std::size_t serial,
                   Subject subject) {
  Row row;
  const bool old = spec.edition == Edition::k2015;
  draw_subject(random, subject, old ? Documents::kIdCardOnly : Documents::kAny, row);
  const std::vector<std::size_t>& represented = departments()[spec.department].represents;
  set_authority(
      row, represented.empty() ? spec.department : represented[random.below(represented.size())]);
  set_source(row, spec.department);
  draw_decision_day(random, spec, row);
  // The edition of 2015 ends in 2018; the bureau got its name of today in the reform after it.
  if (spec.edition == Edition::k2015 && row.authority == kEnvironment) {
    row[Field::kAuthority] = "龙岩市环境保护局";
  }
  switch (spec.kind) {
    case RecordKind::kLicence:
      fill_licence(random, serial, row);
      break;
    case RecordKind::kPenalty:
      fill_penalty(random, spec, serial, row);
      break;
    case RecordKind::kRedList:
      fill_red_list(random, serial, row);
      break;
    case RecordKind::kBlackList:
      fill_black_list(random, serial, row);
      break;
  }
  row[Field::kRegion] = departments()[row.authority].region;
  row[Field::kStatus] = status_text(spec, false);
  set_version(row, spec, 1);
  return row;
}

}  // namespace huiliu::tools
