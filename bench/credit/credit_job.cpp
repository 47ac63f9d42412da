#include "bench/credit/credit_job.h"

#include <algorithm>
#include <cstdio>

#include "bench/credit/cleansing.h"

namespace huiliu::bench {
namespace {

struct Cleansed {
  std::string_view code;
  char decided_at[kIsoDateSize];
  char valid_to[kIsoDateSize];
};

// The first check that fails, empty when none does. Fills the dates of `cleansed`.
std::string_view first_fault(const CreditLine& line, bool legal, bool known_kind,
                             Cleansed& cleansed) {
  if (!known_kind || (!legal && line.party_type != "natural")) return "bad_kind";
  if (legal && !is_uscc(cleansed.code)) return "bad_uscc";
  if (!legal && !is_id_no(cleansed.code)) return "bad_id_no";
  if (!parse_date(line.decided_at, cleansed.decided_at)) return "bad_decided_at";
  if (!parse_date(line.valid_to, cleansed.valid_to)) return "bad_valid_to";
  return {};
}

void write_record(OutputFile& out, const CreditLine& line, bool legal, const Cleansed& cleansed) {
  out.put("{\"id\":\"");
  out.put_escaped(line.id);
  out.put("\",\"dept\":\"");
  out.put_escaped(line.dept);
  out.put("\",\"kind\":\"");
  out.put(line.kind);
  out.put("\",\"party_name\":\"");
  out.put_escaped(line.party_name);
  out.put("\",\"party_type\":\"");
  out.put(line.party_type);
  out.put(legal ? "\",\"uscc\":\"" : "\",\"id_no\":\"");
  out.put(cleansed.code);
  out.put("\",\"doc_name\":\"");
  out.put_escaped(line.doc_name);
  out.put("\",\"content\":\"");
  out.put_escaped(line.content);
  out.put("\",\"decided_at\":\"");
  out.put({cleansed.decided_at, kIsoDateSize});
  out.put("\",\"valid_to\":\"");
  out.put({cleansed.valid_to, kIsoDateSize});
  out.put("\"");
  if (line.has_amount) {
    out.put(",\"amount\":");
    out.put_number(line.amount);
  }
  out.put(",\"ts\":");
  out.put_number(line.ts);
  out.put(",\"class\":\"");
  out.put(line.party_type);
  out.put("/");
  out.put(line.kind);
  out.put("\"}");
  out.end_line();
}

}  // namespace

CreditJob::CreditJob(const std::string& output_folder)
    : legal_(output_folder + "/legal.ndjson"),
      natural_(output_folder + "/natural.ndjson"),
      rejects_(output_folder + "/rejects.ndjson"),
      windows_file_(output_folder + "/windows.ndjson") {}

void CreditJob::reject_broken_line() { reject(CreditLine{}, "bad_json"); }

void CreditJob::reject(const CreditLine& line, std::string_view reason) {
  rejects_.put("{\"id\":\"");
  rejects_.put_escaped(line.id);
  rejects_.put("\",\"dept\":\"");
  rejects_.put_escaped(line.dept);
  rejects_.put("\",\"kind\":\"");
  rejects_.put_escaped(line.kind);
  rejects_.put("\",\"reason\":\"");
  rejects_.put(reason);
  rejects_.put("\",\"ts\":");
  rejects_.put_number(line.ts);
  rejects_.put("}");
  rejects_.end_line();
}

// Returns the cleansed uscc or id_no.
std::string_view CreditJob::cleanse(CreditLine& line) {
  line.id = half_width(line.id, id_, InnerBlanks::kKeep);
  line.party_name = half_width(line.party_name, name_, InnerBlanks::kCollapse);
  line.doc_name = half_width(line.doc_name, doc_name_, InnerBlanks::kKeep);
  line.content = trim(line.content);
  half_width(line.party_type == "legal" ? line.uscc : line.id_no, code_, InnerBlanks::kKeep);
  for (char& c : code_) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return code_;
}

bool CreditJob::is_new(const CreditLine& line) {
  key_.assign(line.dept).append("|").append(line.id);
  return seen_.insert(key_);
}

void CreditJob::process(CreditLine& line) {
  const bool legal = line.party_type == "legal";
  Cleansed cleansed;
  cleansed.code = cleanse(line);
  const auto kind =
      static_cast<std::size_t>(std::find(kKinds.begin(), kKinds.end(), line.kind) - kKinds.begin());
  const std::string_view fault = first_fault(line, legal, kind < kKinds.size(), cleansed);
  if (!fault.empty()) return reject(line, fault);
  if (!is_new(line)) return;
  write_record(legal ? legal_ : natural_, line, legal, cleansed);
  windows_.count(line.dept, kind, line.ts);
}

void CreditJob::finish() {
  windows_.write(windows_file_);
  for (OutputFile* file : {&legal_, &natural_, &rejects_, &windows_file_}) file->flush();
  std::fprintf(stderr, "legal %llu natural %llu rejects %llu windows %llu\n",
               static_cast<unsigned long long>(legal_.lines()),
               static_cast<unsigned long long>(natural_.lines()),
               static_cast<unsigned long long>(rejects_.lines()),
               static_cast<unsigned long long>(windows_file_.lines()));
}

}  // namespace huiliu::bench
