#pragma once

#include <cstdint>
#include <string_view>

namespace huiliu::runtime {

/// Field types of a schema. Timestamps are milliseconds since the Unix epoch, dates are days since
/// it; json is raw text that was checked to be JSON.
enum class Type : std::uint8_t {
  kBool,
  kInt64,
  kFloat64,
  kString,
  kBytes,
  kTimestamp,
  kDate,
  kJson
};

/// Name as written in topology files ("string", "int64", ...).
std::string_view type_name(Type type);

constexpr bool is_text(Type type) {
  return type == Type::kString || type == Type::kBytes || type == Type::kJson;
}

/// One field of a record: 16 bytes, null by default. Text is a view whose memory outlives the
/// processing of the slice it belongs to (see record.h).
class Value {
 public:
  constexpr Value() : integer_(0) {}
  static Value of_text(std::string_view text) {
    Value value;
    value.text_ = text.data();
    value.size_ = static_cast<std::uint32_t>(text.size());
    value.present_ = 1;
    return value;
  }
  static Value of_integer(std::int64_t integer) {
    Value value;
    value.integer_ = integer;
    value.present_ = 1;
    return value;
  }
  static Value of_real(double real) {
    Value value;
    value.real_ = real;
    value.present_ = 1;
    return value;
  }
  static Value of_bool(bool flag) { return of_integer(flag ? 1 : 0); }

  bool is_null() const { return present_ == 0; }
  /// Empty for null.
  std::string_view text() const { return {text_, size_}; }
  std::int64_t integer() const { return integer_; }
  double real() const { return real_; }
  bool boolean() const { return integer_ != 0; }

 private:
  union {
    std::int64_t integer_;
    double real_;
    const char* text_;
  };
  std::uint32_t size_ = 0;
  std::uint32_t present_ = 0;
};
static_assert(sizeof(Value) == 16);

}  // namespace huiliu::runtime
