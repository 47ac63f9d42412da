#include "connectors/http/push_sink.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>

#include <fmt/format.h>

#include "codecs/receipts.h"
#include "connectors/http/dead_letters.h"
#include "connectors/http/push_answers.h"
#include "connectors/http/push_batch.h"
#include "connectors/http/push_pace.h"
#include "net/token.h"
#include "runtime/base/failpoint.h"
#include "runtime/base/paths.h"
#include "runtime/record/key.h"

namespace huiliu::connectors {
namespace {

using runtime::Figure;
using runtime::OutboxEntry;
using runtime::SinkContext;
using runtime::Status;

constexpr std::uint64_t kMostAnswer = 4u << 20;

/// What it says of itself; written by the delivery thread, read by any.
struct Counts {
  std::atomic<std::uint64_t> batches{0}, failures{0}, letters{0};
  std::atomic<bool> open{false}, locked_out{false};
};

class PushSink final : public runtime::OutboxSink {
 public:
  explicit PushSink(const PushOptions& options)
      : options_(options), pace_(options.breaker, options.longest_pause) {}

  bool keeps_position() const override { return false; }

  Status open(const SinkContext& context) override {
    node_ = context.node_name;
    owner_ = context.topology + "." + context.node_name;
    folder_ = context.base_folder;
    clock_ = context.clock;
    ending_ = context.ending;
    rest_.clear();
    cut_ = 0;
    taken_ = context.delivered;
    receipts_ = context.receipts;
    if (options_.receipts && !receipts_) {
      return Status::fatal(node_ + ": nothing can be kept of what the receiver says");
    }
    HUILIU_RETURN_IF_ERROR(read_secrets());
    net::TlsTrust trust = options_.trust;
    for (std::string* file : {&trust.ca, &trust.certificate, &trust.key}) {
      if (!file->empty()) *file = runtime::resolve_path(folder_, *file);
    }
    if (options_.server.starts_with("https://")) {
      // A file that does not serve is said at the start.
      if (auto made = net::client_context(trust); !made.is_ok()) return made.status();
    }
    net::HttpPeer peer(options_.server, trust);
    peer.ca_name = "`tls: {ca}`";
    peer.own_name = "`tls: {certificate, key}`";
    client_ = std::make_unique<net::HttpClient>(std::move(peer), kMostAnswer);
    if (options_.dead_letters.empty()) return Status::ok();
    return letters_.open(runtime::resolve_path(folder_, options_.dead_letters), context.delivered);
  }

  Status apply(const std::vector<OutboxEntry>& entries) override {
    for (const OutboxEntry& entry : entries) {
      if (entry.sequence <= taken_) continue;  // by a try of before
      // The parts of an entry that are taken stay so when the others are tried again.
      if (entry.sequence != cut_) {
        held_ = entry;
        const auto batches = cut_entry(held_, options_.batch_rows);
        rest_.assign(batches.begin(), batches.end());
        said_ = {};
        cut_ = entry.sequence;
      }
      HUILIU_RETURN_IF_ERROR(send_rest());
      HUILIU_RETURN_IF_ERROR(letters_.sync());
      if (!runtime::mutant("receipts.lost") || taken_ % 2 == 0) {
        HUILIU_RETURN_IF_ERROR(keep_receipts());
      }
      taken_ = entry.sequence;
    }
    return Status::ok();
  }

  std::vector<Figure> figures() const override {
    const auto one = [&](const char* name, const char* help, double value, bool counter) {
      return Figure{name, help, {{"sink", node_}}, value, counter};
    };
    return {one("push_batches_total", "Requests that the receiver took.",
                static_cast<double>(counts_.batches), true),
            one("push_failures_total", "Requests without an answer that says anything of the rows.",
                static_cast<double>(counts_.failures), true),
            one("push_dead_letters_total", "Rows that the receiver refused.",
                static_cast<double>(counts_.letters), true),
            one("push_circuit_open", "1 while the receiver is only tried now and then.",
                counts_.open ? 1 : 0, false),
            one("push_locked_out", "1 while the receiver answers 401 or 403.",
                counts_.locked_out ? 1 : 0, false)};
  }

 private:
  Status read_secrets() {
    token_ = options_.token;
    key_ = options_.hmac_key;
    for (auto [file, secret] :
         {std::pair(&options_.token_file, &token_), std::pair(&options_.hmac_key_file, &key_)}) {
      if (file->empty()) continue;
      auto read = net::read_token(runtime::resolve_path(folder_, *file));
      if (!read.is_ok()) return read.status();
      *secret = std::move(read.value());
    }
    if (!key_.empty() && net::hmac_of(options_.mac, key_, "").empty()) {
      return Status::invalid("OpenSSL here has no SM3: use `signature: hmac-sha256`");
    }
    return Status::ok();
  }

  // A batch that is refused makes room for its halves, at its place in the order.
  Status send_rest() {
    while (!rest_.empty()) {
      const PushBatch batch = rest_.front();
      if (!wait_for_turn()) return Status::unavailable("the topology ends");
      auto answer = client_->ask(question(batch), options_.timeout);
      const std::int64_t now = clock_->now_ms();
      if (!answer.is_ok()) return failed(answer.status().message(), std::nullopt);
      const PushVerdict verdict = judge(*answer, batch.rows.size(), now);
      counts_.locked_out = verdict.is_unknown_sender;
      if (verdict.kind == PushVerdict::Kind::kAgain) {
        // Who renewed a secret has done so because of this answer.
        Status read = verdict.is_unknown_sender ? read_secrets() : Status::ok();
        return failed(read.is_ok() ? verdict.message : verdict.message + "; " + read.message(),
                      verdict.pause);
      }
      pace_.succeeded();
      counts_.open = false;
      runtime::failpoint("push.after_answer");
      HUILIU_RETURN_IF_ERROR(settle(batch, verdict, now));
    }
    return Status::ok();
  }

