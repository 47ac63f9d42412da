#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "tools/credit_sample/row.h"

namespace huiliu::tools {

enum class RecordKind { kLicence, kPenalty, kRedList, kBlackList };
enum class Edition { k2015, k2018 };
enum class Format { kNdjson, kCsv, kCsvWithBom, kCsvGb18030, kXlsx };
enum class StatusStyle { kCode2018, kCode2015, kWord, kMark, kList };
// Files that come back to rows of earlier files.
enum class FollowUp { kNone, kRepeat, kConflict };

struct Column {
  Field field;
  const char* heading;
};

struct FileSpec {
  std::string name;
  RecordKind kind;
  Edition edition;
  Format format;
  StatusStyle status;
  std::size_t department;  // who sends it
  std::span<const Column> columns;
  FollowUp follow_up = FollowUp::kNone;

  bool has(Field field) const;
  bool is_csv() const { return format != Format::kNdjson && format != Format::kXlsx; }
  // Whether its rows carry an explicit version; otherwise the time stamp orders them.
  bool versioned() const;
  bool is_list() const { return kind == RecordKind::kRedList || kind == RecordKind::kBlackList; }
};

// In the order of their names, which is the order they are to be read in.
std::vector<FileSpec> file_specs();

// How `spec` writes that a record stands or is withdrawn (lists: has been left).
const char* status_text(const FileSpec& spec, bool withdrawn);

}  // namespace huiliu::tools
