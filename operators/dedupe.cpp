#include "operators/field_names.h"
#include "runtime/component/registry.h"
#include "runtime/record/key.h"
#include "state/table.h"

namespace huiliu::operators {
namespace {

using runtime::Declaration;
using runtime::OptionType;
using runtime::Outputs;
using runtime::Record;

class Dedupe final : public runtime::Operator {
 public:
  explicit Dedupe(runtime::KeyBuilder key) : key_(std::move(key)) {}

  runtime::Status open(runtime::OperatorContext& context) override {
    context_ = &context;
    HUILIU_ASSIGN_OR_RETURN(table_, context.table("seen"));
    return runtime::Status::ok();
  }

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    const std::uint64_t hash = record.key_hash;
    if (table_->insert(context_->shard_of(hash), key_.build(record), hash, {})) {
      out.emit(record);
    } else {
      out.drop(record, "duplicate");
    }
  }

  void expect(std::uint64_t key_hash) override { table_->prefetch(key_hash); }

 private:
  runtime::KeyBuilder key_;
  runtime::OperatorContext* context_ = nullptr;
  state::Table* table_ = nullptr;
};

void declare(Declaration& declaration) {
  find_fields(declaration.config["key"], declaration.input(), declaration.diagnostics);
  declaration.key_fields = declaration.config["key"].as_strings();
  declaration.output = declaration.input();
  declaration.tables = {
      {.name = "seen",
       .layout = "seen",
       .describe = [](std::string_view, std::string_view) { return runtime::RowText(); },
       .only_inserts = true}};
}

std::unique_ptr<runtime::Operator> create(const Declaration& declaration) {
  return std::make_unique<Dedupe>(runtime::KeyBuilder(declaration.input(), declaration.key_fields));
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor = {.name = "dedupe",
                   .summary = "Lets the first record of each key pass and drops later ones.",
                   .description = "Keys are remembered for ever, also across restarts. Dropped "
                                  "records are counted as duplicates and go nowhere.",
                   .options = {{.name = "key",
                                .type = OptionType::kList,
                                .doc = "Fields that together identify a record.",
                                .required = true,
                                .members = {{.name = "field",
                                             .type = OptionType::kField,
                                             .doc = "A field of the input."}}}},
                   .outputs = {},
                   .keyed = true,
                   .stateful = true,
                   .example = "type: dedupe\nkey: [dept, id]\n"},
    .declare = declare,
    .create = create});

}  // namespace
}  // namespace huiliu::operators
