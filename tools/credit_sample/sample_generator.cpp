#include "tools/credit_sample/sample_generator.h"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>

#include "tools/credit_sample/clean_rows.h"
#include "tools/credit_sample/departments.h"
#include "tools/credit_sample/faults.h"
#include "tools/credit_sample/spellings.h"

namespace huiliu::tools {
namespace {

constexpr std::size_t kSmallCleanRows = 3;
constexpr std::size_t kSmallTimes = 2;
constexpr std::size_t kBatch = 200;  // sequences mixed with each other
constexpr unsigned kFaultPercent = 5;
constexpr unsigned kHistoryPercent = 5;
constexpr unsigned kRememberedPercent = 2;

template <typename Can>
std::size_t count_files(std::span<const FileSpec> specs, Can can) {
  return static_cast<std::size_t>(std::ranges::count_if(
      specs, [&](const FileSpec& spec) { return spec.follow_up == FollowUp::kNone && can(spec); }));
}

}  // namespace

SampleGenerator::SampleGenerator(const SampleOptions& options)
    : options_(options),
      random_(options.seed),
      specs_(file_specs()),
      expected_(options.folder + "/expected.csv", std::ios::binary) {}

std::size_t SampleGenerator::run() {
  write_departments();
  expected_ << "file,row,outcome,code,fault\n";
  for (const FileSpec& spec : specs_) {
    file_row_ = 0;
    const auto writer = make_row_writer(spec, options_.folder);
    if (spec.follow_up != FollowUp::kNone) {
      write_follow_up_file(spec, *writer);
    } else if (options_.small) {
      write_small_file(spec, *writer);
    } else {
      write_large_file(spec, *writer);
    }
    writer->finish();
  }
  expected_.close();
  if (!expected_) throw std::runtime_error("cannot write " + options_.folder + "/expected.csv");
  return total_rows_;
}

void SampleGenerator::write_departments() const {
  const std::string path = options_.folder + "/departments.csv";
  std::ofstream file(path, std::ios::binary);
  file << "key,name,uscc,represents\n";
  for (const Department& department : departments()) {
    file << department.key << ',' << department.name << ',' << department.uscc << ',';
    const char* separator = "";
    for (const std::size_t represented : department.represents) {
      file << std::exchange(separator, ";") << departments()[represented].uscc;
    }
    file << '\n';
  }
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
}

// How often the fault or history goes into a file when `files_left` files can still hold it, this
// one included: kSmallTimes in all, not all of them in the first files.
std::size_t SampleGenerator::times_in_file(const char* name, std::size_t files_left) {
  auto found = std::ranges::find(emitted_, name, &std::pair<std::string, std::size_t>::first);
  if (found == emitted_.end()) found = emitted_.insert(emitted_.end(), {name, 0});
  const std::size_t missing = kSmallTimes - found->second;
  if (missing == 0 || (files_left > missing && random_.below(3) != 0)) return 0;
  const std::size_t times = files_left < missing ? missing : 1;
  found->second += times;
  return times;
}

void SampleGenerator::write_small_file(const FileSpec& spec, RowWriter& writer) {
  const FileSpec* const end = specs_.data() + specs_.size();
  std::vector<Sequence> sequences;
  for (std::size_t i = 0; i < kSmallCleanRows; ++i) sequences.push_back(clean_sequence(spec, true));
  for (const Fault* fault : faults_for(spec)) {
    const std::size_t files = count_files(std::span(&spec, end), fault->applies);
    for (std::size_t left = times_in_file(fault->name, files); left > 0; --left) {
      sequences.push_back(faulty_sequence(spec, *fault));
    }
  }
  for (const History* history : histories_for(spec)) {
    const std::size_t files = count_files(std::span(&spec, end), history->applies);
    for (std::size_t left = times_in_file(history->name, files); left > 0; --left) {
      sequences.push_back(play_history(random_, spec, ++serial_, *history));
    }
  }
  write_interleaved(sequences, spec, writer);
}

void SampleGenerator::write_large_file(const FileSpec& spec, RowWriter& writer) {
  const std::size_t rows =
      options_.rows / count_files(specs_, [](const FileSpec&) { return true; });
  std::vector<Sequence> sequences;
  while (file_row_ < rows) {
    sequences.clear();
    while (sequences.size() < std::min(kBatch, rows - file_row_)) {
      sequences.push_back(random_sequence(spec));
    }
    write_interleaved(sequences, spec, writer);
  }
}

void SampleGenerator::write_follow_up_file(const FileSpec& spec, RowWriter& writer) {
  std::vector<Sequence> sequences;
  for (std::size_t i = 0; i < kSmallCleanRows; ++i) {
    sequences.push_back(clean_sequence(spec, false));
  }
  const std::vector<std::size_t>& represented = departments()[spec.department].represents;
  std::erase_if(earlier_, [&](const EarlierRow& earlier) {
    const bool usable =
        earlier.kind == spec.kind &&
        (spec.follow_up == FollowUp::kRepeat
             ? earlier.department == spec.department
             : std::ranges::find(represented, earlier.department) != represented.end());
    if (usable) sequences.push_back(follow_up(random_, spec, earlier.row));
    return usable;
  });
  write_interleaved(sequences, spec, writer);
}

// Mixes the sequences at random; each keeps its own order.
void SampleGenerator::write_interleaved(std::vector<Sequence>& sequences, const FileSpec& spec,
                                        RowWriter& writer) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < sequences.size(); ++i)
    order.insert(order.end(), sequences[i].size(), i);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random_.below(i)]);
  std::vector<std::size_t> next(sequences.size());
  for (const std::size_t i : order) {
    const ExpectedRow& expected = sequences[i][next[i]++];
    writer.write(expected.row);
    ++total_rows_;
    expected_ << spec.name << ',' << ++file_row_ << ',' << outcome_name(expected.outcome) << ','
              << expected.code << ',' << expected.fault << '\n';
  }
}

// Rows of files with all columns of their kind, so that a follow-up file can say the same again.
bool SampleGenerator::is_remembered_kind(const FileSpec& spec) const {
  return spec.edition == Edition::k2018 && !spec.is_list() && spec.versioned() &&
         spec.has(Field::kInstitutionNo);
}

Sequence SampleGenerator::clean_sequence(const FileSpec& spec, bool remember) {
  Row row = draw_clean_row(random_, spec, ++serial_, draw_subject_kind(random_));
  if (remember && is_remembered_kind(spec)) earlier_.push_back({row, spec.department, spec.kind});
  respell_some(random_, row);
  return {{std::move(row), Outcome::kAccepted, "", "none"}};
}

Sequence SampleGenerator::faulty_sequence(const FileSpec& spec, const Fault& fault) {
  Row row = draw_faulty_row(random_, spec, ++serial_, fault);
  return {{std::move(row), fault.outcome(), fault.code, fault.name}};
}

Sequence SampleGenerator::random_sequence(const FileSpec& spec) {
  const std::size_t choice = random_.below(100);
  if (choice < kFaultPercent) {
    const std::vector<const Fault*> faults = faults_for(spec);
    return faulty_sequence(spec, *faults[random_.below(faults.size())]);
  }
  if (choice < kFaultPercent + kHistoryPercent) {
    const std::vector<const History*> histories = histories_for(spec);
    return play_history(random_, spec, ++serial_, *histories[random_.below(histories.size())]);
  }
  return clean_sequence(spec, random_.percent(kRememberedPercent));
}

}  // namespace huiliu::tools
