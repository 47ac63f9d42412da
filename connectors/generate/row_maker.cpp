#include "connectors/generate/row_maker.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "codecs/value_parsers.h"

namespace huiliu::connectors {
namespace {

using runtime::Type;
using runtime::Value;
using Kind = GeneratedField::Kind;

/// At most 20 digits with a sign, or the zeros that a pattern asks for.
constexpr std::size_t kMostDigits = 24;

Value text_of(const NumberPattern& pattern, std::int64_t number, runtime::Arena& arena) {
  const std::size_t room = pattern.before.size() + kMostDigits + pattern.after.size();
  char* const begin = arena.allocate(room);
  char* end = std::copy(pattern.before.begin(), pattern.before.end(), begin);
  end = fmt::format_to(end, "{:0{}}", number, pattern.digits);
  end = std::copy(pattern.after.begin(), pattern.after.end(), end);
  return Value::of_text({begin, static_cast<std::size_t>(end - begin)});
}

}  // namespace

RowMaker::RowMaker(GenerateOptions options) : options_(std::move(options)) {
  for (const GeneratedField& field : options_.fields) {
    auto& values = values_.emplace_back();
    for (const std::string& text : field.values) {
      values.push_back(codecs::parse_cell(field.type, text).value_or(Value()));
    }
  }
}

std::int64_t RowMaker::number(const GeneratedField& field, std::uint64_t row,
                              Chance& chance) const {
  // Without signs, since a sequence without end begins anew behind its last number.
  const auto from = static_cast<std::uint64_t>(field.from);
  if (field.kind == Kind::kZipf) return field.zipf.draw(chance);
  if (field.kind == Kind::kUniform) {
    const std::uint64_t span = static_cast<std::uint64_t>(field.to) - from + 1;
    return static_cast<std::int64_t>(from + (span == 0 ? chance.next() : chance.next() % span));
  }
  const std::uint64_t place = from + row * static_cast<std::uint64_t>(field.step);
  const std::uint64_t span = static_cast<std::uint64_t>(field.disorder) + 1;
  return static_cast<std::int64_t>(place - (span == 1 ? 0 : chance.next() % span));
}

std::size_t RowMaker::chosen(const GeneratedField& field, Chance& chance) const {
  if (field.kind == Kind::kConstant) return 0;
  const auto found = std::upper_bound(field.shares.begin(), field.shares.end(), chance.unit());
  return std::min(static_cast<std::size_t>(found - field.shares.begin()), field.values.size() - 1);
}

void RowMaker::make(std::uint64_t row, Value* slots, runtime::Arena& arena) const {
  for (std::size_t i = 0; i < options_.fields.size(); ++i) {
    const GeneratedField& field = options_.fields[i];
    Chance chance(options_.seed, i, row);
    if (!field.values.empty()) {
      slots[i] = values_[i][chosen(field, chance)];
    } else if (field.type == Type::kFloat64) {
      slots[i] =
          Value::of_real(field.real_from + chance.unit() * (field.real_to - field.real_from));
    } else if (field.pattern) {
      slots[i] = text_of(*field.pattern, number(field, row, chance), arena);
    } else {
      slots[i] = Value::of_integer(number(field, row, chance));
    }
  }
}

}  // namespace huiliu::connectors
