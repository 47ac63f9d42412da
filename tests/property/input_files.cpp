#include "tests/property/input_files.h"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace huiliu::property {
namespace {

using Row = std::vector<std::pair<std::string, std::string>>;  // field → text, "" if absent

const std::vector<std::string> kDepartments = {"tax", "court", "health"};
const std::vector<std::string> kKinds = {"penalty", "licence", "blacklist", "withdrawn"};
const std::vector<std::string> kParties = {"legal", "natural", "", "other"};
const std::vector<std::string> kCodes = {"91350803MAGBQ59331", "91350803magbq59331",
                                         "91350803MAGBQ59330", "", "N/A"};
const std::vector<std::string> kNumbers = {"350802190001010013", "350802000101001", "", "12"};
const std::vector<std::string> kNames = {"闽西食品有限公司", "  Ａ贸易 ", "张三", "",
                                         "O'Neil, Ltd."};
const std::vector<std::string> kContents = {"罚款2000元", "警告", "吊销许可证",
                                            "身份证350802190001010013", ""};
const std::vector<std::string> kDays = {"2024-01-31",     "2024/2/3", "20240215",
                                        "2023年12月31日", "soon",     ""};

Row draw_row(Random& random, std::int64_t& time) {
  time += static_cast<std::int64_t>(random.below(15));
  // Now and then far behind, or so far ahead that the source refuses it.
  std::int64_t ts = time - static_cast<std::int64_t>(random.below(20));
  if (random.chance(4)) ts -= 500;
  if (random.chance(1)) ts = 1'900'000'000'000;
  return {{"id", fmt::format("A{}", random.below(30))},
          {"dept", random.pick(kDepartments)},
          {"kind", random.pick(kKinds)},
          {"party_name", random.pick(kNames)},
          {"party_type", random.pick(kParties)},
          {"uscc", random.pick(kCodes)},
          {"id_no", random.pick(kNumbers)},
          {"doc_name", random.chance(70) ? "身份证" : ""},
          {"content", random.pick(kContents)},
          {"decided_at", random.pick(kDays)},
          {"updated_at", random.pick(kDays)},
          {"amount", random.chance(80) ? std::to_string(random.below(500)) : ""},
          {"ts", random.chance(97) ? std::to_string(ts) : ""}};
}

bool is_number(const std::string& field) { return field == "amount" || field == "ts"; }

std::string as_json(Random& random, const Row& row) {
  if (random.chance(2)) return "{\"id\": \"broken\n";
  std::string line = "{";
  for (const auto& [field, text] : row) {
    if (text.empty()) continue;
    const bool wrong = is_number(field) && random.chance(1);
    const std::string value =
        is_number(field) ? (wrong ? "\"many\"" : text) : fmt::format("\"{}\"", text);
    line += fmt::format("{}\"{}\": {}", line.size() > 1 ? ", " : "", field, value);
  }
  return line + "}\n";
}

std::string as_csv(const Row& row) {
  std::string line;
  for (const auto& [field, text] : row) line += fmt::format("\"{}\",", text);
  line.back() = '\n';
  return line;
}

}  // namespace

void write_rows(Random& random, const std::string& folder, std::int64_t start) {
  std::filesystem::create_directories(folder);
  const std::size_t files = 1 + random.below(3);
  std::int64_t time = start;
  for (std::size_t file = 0; file < files; ++file) {
    const bool csv = random.chance(30);
    std::ofstream out(fmt::format("{}/{}.{}", folder, file, csv ? "csv" : "ndjson"));
    std::vector<Row> rows;
    for (std::size_t i = 0, n = random.below(60); i < n; ++i) {
      const bool again = !rows.empty() && random.chance(10);
      rows.push_back(again ? random.pick(rows) : draw_row(random, time));
    }
    if (rows.empty()) rows.push_back(draw_row(random, time));
    if (csv) {
      for (const auto& [field, text] : rows.front()) {
        out << field << (field == "ts" ? "\n" : ",");
      }
    }
    for (const Row& row : rows) out << (csv ? as_csv(row) : as_json(random, row));
  }
}

void write_tables(const std::string& folder) {
  std::ofstream(folder + "/terms.csv")
      << "kind,words,least,valid_from,valid_to,class,months\n"
         "penalty,吊销许可证|警告,,2024-01-01,,grave,36\npenalty,,100,2024-01-01,,grave,36\n"
         "licence,,,,2023-12-31,old,\nlicence,,,2024-01-01,,new,3\n";
  std::ofstream(folder + "/workdays.csv")
      << "# valid until: 2299-12-31\ndate,kind\n2024-01-01,holiday\n2024-02-04,workday\n";
  std::ofstream(folder + "/synonyms.csv") << "from,to\nlegal,法人\nnatural,自然人\n";
  std::ofstream(folder + "/channels.csv") << "pattern,source\n*0.ndjson,first\n*,other\n";
  std::ofstream(folder + "/kinds.csv") << "code\npenalty\nlicence\n";
}

std::string row_fields() {
  std::string fields;
  for (const char* name : {"id", "dept", "kind", "party_name", "party_type", "uscc", "id_no",
                           "doc_name", "content", "decided_at", "updated_at"}) {
    fields += fmt::format("{}, ", name);
  }
  return fields + "{name: amount, type: int64}, {name: ts, type: int64}";
}

}  // namespace huiliu::property
