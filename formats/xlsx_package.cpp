#include "formats/xlsx_package.h"

#include <algorithm>
#include <utility>

#include "formats/xml_pull.h"

namespace huiliu::formats {
namespace {

struct Relationship {
  std::string id;
  std::string type;  // the last segment of the type's URI: the same in both editions of the norm
  std::string target;
};

class RelationshipsHandler : public XmlHandler {
 public:
  std::vector<Relationship> found;

  void on_start(std::string_view name, const XmlAttributes& attributes) override {
    if (name != "Relationship" || attributes.get("TargetMode") == "External") return;
    const std::string_view type = attributes.get("Type");
    const std::size_t slash = type.rfind('/');
    found.push_back({std::string(attributes.get("Id")),
                     std::string(slash == std::string_view::npos ? type : type.substr(slash + 1)),
                     std::string(attributes.get("Target"))});
  }
  void on_end(std::string_view) override {}
  void on_text(std::string_view) override {}

  const Relationship* of_type(std::string_view type) const {
    const auto same = [type](const Relationship& relationship) {
      return relationship.type == type;
    };
    const auto at = std::find_if(found.begin(), found.end(), same);
    return at == found.end() ? nullptr : &*at;
  }
  const Relationship* of_id(std::string_view id) const {
    const auto same = [id](const Relationship& relationship) { return relationship.id == id; };
    const auto at = std::find_if(found.begin(), found.end(), same);
    return at == found.end() ? nullptr : &*at;
  }
};

class WorkbookHandler : public XmlHandler {
 public:
  struct Entry {
    std::string name;
    std::string relationship_id;
    bool visible;
  };
  std::vector<Entry> sheets;
  DateSystem dates = DateSystem::k1900;

  void on_start(std::string_view name, const XmlAttributes& attributes) override {
    if (name == "sheets") {
      in_sheets_ = true;
    } else if (name == "workbookPr") {
      const std::string_view flag = attributes.get("date1904");
      if (flag == "1" || flag == "true") dates = DateSystem::k1904;
    } else if (name == "sheet" && in_sheets_) {
      sheets.push_back({std::string(attributes.get("name")), std::string(attributes.get("id")),
                        !attributes.get("state").ends_with("idden")});
    }
  }
  void on_end(std::string_view name) override {
    if (name == "sheets") in_sheets_ = false;
  }
  void on_text(std::string_view) override {}

 private:
  bool in_sheets_ = false;
};

std::string relationships_part(std::string_view part) {
  const std::size_t slash = part.rfind('/');
  const std::size_t split = slash == std::string_view::npos ? 0 : slash + 1;
  std::string result(part.substr(0, split));
  result.append("_rels/").append(part.substr(split)).append(".rels");
  return result;
}

void drop_last_segment(std::string& folder) {
  const std::size_t slash = folder.rfind('/');
  folder.resize(slash == std::string::npos ? 0 : slash);
}

// Reads the small parts of one package.
class PackageLoader {
 public:
  PackageLoader(const ZipSource& source, const XlsxLimits& limits)
      : source_(source), limits_(limits) {}

  Outcome parse(const std::string& part, XmlHandler& handler) const {
    return parse_part(source_, part, {limits_.max_metadata_bytes, limits_.max_zip_entries},
                      limits_.max_depth, handler);
  }

  Outcome find_workbook(std::string& part) const {
    RelationshipsHandler root;
    Outcome outcome = parse("_rels/.rels", root);
    if (outcome.code == OutcomeCode::kNotFound) return not_xlsx();
    if (!outcome.ok()) return outcome;
    const Relationship* const document = root.of_type("officeDocument");
    if (document == nullptr) return not_xlsx();
    part = resolve_part("", document->target);
    return {};
  }

  Outcome fill_sheets(const std::string& part, const RelationshipsHandler& related,
                      XlsxWorkbook& workbook) const {
    WorkbookHandler handler;
    Outcome outcome = parse(part, handler);
    if (!outcome.ok()) return outcome;
    if (handler.sheets.empty()) return not_xlsx();
    if (handler.sheets.size() > limits_.max_sheets) {
      return Outcome::failure(OutcomeCode::kLimit, "too many sheets");
    }
    workbook.dates = handler.dates;
    for (WorkbookHandler::Entry& entry : handler.sheets) {
      const Relationship* const sheet = related.of_id(entry.relationship_id);
      const bool readable = sheet != nullptr && sheet->type == "worksheet";
      workbook.sheets.push_back({std::move(entry.name), entry.visible,
                                 readable ? resolve_part(part, sheet->target) : std::string()});
    }
    return {};
  }

 private:
  static Outcome not_xlsx() {
    return Outcome::failure(OutcomeCode::kUnsupported, "a zip file, but no .xlsx workbook");
  }

  const ZipSource& source_;
  const XlsxLimits& limits_;
};

}  // namespace

std::string resolve_part(std::string_view base_part, std::string_view target) {
  std::string path(base_part);
  drop_last_segment(path);
  if (target.starts_with('/')) path.clear();
  while (!target.empty()) {
    const std::string_view segment = target.substr(0, target.find('/'));
    target.remove_prefix(std::min(target.size(), segment.size() + 1));
    if (segment == "..") {
      drop_last_segment(path);
    } else if (!segment.empty() && segment != ".") {
      if (!path.empty()) path.push_back('/');
      path.append(segment);
    }
  }
  return path;
}

Outcome load_workbook(const ZipSource& source, const XlsxLimits& limits, XlsxWorkbook& workbook) {
  const PackageLoader loader(source, limits);
  std::string part;
  Outcome outcome = loader.find_workbook(part);
  if (!outcome.ok()) return outcome;
  RelationshipsHandler related;
  outcome = loader.parse(relationships_part(part), related);
  if (!outcome.ok()) return outcome;
  outcome = loader.fill_sheets(part, related, workbook);
  if (!outcome.ok()) return outcome;
  const Relationship* const strings = related.of_type("sharedStrings");
  if (strings != nullptr) workbook.shared_strings_part = resolve_part(part, strings->target);
  const Relationship* const styles = related.of_type("styles");
  if (styles == nullptr) return {};
  outcome = loader.parse(resolve_part(part, styles->target), workbook.styles);
  return outcome;
}

}  // namespace huiliu::formats
