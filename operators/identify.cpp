#include <array>
#include <optional>

#include "domain/subjects.h"
#include "operators/field_names.h"
#include "runtime/component/registry.h"

namespace huiliu::operators {
namespace {

using runtime::Config;
using runtime::Declaration;
using runtime::Option;
using runtime::OptionType;
using runtime::Outputs;
using runtime::Record;
using runtime::Type;
using runtime::Value;

/// Options that name fields of the input; all may be absent.
constexpr const char* kFieldOptions[] = {"uscc",          "org_code",       "tax_no",
                                         "reg_no",        "institution_no", "society_no",
                                         "document_type", "document_no"};
enum Source { kUscc, kOrgCode, kTaxNo, kRegNo, kInstitutionNo, kSocietyNo, kDocType, kDocNo };

constexpr const char* kOutputs[] = {"org_id", "reg_id", "tax_id", "other_id", "person_id"};

using Fields = std::array<std::optional<std::size_t>, std::size(kFieldOptions)>;

Fields parse(const Declaration& declaration) {
  Fields fields;
  for (std::size_t i = 0; i < std::size(kFieldOptions); ++i) {
    const Config& node = declaration.config[kFieldOptions[i]];
    if (node.is_null()) continue;
    fields[i] = find_text_field(node, declaration.input(), declaration.diagnostics);
  }
  return fields;
}

class Identify final : public runtime::Operator {
 public:
  Identify(const Fields& fields, std::size_t input_width) : fields_(fields), width_(input_width) {}

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    out_ = &out;
    Value* const made = record.values + width_;
    made[0] = organisation(record);
    made[1] = prefixed("reg:", record, kRegNo);
    made[2] = tax_number(record);
    made[3] = prefixed("inst:", record, kInstitutionNo);
    if (made[3].is_null()) made[3] = prefixed("soc:", record, kSocietyNo);
    made[4] = person(record);
    record.width = static_cast<std::uint32_t>(width_ + std::size(kOutputs));
    out.emit(record);
  }

 private:
  std::string_view text(const Record& record, Source source) const {
    return fields_[source] ? record[*fields_[source]].text() : std::string_view{};
  }

  Value kept() const {
    return buffer_.empty() ? Value() : Value::of_text(out_->arena().copy(buffer_));
  }

  Value organisation(const Record& record) {
    domain::org_identity_of_uscc(text(record, kUscc), buffer_);
    if (buffer_.empty()) domain::org_identity_of_org_code(text(record, kOrgCode), buffer_);
    if (buffer_.empty()) domain::org_identity_of_tax_no(text(record, kTaxNo), buffer_);
    return kept();
  }

  // A tax number that holds no organisation code; a household's holds its owner's number.
  Value tax_number(const Record& record) {
    domain::org_identity_of_tax_no(text(record, kTaxNo), buffer_);
    return buffer_.empty() ? prefixed("tax:", record, kTaxNo) : Value();
  }

  Value prefixed(std::string_view prefix, const Record& record, Source source) {
    const std::string_view number = text(record, source);
    if (number.empty()) return {};
    buffer_.assign(prefix).append(number);
    return kept();
  }

  Value person(const Record& record) {
    domain::person_identity(text(record, kDocType), text(record, kDocNo), buffer_);
    return kept();
  }

  Fields fields_;
  std::size_t width_;
  Outputs* out_ = nullptr;
  std::string buffer_;
};

std::vector<Option> options() {
  std::vector<Option> result;
  for (const char* name : kFieldOptions) {
    result.push_back({.name = name, .type = OptionType::kField, .doc = "Field that holds it."});
  }
  return result;
}

void declare(Declaration& declaration) {
  parse(declaration);
  declaration.output = declaration.input();
  for (const char* name : kOutputs) {
    if (declaration.input().index_of(name)) {
      declaration.diagnostics.error(
          declaration.config.place(),
          "the input has a field '" + std::string(name) + "', which the operator makes");
    }
    declaration.output.add(name, Type::kString);
  }
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor =
        {.name = "identify",
         .summary = "Says whom a record is about, for each of the codes and numbers it gives.",
         .description =
             "Appends fields that a `compare` takes as `identity`, null where the record has not "
             "the code:\n\n"
             "- `org_id`: `org:` and the organisation code, which is characters 9 to 17 of the "
             "credit code (GB 32100), the organisation code itself (GB 11714), or characters 7 to "
             "15 of an old tax number\n"
             "- `reg_id`, `tax_id`, `other_id`: `reg:`, `tax:`, `inst:` or `soc:` and the "
             "registration number, a tax number without organisation code, the certificate's "
             "number of an institution or a society\n"
             "- `person_id`: type and number of the document; a citizen's number in its form of 18 "
             "digits (GB 11643), permits of Hong Kong, Macao and Taiwan without issue number",
         .options = options(),
         .changes = runtime::Changes::kPassedOn,
         .outputs = {},
         .example = "type: identify\nuscc: uscc\ndocument_type: doc_name\ndocument_no: id_no\n"},
    .declare = declare,
    .create = [](const Declaration& declaration) -> std::unique_ptr<runtime::Operator> {
      return std::make_unique<Identify>(parse(declaration), declaration.input().width());
    }});

}  // namespace
}  // namespace huiliu::operators
