#include <algorithm>

#include "domain/masking.h"
#include "operators/field_names.h"
#include "runtime/component/registry.h"

namespace huiliu::operators {
namespace {

using runtime::Config;
using runtime::Declaration;
using runtime::OptionType;
using runtime::Outputs;
using runtime::Record;
using runtime::Value;

/// Which fields are masked, and how.
struct Fields {
  std::vector<std::size_t> searched, whole;
  std::vector<std::string> open;  ///< beginnings of texts in `whole` that are nobody's
  domain::Certainty certainty = domain::Certainty::kLikely;
};

Fields parse(const Declaration& declaration) {
  const Config& config = declaration.config;
  const auto& schema = declaration.input();
  Fields fields;
  std::vector<std::size_t> kept = find_fields(config["keep"], schema, declaration.diagnostics);
  for (const Config* item : items_of(config["whole"])) {
    fields.whole.push_back(find_text_field(*item, schema, declaration.diagnostics));
  }
  const bool searches = config.bool_or("search", true);
  for (std::size_t i = 0; i < schema.width() && searches; ++i) {
    const auto is_i = [i](std::size_t field) { return field == i; };
    if (!runtime::is_text(schema[i].type) || std::any_of(kept.begin(), kept.end(), is_i) ||
        std::any_of(fields.whole.begin(), fields.whole.end(), is_i)) {
      continue;
    }
    fields.searched.push_back(i);
  }
  if (config.has("open")) fields.open = config["open"].as_strings();
  if (config.string_or("certainty", "likely") == "sure") {
    fields.certainty = domain::Certainty::kSure;
  }
  return fields;
}

class Mask final : public runtime::Operator {
 public:
  explicit Mask(Fields fields) : fields_(std::move(fields)) {}

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    for (const std::size_t field : fields_.searched) {
      const std::string_view text = record[field].text();
      const std::string_view masked =
          domain::mask_citizen_numbers(text, fields_.certainty, buffer_);
      if (masked.data() != text.data()) record[field] = Value::of_text(out.arena().copy(masked));
    }
    for (const std::size_t field : fields_.whole) mask_whole(record[field], out);
    out.emit(record);
  }

 private:
  // A key such as 身份证:NUMBER says before its colon which kind of number it is.
  void mask_whole(Value& value, Outputs& out) {
    const std::string_view text = value.text();
    if (text.empty()) return;
    for (const std::string& beginning : fields_.open) {
      if (text.starts_with(beginning)) return;
    }
    const std::size_t colon = text.find(':');
    const std::string_view head = colon == std::string_view::npos ? "" : text.substr(0, colon + 1);
    // What a `compare` has numbered names nobody.
    if (!head.empty() && text.substr(head.size()).starts_with('#')) return;
    domain::mask_id(text.substr(head.size()), buffer_);
    buffer_.insert(0, head);
    value = Value::of_text(out.arena().copy(buffer_));
  }

  Fields fields_;
  std::string buffer_;
};

const runtime::Registration registration(runtime::OperatorType{
    .descriptor =
        {.name = "mask",
         .summary = "Masks people's identity numbers, wherever in a record they stand.",
         .description =
             "Every text is searched for citizens' numbers of 18 and 15 digits (GB 11643), also in "
             "the middle of a text and in full-width digits; the first six and last four "
             "characters stay: 110105********002X. Valid credit codes and registration numbers are "
             "left alone. Fields in `whole` are masked whatever they hold.",
         .options =
             {{.name = "keep",
               .type = OptionType::kList,
               .doc = "Fields that are left as they are.",
               .members = {{.name = "field", .type = OptionType::kField}}},
              {.name = "whole",
               .type = OptionType::kList,
               .doc = "Fields that hold numbers of documents (passports and permits too), or keys "
                      "made of them (TYPE:NUMBER).",
               .members = {{.name = "field", .type = OptionType::kField}}},
              {.name = "search",
               .type = OptionType::kBool,
               .doc = "Search the other fields too; not needed behind a `mask` that has done so.",
               .default_text = "true"},
              {.name = "open",
               .type = OptionType::kList,
               .doc = "Beginnings of texts in `whole` that belong to no person and stay, such as "
                      "`org:`.",
               .members = {{.name = "beginning"}}},
              {.name = "certainty",
               .type = OptionType::kEnum,
               .doc = "`likely` masks what has a citizen's number's length, region and birth date; "
                      "`sure` only what has the right check digit too, so that no other number is "
                      "altered.",
               .default_text = "likely",
               .choices = {"likely", "sure"}}},
         .changes = runtime::Changes::kPassedOn,
         .outputs = {},
         .example = "type: mask\nwhole: [id_no]\nkeep: [party_name]\n"},
    .declare =
        [](Declaration& declaration) {
          parse(declaration);
          declaration.output = declaration.input();
        },
    .create = [](const Declaration& declaration) -> std::unique_ptr<runtime::Operator> {
      return std::make_unique<Mask>(parse(declaration));
    }});

}  // namespace
}  // namespace huiliu::operators
