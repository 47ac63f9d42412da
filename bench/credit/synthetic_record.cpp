#include "bench/credit/synthetic_record.h"

#include <cstdio>
#include <cstring>
#include <string_view>

namespace huiliu::bench {
namespace {

using Text = const char*;

constexpr Text kCities[] = {"上海", "北京", "杭州", "深圳", "成都", "武汉", "南京", "西安",
                            "苏州", "青岛", "厦门", "长沙", "宁波", "无锡", "重庆", "天津"};
constexpr Text kCityLetters[] = {"沪", "京", "浙", "粤", "川", "鄂", "苏", "陕",
                                 "吴", "鲁", "闽", "湘", "甬", "锡", "渝", "津"};
constexpr Text kKindLetters[] = {"许", "罚", "红", "黑"};
constexpr Text kBrands[] = {"华信", "恒达", "联创", "东方", "明远", "瑞丰", "中科", "新兴",
                            "博雅", "金桥", "安泰", "润和", "天元", "宏图", "诚义", "百川"};
constexpr Text kLatinBrands[] = {"ABC", "TK", "HX2", "GL", "M3", "NEO", "ZT", "KD"};
constexpr Text kTrades[] = {"科技",     "贸易",     "建筑工程", "食品",
                            "物流",     "医药",     "餐饮管理", "电子商务",
                            "环保设备", "汽车服务", "文化传媒", "房地产开发"};
constexpr Text kSuffixes[] = {"有限公司", "股份有限公司", "有限责任公司", "集团有限公司"};
constexpr Text kSurnames[] = {"王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周",   "吴",
                              "徐", "孙", "胡", "朱", "高", "林", "何", "郭", "欧阳", "司马"};
constexpr Text kGivenNames[] = {"伟", "芳", "娜", "敏",   "静",   "强",   "磊",   "洋",
                                "勇", "艳", "杰", "娟",   "涛",   "明",   "超",   "秀英",
                                "霞", "平", "刚", "桂英", "建国", "志强", "晓东", "文博"};
constexpr Text kLatinFirst[] = {"JOHN", "MARIA", "IVAN", "ANNA", "PETER", "AISHA"};
constexpr Text kLatinLast[] = {"SMITH", "GARCIA", "PETROV", "KIM", "TANAKA", "ROSSI"};
constexpr Text kDocuments[4][4] = {
    {"食品经营许可证", "建筑施工许可决定书", "道路运输经营许可证", "药品经营许可决定书"},
    {"行政处罚决定书", "当场处罚决定书", "责令改正及处罚决定书", "市场监管处罚决定书"},
    {"守信联合激励名单", "纳税信用A级名单", "诚信示范企业名单", "重合同守信用名单"},
    {"失信被执行人名单", "严重违法失信名单", "拖欠农民工工资名单", "重大税收违法名单"}};
constexpr Text kPhrases[] = {"经查明当事人",
                             "未按规定办理变更登记",
                             "在经营场所内",
                             "违反相关管理规定",
                             "从事许可范围以外活动",
                             "依法作出如下决定",
                             "责令限期改正",
                             "并处以罚款",
                             "准予其从事经营活动",
                             "经营范围包括预包装食品",
                             "符合法定条件和标准",
                             "根据有关法律法规",
                             "现场检查时发现",
                             "未能提供合法来源证明",
                             "已履行全部法定义务",
                             "连续三年信用良好",
                             "逾期不申请复议",
                             "列入重点监管对象",
                             "自公布之日起生效",
                             "由主管部门负责解释",
                             "当事人陈述申辩意见",
                             "不予采纳",
                             "予以公示",
                             "纳入信用记录"};
constexpr Text kUsccHeads[] = {"91", "92", "93", "12", "51"};

constexpr std::string_view kUsccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
constexpr std::uint32_t kUsccWeights[] = {1,  3,  9,  27, 19, 26, 16, 17, 20,
                                          29, 25, 13, 8,  24, 10, 30, 28};
constexpr std::string_view kIdNoCheckDigits = "10X98765432";
constexpr std::uint32_t kIdNoWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};

constexpr std::int64_t kFirstTimestampMs = 1710000000000;
constexpr std::uint32_t kWrongCheckPercent = 3;

CalendarDate draw_date(Splitmix& random, std::uint32_t first_year, std::uint32_t years) {
  CalendarDate date;
  date.year = first_year + random.below(years);
  date.month = 1 + random.below(12);
  date.day = 1 + random.below(28);
  return date;
}

std::string draw_company_name(Splitmix& random, Text city) {
  std::string name = city;
  name += random.pick(kBrands);
  if (random.percent(15)) name += random.pick(kLatinBrands);
  name += random.pick(kTrades);
  if (random.percent(30)) name.append("(").append(random.pick(kCities)).append(")");
  return name += random.pick(kSuffixes);
}

std::string draw_person_name(Splitmix& random) {
  if (random.percent(5)) {
    std::string name = random.pick(kLatinFirst);
    return name.append(" ").append(random.pick(kLatinLast));
  }
  std::string name = random.pick(kSurnames);
  name += random.pick(kGivenNames);
  if (random.percent(30)) name += random.pick(kGivenNames);
  return name;
}

// GB 32100 code of Shanghai; a few get a wrong check character.
std::string draw_uscc(Splitmix& random) {
  char body[16];
  Text head = random.pick(kUsccHeads);
  std::snprintf(body, sizeof body, "%s31%04u", head, random.below(10000));
  std::string code = body;
  while (code.size() < 17) code += kUsccAlphabet[random.below(31)];
  std::size_t sum = 0;
  for (std::size_t i = 0; i < 17; ++i) sum += kUsccAlphabet.find(code[i]) * kUsccWeights[i];
  std::size_t check = (31 - sum % 31) % 31;
  if (random.percent(kWrongCheckPercent)) check = (check + 1 + random.below(30)) % 31;
  return code += kUsccAlphabet[check];
}

// GB 11643 number. The sequence is drawn before the district, as in the original generator.
std::string draw_id_no(Splitmix& random) {
  const CalendarDate birth = draw_date(random, 1950, 56);
  const std::uint32_t sequence = random.below(1000);
  const std::uint32_t district = 101 + random.below(20);
  char body[48];
  std::snprintf(body, sizeof body, "310%03u%04u%02u%02u%03u", district, birth.year, birth.month,
                birth.day, sequence);
  std::string code = body;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < 17; ++i) {
    sum += static_cast<std::uint32_t>(code[i] - '0') * kIdNoWeights[i];
  }
  std::uint32_t check = sum % 11;
  if (random.percent(kWrongCheckPercent)) check = (check + 1 + random.below(10)) % 11;
  return code += kIdNoCheckDigits[check];
}

