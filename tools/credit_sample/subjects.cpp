#include "tools/credit_sample/subjects.h"

#include <cstdio>

#include "tools/credit_sample/check_digits.h"

namespace huiliu::tools {
namespace {

constexpr const char* kRegions[] = {"350802", "350803", "350821", "350823",
                                    "350824", "350825", "350881", "350822"};
constexpr const char* kSyllables[] = {"华", "信", "恒", "达", "联", "创", "明", "远",
                                      "瑞", "丰", "兴", "博", "雅", "金", "桥", "安",
                                      "泰", "润", "和", "宏", "图", "诚", "义", "川"};
constexpr const char* kTrades[] = {"食品",     "科技", "贸易",     "建筑工程", "物流",     "医药",
                                   "餐饮管理", "环保", "汽车服务", "文化传媒", "农业发展", "茶业"};
constexpr const char* kShops[] = {"食杂店", "小吃店", "理发店", "五金店", "茶叶店", "修车铺"};
constexpr const char* kSurnames[] = {"王", "李", "张", "刘", "陈", "杨",   "赵",  "黄",
                                     "周", "吴", "林", "何", "郭", "欧阳", "司马"};
constexpr const char* kGivenNames[] = {"守仁", "德厚", "文清", "玉兰", "秀英", "长庚",
                                       "福生", "桂香", "明轩", "素珍", "启元", "阿土"};

std::string digits(std::size_t number, int width) {
  char text[24];
  std::snprintf(text, sizeof text, "%0*zu", width, number);
  return text;
}

std::string draw_person_name(RandomNumbers& random) {
  const std::string surname = random.pick(kSurnames);
  return surname + random.pick(kGivenNames);
}

std::string draw_brand(RandomNumbers& random) {
  std::string brand;
  for (int i = 0; i < 3; ++i) brand += random.pick(kSyllables);
  return brand;
}

std::string draw_registration_no(RandomNumbers& random, Subject subject) {
  std::string body = random.pick(kRegions);
  body += subject == Subject::kHousehold ? "6" : "1";
  body += digits(random.below(10'000'000), 7);
  return body + registration_check(body);
}

void draw_organisation(RandomNumbers& random, Row& row) {
  constexpr const char* kHeads[] = {"91", "91", "91", "91", "91", "91", "93", "52", "12"};
  const std::string head = random.pick(kHeads);
  const std::string brand = draw_brand(random);
  row[Field::kCategory] = "法人及非法人组织";
  row[Field::kUscc] = draw_uscc(random, head);
  if (head == "91") {
    row[Field::kName] = "龙岩市" + brand + random.pick(kTrades);
    row[Field::kName] += random.percent(20) ? "（集团）有限公司" : "有限公司";
    if (random.percent(40)) row[Field::kRegistrationNo] = draw_registration_no(random, row.subject);
  } else if (head == "93") {
    row[Field::kName] = "龙岩市" + brand + "农民专业合作社";
  } else if (head == "52") {
    row[Field::kName] = "龙岩市" + brand + "民办学校";
  } else {
    row[Field::kName] = "龙岩市" + brand + "服务站";
  }
  const std::string organisation_code = row[Field::kUscc].substr(8, 9);
  if (random.percent(50)) row[Field::kOrganisationCode] = organisation_code;
  if (random.percent(20)) row[Field::kTaxNo] = row[Field::kUscc].substr(2, 6) + organisation_code;
}

void draw_representative(RandomNumbers& random, Row& row) {
  row[Field::kRepresentative] = draw_person_name(random);
  if (!random.percent(40)) return;
  row[Field::kRepresentativeDocumentType] = "身份证";
  row[Field::kRepresentativeDocumentNo] = draw_id_card(random);
}

void draw_person_document(RandomNumbers& random, Documents documents, Row& row) {
  const std::size_t choice = documents == Documents::kAny ? random.below(10) : 0;
  if (choice < 8) {
    row[Field::kPersonDocumentType] = "身份证";
    row[Field::kPersonDocumentNo] = draw_id_card(random);
  } else if (choice == 8) {
    row[Field::kPersonDocumentType] = "护照号";
    row[Field::kPersonDocumentNo] = "E" + digits(random.below(100'000'000), 8);
  } else {
    row[Field::kPersonDocumentType] = "港澳居民来往内地通行证";
    row[Field::kPersonDocumentNo] = "H" + digits(random.below(100'000'000), 8);
  }
}

}  // namespace

std::string draw_uscc(RandomNumbers& random, const std::string& head) {
  std::string organisation = "MA";
  while (organisation.size() < 8) organisation += kUsccAlphabet[random.below(31)];
  organisation += organisation_check(organisation);
  std::string code = head + random.pick(kRegions) + organisation;
  return code + uscc_check(code);
}

std::string id_card(const std::string& region, const std::string& birth, unsigned sequence) {
  const std::string body = region + birth + digits(sequence, 3);
  return body + id_card_check(body);
}

std::string draw_id_card(RandomNumbers& random) {
  const std::string region = random.pick(kRegions);
  std::string birth = "19" + digits(random.below(12), 2);
  birth += digits(1 + random.below(12), 2);
  birth += digits(1 + random.below(28), 2);
  // Sequences from 996 meant people over a hundred in the 15-digit numbers.
  return id_card(region, birth, static_cast<unsigned>(random.below(990)));
}

void draw_subject(RandomNumbers& random, Subject subject, Documents documents, Row& row) {
  row.subject = subject;
  switch (subject) {
    case Subject::kOrganisation:
      draw_organisation(random, row);
      draw_representative(random, row);
      break;
    case Subject::kHousehold:
      row[Field::kName] = "新罗区" + draw_brand(random) + random.pick(kShops);
      row[Field::kCategory] = "个体工商户";
      row[Field::kUscc] = draw_uscc(random, "92");
      row[Field::kRegistrationNo] = draw_registration_no(random, subject);
      draw_representative(random, row);
      break;
    case Subject::kPerson:
      row[Field::kName] = draw_person_name(random);
      row[Field::kCategory] = "自然人";
      draw_person_document(random, documents, row);
      break;
  }
}

}  // namespace huiliu::tools
