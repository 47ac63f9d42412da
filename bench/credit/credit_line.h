#pragma once

#include <cstdint>
#include <string_view>

namespace huiliu::bench {

// One parsed input line. The views live as long as the parser's buffers: until the next line.
struct CreditLine {
  std::string_view id;
  std::string_view dept;
  std::string_view kind;
  std::string_view party_name;
  std::string_view party_type;
  std::string_view uscc;
  std::string_view id_no;
  std::string_view doc_name;
  std::string_view content;
  std::string_view decided_at;
  std::string_view valid_to;
  std::int64_t amount = 0;
  std::int64_t ts = 0;
  bool has_amount = false;

  // Told apart by length and one letter: cheaper than comparing names.
  void set_text(std::string_view key, std::string_view value) {
    switch (key.size()) {
      case 2:
        id = value;
        break;
      case 4:
        (key[0] == 'd' ? dept : key[0] == 'k' ? kind : uscc) = value;
        break;
      case 5:
        id_no = value;
        break;
      case 7:
        content = value;
        break;
      case 8:
        (key[0] == 'd' ? doc_name : valid_to) = value;
        break;
      case 10:
        (key[0] == 'd' ? decided_at : key[6] == 'n' ? party_name : party_type) = value;
        break;
      default:
        break;
    }
  }

  void set_number(std::string_view key, std::int64_t value) {
    if (key.size() == 2) {
      ts = value;
    } else if (key == "amount") {
      amount = value;
      has_amount = true;
    }
  }
};

}  // namespace huiliu::bench