std::string draw_content(Splitmix& random) {
  const std::size_t wanted_characters = 38 + random.below(14);
  bool quote_pending = random.percent(1);
  std::string content;
  std::size_t characters = 0;
  while (characters < wanted_characters) {
    Text phrase = random.pick(kPhrases);
    if (characters > 0) {
      content += random.below(3) != 0 ? "，" : "；";
      ++characters;
    }
    const bool quoted = quote_pending && characters > 10;
    if (quoted) {
      content.append("\\\"").append(phrase).append("\\\"");
      characters += 2;
      quote_pending = false;
    } else {
      content += phrase;
    }
    characters += std::strlen(phrase) / 3;
  }
  return content += "。";
}

std::uint32_t kind_of_draw(std::uint32_t hundredth) {
  if (hundredth < 45) return 0;
  if (hundredth < 75) return 1;
  return hundredth < 90 ? 2 : 3;
}

void spoil_dates(Splitmix& random, SyntheticRecord& record) {
  switch (random.below(1000)) {
    case 0:
      record.decided_at.month = 13;
      break;
    case 1:
      record.valid_to.month = 2;
      record.valid_to.day = 30;
      break;
    case 2:
      record.decided_at.day = 0;
      break;
    default:
      break;
  }
}

}  // namespace

SyntheticRecord draw_record(Splitmix& random, std::uint64_t number) {
  SyntheticRecord record;
  record.ts_ms = kFirstTimestampMs + static_cast<std::int64_t>(number / 10);
  record.department = random.below(kDepartments);
  record.kind = kind_of_draw(random.below(100));
  record.legal = random.below(100) < 65;
  const std::uint32_t city = random.below(16);
  char id[96];
  std::snprintf(id, sizeof id, "%s市监%s〔2024〕%u号", kCityLetters[city],
                kKindLetters[record.kind], static_cast<unsigned>(number * 7 + 13));
  record.id = id;
  record.party_name =
      record.legal ? draw_company_name(random, kCities[city]) : draw_person_name(random);
  record.party_code = record.legal ? draw_uscc(random) : draw_id_no(random);
  record.doc_name = random.pick(kDocuments[record.kind]);
  record.content = draw_content(random);
  record.decided_at = draw_date(random, 2022, 3);
  record.valid_to = draw_date(random, 2025, 6);
  spoil_dates(random, record);
  if (record.kind == kPenaltyKind) record.amount_fen = 100 + random.below(5000000);
  return record;
}

}  // namespace huiliu::bench
