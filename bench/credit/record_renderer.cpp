#include "bench/credit/record_renderer.h"

#include <cstdio>
#include <string_view>

namespace huiliu::bench {
namespace {

void append_blanks(Splitmix& random, std::string& out) {
  for (std::uint32_t left = 1 + random.below(2); left > 0; --left) {
    out += random.below(2) != 0 ? " " : "　";
  }
}

// ASCII U+0021..U+007E as the UTF-8 of its full-width form.
void append_full_width(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f) {
      out += c;
      continue;
    }
    const unsigned wide = byte + 0xFEE0u;
    out += static_cast<char>(0xE0 | (wide >> 12));
    out += static_cast<char>(0x80 | ((wide >> 6) & 63));
    out += static_cast<char>(0x80 | (wide & 63));
  }
}

void append_maybe_wide(Splitmix& random, std::string& out, std::string_view text,
                       std::uint32_t percent) {
  if (random.percent(percent)) {
    append_full_width(out, text);
  } else {
    out += text;
  }
}

void append_date(Splitmix& random, std::string& out, const char* key, const CalendarDate& date) {
  constexpr const char* kFormats[] = {"%04u-%02u-%02u", "%u/%u/%u", "%04u%02u%02u", "%u年%u月%u日"};
  char text[64];
  std::snprintf(text, sizeof text, random.pick(kFormats), date.year, date.month, date.day);
  out.append(",\"").append(key).append("\":\"").append(text).append("\"");
}

void append_name(Splitmix& random, const std::string& name, std::string& out) {
  if (random.percent(15)) append_blanks(random, out);
  std::string spelled = name;
  const std::size_t blank = name.find(' ');
  if (blank != std::string::npos && random.percent(50)) {
    spelled = name.substr(0, blank);
    append_blanks(random, spelled);
    spelled.append(name, blank + 1);
  }
  append_maybe_wide(random, out, spelled, 20);
  if (random.percent(15)) append_blanks(random, out);
}

void append_code(Splitmix& random, std::string code, std::string& out) {
  if (random.percent(10)) {
    for (char& c : code) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
  }
  if (random.percent(2)) out += " ";
  append_maybe_wide(random, out, code, 3);
}

}  // namespace

void render_record(Splitmix& random, const SyntheticRecord& record, std::string& line) {
  char department[8];
  std::snprintf(department, sizeof department, "D%03u", record.department % 1000);
  line.append("{\"id\":\"").append(record.id).append("\",\"dept\":\"").append(department);
  line.append("\",\"kind\":\"").append(kKindNames[record.kind]).append("\",\"party_name\":\"");
  append_name(random, record.party_name, line);
  line += "\",\"party_type\":\"";
  line += record.legal ? "legal\",\"uscc\":\"" : "natural\",\"id_no\":\"";
  append_code(random, record.party_code, line);
  line.append("\",\"doc_name\":\"").append(record.doc_name).append("\",\"content\":\"");
  if (random.percent(3)) line += " ";
  line.append(record.content).append("\"");
  append_date(random, line, "decided_at", record.decided_at);
  append_date(random, line, "valid_to", record.valid_to);
  if (record.kind == kPenaltyKind) line.append(",\"amount\":") += std::to_string(record.amount_fen);
  line.append(",\"ts\":").append(std::to_string(record.ts_ms)).append("}\n");
}

}  // namespace huiliu::bench
