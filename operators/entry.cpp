#include <algorithm>

#include "runtime/component/registry.h"

namespace huiliu::operators {
namespace {

using runtime::Declaration;
using runtime::Outputs;
using runtime::Record;
using runtime::Type;
using runtime::Value;

constexpr std::string_view kRead = "READ", kRejudged = "REJUDGED";
constexpr std::size_t kRejudgedPort = 1;

class Entry final : public runtime::Operator {
 public:
  explicit Entry(std::size_t width) : width_(width) {}

  runtime::Status open(runtime::OperatorContext& context) override {
    row_.resize(context.row_slots());
    rejudges_ = context.rejudgement() != 0;
    return runtime::Status::ok();
  }

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    record[width_] = Value::of_text(rejudges_ ? kRejudged : kRead);
    record.width = static_cast<std::uint32_t>(width_ + 1);
    if (rejudges_ && out.is_read(kRejudgedPort)) {
      std::copy_n(record.values, record.width, row_.data());
      Record copy = record;
      copy.values = row_.data();
      out.emit_new(copy, kRejudgedPort);
    }
    out.emit(record);
  }

 private:
  std::size_t width_;
  std::vector<Value> row_;
  bool rejudges_ = false;
};

void declare(Declaration& declaration) {
  const auto& field = declaration.config["field"];
  declaration.output = declaration.input();
  if (declaration.input().index_of(field.text())) {
    declaration.diagnostics.error(field.place(),
                                  "the input has a field '" + field.text() + "' already");
  }
  declaration.output.add(field.text(), Type::kString);
  declaration.side_outputs = {{"rejudged", declaration.output}};
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor =
        {.name = "entry",
         .summary = "Appends how a record came in: READ, or REJUDGED by `huiliu rejudge`.",
         .description = "So that rows that are judged again are counted apart: READ + REJUDGED is "
                        "the number of verdicts.",
         .options = {{.name = "field", .doc = "Name of the field.", .default_text = "entry"}},
         .outputs = {{.name = "rejudged", .doc = "Once more those that are REJUDGED, only."}},
         .example = "type: entry\ninput: lines\n"},
    .declare = declare,
    .create = [](const Declaration& declaration) -> std::unique_ptr<runtime::Operator> {
      return std::make_unique<Entry>(declaration.input().width());
    }});

}  // namespace
}  // namespace huiliu::operators
