#include "runtime/registry.h"

namespace huiliu::operators {
namespace {

using runtime::Declaration;
using runtime::OptionType;
using runtime::Outputs;
using runtime::Record;
using runtime::Type;
using runtime::Value;

class Origin final : public runtime::Operator {
 public:
  Origin(std::size_t file, std::size_t row, std::size_t width)
      : file_(file), row_(row), width_(width) {}

  void process(Record& record, Outputs& out) override {
    // Partition names are interned: they live as long as the process.
    record[file_] =
        record.origin.partition == nullptr ? Value() : Value::of_text(*record.origin.partition);
    record[row_] = Value::of_integer(static_cast<std::int64_t>(record.origin.offset));
    record.width = static_cast<std::uint32_t>(width_);
    out.emit(record);
  }

 private:
  std::size_t file_;
  std::size_t row_;
  std::size_t width_;
};

void declare(Declaration& declaration) {
  declaration.output = declaration.input();
  for (const char* option : {"file", "row"}) {
    const auto& name = declaration.config[option];
    if (declaration.input().index_of(name.text())) {
      declaration.diagnostics.error(name.place(),
                                    "the input has a field '" + name.text() + "' already");
    }
  }
  declaration.output.add(declaration.config["file"].text(), Type::kString);
  declaration.output.add(declaration.config["row"].text(), Type::kInt64);
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor = {.name = "origin",
                   .summary = "Appends where a record was read: file (or partition) and row.",
                   .description =
                       "Every record carries its origin; this operator makes it visible as two "
                       "fields, so that later operators can count by it and sinks can write it.",
                   .options = {{.name = "file",
                                .doc = "Name of the field for the file or partition.",
                                .default_text = "source_file"},
                               {.name = "row",
                                .doc = "Name of the field for the row or offset.",
                                .default_text = "source_row"}},
                   .example = "type: origin\ninput: lines\n"},
    .declare = declare,
    .create = [](const Declaration& declaration) -> std::unique_ptr<runtime::Operator> {
      const std::size_t width = declaration.input().width();
      return std::make_unique<Origin>(width, width + 1, width + 2);
    }});

}  // namespace
}  // namespace huiliu::operators
