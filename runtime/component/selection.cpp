#include "runtime/component/selection.h"

#include <charconv>

#include <fmt/format.h>

#include "runtime/base/failpoint.h"
#include "runtime/component/operator.h"

namespace huiliu::runtime {
namespace {

class SelectedRows final : public Operator {
 public:
  SelectedRows(const Selection& selection, Outputs& source)
      : selection_(selection), source_(source) {}
  void process(std::size_t /*input*/, Record& record, Outputs&) override {
    if (selection_.has(record.id) || mutant("rejudge.all_rows")) source_.emit(record);
  }

 private:
  const Selection& selection_;
  Outputs& source_;
};

/// The reject's fields stand behind the record's: they are taken off, and the source refuses it.
class SelectedRejects final : public Operator {
 public:
  SelectedRejects(const Selection& selection, Outputs& source, std::uint32_t width)
      : selection_(selection), source_(source), width_(width) {}
  void process(std::size_t /*input*/, Record& record, Outputs&) override {
    if (!selection_.has(record.id)) return;
    const Value* field = record.values + width_;
    const Reject reject{field[0].text(), field[1].text(), field[2].text(),
                        field[3].text(), field[4].text(), field[5].text()};
    record.width = width_;
    source_.reject(record, reject);
  }

 private:
  const Selection& selection_;
  Outputs& source_;
  std::uint32_t width_;
};

}  // namespace

Selector::Selector(const Selection& selection, Outputs& source, std::uint32_t width)
    : outputs_(std::make_unique<Outputs>(source.node(), 1, width)),
      ignored_(std::make_unique<Outputs>("", 0, width)),
      rows_(std::make_unique<SelectedRows>(selection, source)),
      rejects_(std::make_unique<SelectedRejects>(selection, source, width)) {
  outputs_->port(0).target = rows_.get();
  outputs_->port(0).target_outputs = ignored_.get();
  outputs_->reject_port().target = rejects_.get();
  outputs_->reject_port().target_outputs = ignored_.get();
}

Selector::~Selector() = default;

std::string Rejudgement::to_value() const {
  return fmt::format("{} {} {}", number, open ? "open" : "done", text);
}

Rejudgement Rejudgement::parse(const std::string& value) {
  Rejudgement found;
  const char* const end = value.data() + value.size();
  const auto [rest, error] = std::from_chars(value.data(), end, found.number);
  if (error != std::errc()) return {};
  const std::string_view text(rest, static_cast<std::size_t>(end - rest));
  constexpr std::string_view kOpen = " open ";
  found.open = text.starts_with(kOpen);
  if (text.size() >= kOpen.size()) found.text = text.substr(kOpen.size());
  return found;
}

}  // namespace huiliu::runtime