  Status settle(const PushBatch& batch, const PushVerdict& verdict, std::int64_t now) {
    if (verdict.kind == PushVerdict::Kind::kTaken) {
      for (const RefusedRow& row : verdict.refused) {
        HUILIU_RETURN_IF_ERROR(bury(batch, row.index, row.code, row.message, now));
      }
      ++counts_.batches;
      take_receipts(batch, verdict, now);
      rest_.pop_front();
      return Status::ok();
    }
    const std::size_t rows = batch.rows.size();
    if (rows == 1) {
      HUILIU_RETURN_IF_ERROR(bury(batch, 0, verdict.code, verdict.message, now));
      const PushVerdict one{.refused = {{0, verdict.code, verdict.message}}};
      take_receipts(batch, one, now);
      rest_.pop_front();
      return Status::ok();
    }
    rest_.pop_front();
    rest_.push_front(batch.some(rows / 2, rows));
    rest_.push_front(batch.some(0, rows / 2));
    return Status::ok();
  }

  void take_receipts(const PushBatch& batch, const PushVerdict& verdict, std::int64_t now) {
    if (!receipts_) return;
    const std::size_t before = said_.receipts.size();
    for (std::size_t row = 0; row < batch.rows.size(); ++row) {
      codecs::Receipt& receipt = said_.receipts.emplace_back();
      receipt.row = batch.rows[row];
      if (!verdict.numbers.empty()) receipt.number = verdict.numbers[row];
    }
    for (const RefusedRow& row : verdict.refused) {
      codecs::Receipt& receipt = said_.receipts[before + row.index];
      receipt.accepted = false;
      receipt.code = row.code;
      receipt.message = row.message;
      if (options_.dead_letters.empty()) ++counts_.letters;
    }
    said_.at_ms = now;
  }

  // Those of a whole entry: which requests it took is not the same after a crash, its rows are.
  Status keep_receipts() {
    if (!receipts_) return Status::ok();
    said_.name = fmt::format("{}.{}", owner_, cut_);
    said_.key = fmt::format("{}.{:016x}", said_.name, runtime::KeyBuilder::hash_bytes(held_.bytes));
    if (runtime::mutant("receipts.other_key")) said_.key += std::to_string(said_.at_ms);
    HUILIU_RETURN_IF_ERROR(codecs::keep_receipts(*receipts_, said_));
    runtime::failpoint("push.after_receipts");
    return Status::ok();
  }

  Status bury(const PushBatch& batch, std::size_t row, const std::string& code,
              const std::string& message, std::int64_t now) {
    if (options_.dead_letters.empty()) return Status::ok();
    DeadLetter letter{batch.rows[row], code, message, batch.sequence, {}, batch.first + row};
    letter.batch = fmt::format("{}.{}.{}.{}", owner_, batch.sequence, batch.part, batch.part_hash);
    bool added = false;
    Status status = letters_.add(letter, now, added);
    if (added) ++counts_.letters;
    return status;
  }

  net::HttpQuestion question(const PushBatch& batch) {
    net::HttpQuestion question{.method = "POST", .target = options_.target};
    question.body = batch.body(options_.json);
    const PushHeaders said(batch, owner_, clock_->now_ms());
    question.headers = options_.headers;
    auto& headers = question.headers;
    headers.emplace_back("Content-Type",
                         options_.json ? "application/json" : "application/x-ndjson");
    headers.emplace_back("Date", said.date);
    headers.emplace_back("X-Batch", said.batch);
    headers.emplace_back("X-Batch-Rows", said.rows);
    headers.emplace_back("X-Batch-Hash", said.hash);
    headers.emplace_back("Idempotency-Key", said.key);
    if (!token_.empty()) headers.emplace_back("Authorization", "Bearer " + token_);
    if (!key_.empty()) {
      headers.emplace_back(
          "X-Signature",
          signature_of(options_.mac, key_, said.signed_text(options_.target, question.body)));
    }
    return question;
  }

  Status failed(const std::string& why, std::optional<std::chrono::milliseconds> pause) {
    ++counts_.failures;
    pace_.failed(clock_->steady_ms(), pause);
    counts_.open = pace_.is_open();
    return Status::unavailable(why);
  }

  /// False if the topology is to end meanwhile.
  bool wait_for_turn() const {
    constexpr std::int64_t kLookMs = 50;
    for (;;) {
      if (ending_ && ending_()) return false;
      const std::int64_t left = pace_.next() - clock_->steady_ms();
      if (left <= 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(std::min(left, kLookMs)));
    }
  }

  PushOptions options_;
  std::string node_, owner_, folder_, token_, key_;
  runtime::Clock* clock_ = nullptr;
  std::function<bool()> ending_;
  std::unique_ptr<net::HttpClient> client_;
  PushPace pace_;
  DeadLetters letters_;
  Counts counts_;
  std::uint64_t taken_ = 0, cut_ = 0;  // sequences
  OutboxEntry held_;                   // the entry `cut_`
  std::deque<PushBatch> rest_;         // of it, which point into it
  std::shared_ptr<runtime::Intake> receipts_;
  codecs::ReceiptBatch said_;  // of its rows that are not in `rest_`
};

}  // namespace

std::unique_ptr<runtime::OutboxSink> make_push_sink(const PushOptions& options) {
  return std::make_unique<PushSink>(options);
}

}  // namespace huiliu::connectors
