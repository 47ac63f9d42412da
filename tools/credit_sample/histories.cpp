#include "tools/credit_sample/histories.h"

#include <chrono>

#include "tools/credit_sample/clean_rows.h"
#include "tools/credit_sample/departments.h"
#include "tools/credit_sample/spellings.h"

namespace huiliu::tools {
namespace {

using enum Outcome;

bool everywhere(const FileSpec&) { return true; }
bool in_lists(const FileSpec& spec) { return spec.is_list(); }
bool with_withdrawal(const FileSpec& spec) { return !spec.is_list(); }
// Coming back after a withdrawal wants an explicit version, a time stamp is not enough.
bool with_reactivation(const FileSpec& spec) { return !spec.is_list() && spec.versioned(); }

const std::vector<History>& histories() {
  static const std::vector<History> kHistories = {
      {"exact_duplicate",
       everywhere,
       {{1, Change::kNone, kAccepted}, {1, Change::kNone, kDuplicate}}},
      {"respelled_duplicate",
       everywhere,
       {{1, Change::kNone, kAccepted}, {1, Change::kRespelled, kDuplicate}}},
      {"newer_version",
       everywhere,
       {{1, Change::kNone, kAccepted}, {2, Change::kContent, kUpdated}}},
      {"older_version_late",
       everywhere,
       {{3, Change::kNone, kAccepted}, {2, Change::kContent, kStale}}},
      {"withdrawal",
       with_withdrawal,
       {{1, Change::kNone, kAccepted}, {2, Change::kWithdrawn, kWithdrawn}}},
      {"older_than_tombstone",
       with_withdrawal,
       {{1, Change::kNone, kAccepted},
        {3, Change::kWithdrawn, kWithdrawn},
        {2, Change::kContent, kStale}}},
      {"reactivation",
       with_reactivation,
       {{1, Change::kNone, kAccepted},
        {2, Change::kWithdrawn, kWithdrawn},
        {3, Change::kContent, kReactivated}}},
      {"list_left", in_lists, {{1, Change::kNone, kAccepted}, {2, Change::kListLeft, kUpdated}}},
  };
  return kHistories;
}

void apply_change(RandomNumbers& random, const FileSpec& spec, Change change, Row& row) {
  switch (change) {
    case Change::kNone:
      break;
    case Change::kRespelled:
      respell_all(random, row);
      break;
    case Change::kContent:
      row[Field::kContent] += "（已更正第" + std::to_string(row.version) + "版）";
      break;
    case Change::kWithdrawn:
      row[Field::kStatus] = status_text(spec, true);
      row[Field::kWithdrawalReason] = "经复核予以撤销";
      break;
    case Change::kListLeft:
      row[Field::kStatus] = status_text(spec, true);
      row[Field::kRemovalReason] = "已履行义务";
      row[Field::kRemovedBy] = row[Field::kAuthority];
      row[Field::kRemovedOn] =
          date_text(row.decided_on + std::chrono::days(30), DateStyle::kSlashes);
      break;
  }
}

}  // namespace

std::vector<const History*> histories_for(const FileSpec& spec) {
  std::vector<const History*> applicable;
  if (spec.follow_up != FollowUp::kNone) return applicable;
  for (const History& history : histories()) {
    if (history.applies(spec)) applicable.push_back(&history);
  }
  return applicable;
}

Sequence play_history(RandomNumbers& random, const FileSpec& spec, std::size_t serial,
                      const History& history) {
  const Row base = draw_clean_row(random, spec, serial, draw_subject_kind(random));
  Sequence sequence;
  for (const Step& step : history.steps) {
    Row row = base;
    set_version(row, spec, step.version);
    apply_change(random, spec, step.change, row);
    sequence.push_back({std::move(row), step.outcome, "", history.name});
  }
  return sequence;
}

Sequence follow_up(RandomNumbers& random, const FileSpec& spec, const Row& earlier) {
  Row row = earlier;
  if (spec.follow_up == FollowUp::kConflict) {
    set_source(row, spec.department);
    apply_change(random, spec, Change::kContent, row);
    return {{std::move(row), kConflict, "", "conflict_between_sources"}};
  }
  Row respelled = earlier;
  apply_change(random, spec, Change::kRespelled, respelled);
  Row newer = earlier;
  set_version(newer, spec, earlier.version + 1);
  apply_change(random, spec, Change::kContent, newer);
  return {{std::move(row), kDuplicate, "", "duplicate_of_other_file"},
          {std::move(respelled), kDuplicate, "", "respelled_duplicate_of_other_file"},
          {std::move(newer), kUpdated, "", "newer_version_of_other_file"}};
}

}  // namespace huiliu::tools
